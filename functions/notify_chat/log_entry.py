"""The log entry of a report or a job, as a log sink publishes it: the fields that are posted.

Fields that are not here, of this or another version, are ignored. https://cloud.google.com/logging/docs/export/pubsub
"""

from datetime import datetime

import msgspec

from shared.decision import Alert
from shared.report import ChangeReport, Outcome
from shared.settings import Mode


class DebtEntry(msgspec.Struct, frozen=True):
    """Something that is held at the end of a run."""

    resource: str
    field: str
    original: str
    applied: str
    undo: str
    since: datetime
    reason: str = ""


class ReportEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a run."""

    automation: str
    mode: Mode
    at: datetime
    message_id: str
    outcome: Outcome
    alerts: tuple[Alert, ...] = ()
    held: tuple[DebtEntry, ...] = ()
    changes: tuple[ChangeReport, ...] = ()
    plan_changed: bool = False


class JobEntry(msgspec.Struct, frozen=True):
    """The outcome of a container job."""

    name: str
    outcome: Outcome
    why: str = ""


class Payload(msgspec.Struct, frozen=True):
    """One of both; anything else is not for people."""

    report: ReportEntry | None = None
    job: JobEntry | None = None


class LogEntry(msgspec.Struct, frozen=True, rename="camel"):
    """An entry of Cloud Logging."""

    timestamp: datetime
    json_payload: Payload = Payload()
