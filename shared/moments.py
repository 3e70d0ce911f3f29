"""The moments of the history, as typed values, each of a run of an automation.

They are added to one Firestore document a day (`shared/history.py`), and outlive the log.
"""

from datetime import datetime

import msgspec

from shared.debts import Debt
from shared.report import ChangeReport


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="moment"):
    """Something that happened."""

    at: datetime
    automation: str = ""
    message_id: str = ""
    """Of the message that woke the run: moments of one run belong together."""


class Owed(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="owed"):
    """Something is held, changed by a person, or on its way back: a debt that is new, or in another state."""

    debt: Debt


class Paid(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="paid"):
    """Something is no longer owed: given back, gone, or left as a person has made it. The debt is as it last was."""

    debt: Debt


class AlertBegan(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="alert_began"):
    """Something needs a person."""

    alert: str
    """Its kind."""
    subject: str
    title: str
    reason: str


class AlertEnded(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="alert_ended"):
    """It no longer does."""

    alert: str
    subject: str


class Commanded(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="commanded"):
    """A person asked for something, and it was put on record."""

    command: str
    """The name of its type, such as ``Undo``."""
    arguments: dict[str, str] = {}
    sent_by: str = ""
    """As the sender says: Cloud Audit Logs has the proof."""


class Changed(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="changed"):
    """A change was made, has failed, or while observing would have been made."""

    change: ChangeReport


class Costed(Moment, frozen=True, kw_only=True, omit_defaults=True, tag="costed"):
    """A budget has reported its cost."""

    budget: str
    cost: float
    amount: float
    period_start: datetime


AnyMoment = Owed | Paid | AlertBegan | AlertEnded | Commanded | Changed | Costed
