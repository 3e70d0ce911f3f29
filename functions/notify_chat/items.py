"""The lines that can be posted, each a typed value."""

from datetime import datetime
from enum import StrEnum

import msgspec


class ItemKind(StrEnum):
    """The kind of event."""

    ALERT = "alert"
    """Something needs a person."""
    ALERT_OVER = "alert_over"
    HELD = "held"
    """Something was changed that will be restored."""
    RESTORED = "restored"
    FAILED = "failed"
    """A change that matters to the bill, or a job, has failed."""
    NOTIFIED = "notified"
    """A rung of a budget is passed."""
    WOULD = "would"
    """While observing: what would have been done."""


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a message."""

    kind: ItemKind
    at: datetime
    automation: str
    subject: str
    """The resource by its short name, the budget, the pool, the job."""
    what: str
    """The event, as a clause."""
    why: str = ""
    over: str = ""
    """The clause for the end of the state."""
    undo: str = ""
    """The command that undoes it."""
    message_id: str = ""
    """Of the message that woke the run, by which its report is found in the log."""
