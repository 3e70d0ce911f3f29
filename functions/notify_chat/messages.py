"""The messages of `notify_chat`: the lines that it posts, and those of its own reports."""

from datetime import datetime

import msgspec

from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.log_entry import DebtEntry, JobEntry, ReportEntry
from shared.decision import Alert, Message
from shared.errors import presentable
from shared.report import ChangeReport


def alert_line(alert: Alert, report: ReportEntry) -> Item:
    """Something needs a person."""
    what = alert.title or alert.kind.replace("_", " ")
    return _line(
        ItemKind.ALERT,
        report,
        subject=alert.subject,
        what=what,
        over=f"over: {what}",
        why=alert.reason,
        at=alert.since or report.at,
    )


def debt_line(debt: DebtEntry, report: ReportEntry) -> Item:
    """Something was changed that will be restored."""
    line = _line(
        ItemKind.HELD,
        report,
        subject=short(debt.resource),
        what=f"{debt.field} {_value(debt.original)} -> {_value(debt.applied)}",
        over=f"no longer held; {debt.field} was {_value(debt.original)}",
        why=debt.reason,
        at=debt.since,
    )
    return msgspec.structs.replace(line, undo=debt.undo)


def over_line(item: Item) -> Item:
    """An alert is over, or something is no longer held."""
    kind = ItemKind.RESTORED if item.kind is ItemKind.HELD else ItemKind.ALERT_OVER
    return msgspec.structs.replace(item, kind=kind, what=item.over, why="", undo="")


def failed_line(change: ChangeReport, report: ReportEntry) -> Item:
    """A change that matters to the bill has failed; it is tried again."""
    return _line(
        ItemKind.FAILED,
        report,
        subject=short(change.target),
        what=f"cannot change {change.field} {_value(change.before)} -> {_value(change.after)}",
        why=change.error,
    )


def would_line(change: ChangeReport, report: ReportEntry) -> Item:
    """While observing."""
    return _line(
        ItemKind.WOULD,
        report,
        subject=short(change.target),
        what=f"would have changed {change.field} {_value(change.before)} -> {_value(change.after)}",
        why=change.reason,
    )


def notified_line(change: ChangeReport, report: ReportEntry) -> Item:
    """A rung of a budget is passed."""
    return _line(ItemKind.NOTIFIED, report, subject=short(change.target), what=change.reason)


def job_line(job: JobEntry, at: datetime) -> Item:
    """A container job has failed."""
    return Item(
        kind=ItemKind.FAILED, at=at, automation=job.name, subject=job.name, what="failed", why=presentable(job.why)
    )


def short(name: str) -> str:
    """The last part of a resource's full name."""
    return name.rstrip("/").rpartition("/")[2] or name


def _value(value: str) -> str:
    return value or "none"


def _line(
    kind: ItemKind,
    report: ReportEntry,
    *,
    subject: str,
    what: str,
    why: str = "",
    over: str = "",
    at: datetime | None = None,
) -> Item:
    return Item(
        kind=kind,
        at=at or report.at,
        automation=report.automation,
        subject=presentable(subject),
        what=presentable(what),
        why=presentable(why),
        over=presentable(over),
        message_id=report.message_id,
    )


class StateChanged(Message, frozen=True):
    """Why a message is posted."""

    count: int

    def __str__(self) -> str:
        return "1 change of state" if self.count == 1 else f"{self.count} changes of state"


class TooLate(Message, frozen=True):
    """Lines that are not posted, as they are a day old."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} {'line' if self.count == 1 else 'lines'} not posted: older than a day"


class StatusLine(Message, frozen=True):
    """The answer to `status`."""

    posted: int
    pending: int

    def __str__(self) -> str:
        return f"the room shows {self.posted} current states; {self.pending} lines are not posted yet"
