"""The messages of `notify_chat`: the lines that it posts, and those of its own reports."""

from datetime import datetime

import msgspec

from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.log_entry import AlertEntry, ChangeEntry, DebtEntry, JobEntry, ReportEntry
from shared.decision import Message
from shared.errors import presentable


def alert_line(alert: AlertEntry, report: ReportEntry) -> Item:
    """Something needs a person."""
    return _line(
        ItemKind.ALERT,
        report,
        subject=alert.subject,
        what=alert.title or alert.kind.replace("_", " "),
        why=alert.reason,
        at=alert.since or report.at,
    )


def after_alert(item: Item) -> Item:
    """It is over."""
    return msgspec.structs.replace(item, kind=ItemKind.ALERT_OVER, what=f"over: {item.what}", why="")


def debt_line(debt: DebtEntry, report: ReportEntry) -> Item:
    """Something was changed that will be restored."""
    return _line(
        ItemKind.HELD,
        report,
        subject=short(debt.resource),
        what=f"{debt.field} {_value(debt.original)} -> {_value(debt.applied)}",
        why=debt.reason,
        undo=debt.undo,
        at=debt.since,
    )


def restored_line(item: Item) -> Item:
    """It is no longer held."""
    field, _, values = item.what.partition(" ")
    original = values.partition(" -> ")[0]
    return msgspec.structs.replace(
        item, kind=ItemKind.RESTORED, what=f"no longer held; {field} was {original}", why="", undo=""
    )


def failed_line(change: ChangeEntry, report: ReportEntry) -> Item:
    """A change that matters to the bill has failed; it is tried again."""
    return _line(
        ItemKind.FAILED,
        report,
        subject=short(change.target),
        what=f"cannot change {change.field} {_value(change.before)} -> {_value(change.after)}",
        why=change.error,
    )


def would_line(change: ChangeEntry, report: ReportEntry) -> Item:
    """While observing."""
    return _line(
        ItemKind.WOULD,
        report,
        subject=short(change.target),
        what=f"would have changed {change.field} {_value(change.before)} -> {_value(change.after)}",
        why=change.reason,
    )


def notified_line(change: ChangeEntry, report: ReportEntry) -> Item:
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
    undo: str = "",
    at: datetime | None = None,
) -> Item:
    return Item(
        kind=kind,
        at=at or report.at,
        automation=report.automation,
        subject=presentable(subject),
        what=presentable(what),
        why=presentable(why),
        undo=undo,
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
