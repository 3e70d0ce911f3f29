"""The report of a run: one structured line that says what woke it, what was decided and why, and what came of it.

Cloud Logging reads ``severity`` and ``message``; log-based metrics and alert policies read the rest.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.debts import Debt
from shared.decision import Alert, Change, Decision, LogLine, Message, Next, Refusal
from shared.errors import presentable
from shared.settings import Mode
from shared.world import Unreadable

MOST_CHANGES = 70
"""The number of changes that one report lists in full: Cloud Logging takes no line of more than 256 KiB."""
MOST_LINES = 100
"""The number of notices, operations in flight, and so on, for the same reason."""
MOST_PROBLEMS = 30
"""The number of alerts, of refusals, and of reads that failed."""
MORE_ALERTS = "more_alerts"
NOT_LISTED = "not listed here"


class Outcome(StrEnum):
    """The outcome of a run, or of one of its changes."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    OBSERVED = "observed"
    WAITING = "waiting"
    REFUSED = "refused"
    IGNORED = "ignored"
    FAILED = "failed"


class Severity(StrEnum):
    """Cloud Logging's severities, as far as the suite uses them."""

    INFO = "INFO"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class ChangeReport(msgspec.Struct, frozen=True):
    """One planned change with its reason and what came of it."""

    kind: str
    target: str
    field: str
    before: str
    after: str
    reason: str
    outcome: Outcome
    error: str = ""
    is_money: bool = False
    count: int = 1
    """The number of things it changes, where one change is a batch of many."""
    saved: float = 0.0
    currency: str = ""
    follows: tuple[str, ...] = ()
    """While observing: what this and other automations would do once it is made."""


class Upcoming(msgspec.Struct, frozen=True):
    """A next step, its subject, and its time where that is known."""

    subject: str
    what: str
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.what}" if self.subject else self.what


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    automation: str
    mode: Mode
    at: datetime
    event: str
    message_id: str
    outcome: Outcome
    sent_by: str = ""
    """Of a command: who sent it, as the sender says. Cloud Audit Logs has the proof."""
    plan: str = ""
    """Of a command that was only planned: the checksum by which just this plan can be carried out."""
    why: str = ""
    """Why the message was ignored, or what failed, in words."""
    changes: tuple[ChangeReport, ...] = ()
    """The first `MOST_CHANGES` of them, failures before all others."""
    counts: dict[Outcome, int] = {}
    """The number of changes by outcome: all of them, and everything in a batch."""
    failed_money: int = 0
    """The number of failed changes that matter to the bill."""
    saved: float = 0.0
    """The savings that the applied changes recorded, in `currency`."""
    currency: str = ""
    unreadable: tuple[Unreadable, ...] = ()
    """The reads that failed, and so blocked what needs them."""
    refusals: tuple[Refusal, ...] = ()
    alerts: tuple[Alert, ...] = ()
    waiting: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()
    held: tuple[Debt, ...] = ()
    """The debts at the end of the run."""
    status: tuple[str, ...] = ()
    """The answer to a command: the current state, or the outcome of the command."""
    table: tuple[str, ...] = ()
    """While observing: the whole decision, line by line."""
    plan_changed: bool = False
    """While observing: whether this plan is another one than was last reported."""

    @property
    def next(self) -> tuple[str, ...]:
        """The next steps, in sentences."""
        return tuple(map(str, self.upcoming))


def change_report(change: Change, outcome: Outcome, error: str = "") -> ChangeReport:
    """One change as it appears in a report."""
    return ChangeReport(
        kind=change.kind,
        target=change.target,
        field=change.field,
        before=change.before,
        after=change.after,
        reason=str(change.reason),
        outcome=outcome,
        error=presentable(error),
        follows=tuple(map(str, change.follows)),
        is_money=change.is_money,
        count=change.count,
        saved=change.saving.amount if change.saving else 0.0,
        currency=change.saving.currency if change.saving else "",
    )


def with_changes(report: Report, changes: tuple[ChangeReport, ...]) -> Report:
    """The report with what came of all changes: every one counted, and as many listed as one line holds."""
    failures_first = sorted(changes, key=lambda change: change.outcome is not Outcome.FAILED)
    counts: Counter[Outcome] = Counter()
    for change in changes:
        counts[change.outcome] += change.count
    booked = [change for change in changes if change.outcome is Outcome.APPLIED and change.currency]
    return msgspec.structs.replace(
        report,
        changes=tuple(failures_first[:MOST_CHANGES]),
        counts=dict(counts),
        failed_money=sum(change.outcome is Outcome.FAILED and change.is_money for change in changes),
        saved=round(sum(change.saved for change in booked), 4),
        currency=booked[0].currency if booked else "",
    )


def bounded(lines: Iterable[Message | str]) -> tuple[str, ...]:
    """As many lines as a report holds, in words, and how many more there are."""
    listed = tuple(lines)
    more = (f"... and {len(listed) - MOST_LINES} more",) if len(listed) > MOST_LINES else ()
    return (*map(str, listed[:MOST_LINES]), *more)


def bounded_alerts(alerts: tuple[Alert, ...], automation: str) -> tuple[Alert, ...]:
    """As many alerts as a report holds, of each kind at least the first, and how many more there are."""
    more = len(alerts) - MOST_PROBLEMS
    if more <= 0:
        return alerts
    first = {alert.kind: number for number, alert in reversed([*enumerate(alerts)])}.values()
    others = [number for number in range(len(alerts)) if number not in first]
    listed = sorted([*first, *others[: MOST_PROBLEMS - len(first)]])
    return (*(alerts[number] for number in listed), Alert(MORE_ALERTS, automation, f"{more} more, {NOT_LISTED}"))


def bounded_refusals(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """As many refusals as a report holds, and how many more there are."""
    more = len(refusals) - MOST_PROBLEMS
    return (*refusals[:MOST_PROBLEMS], *([Refusal(f"{more} more", "", NOT_LISTED)] if more > 0 else []))


def bounded_unreadable(unreadable: tuple[Unreadable, ...]) -> tuple[Unreadable, ...]:
    """As many failed reads as a report holds, and how many more there are."""
    more = len(unreadable) - MOST_PROBLEMS
    return (*unreadable[:MOST_PROBLEMS], *([Unreadable("needs", f"{more} more", NOT_LISTED)] if more > 0 else []))


def upcoming(following: Iterable[Next]) -> tuple[Upcoming, ...]:
    """The next steps, as many as a report holds."""
    found = [Upcoming(one.subject, str(one.what), one.at) for one in following]
    more = [Upcoming("", f"... and {len(found) - MOST_LINES} more")] if len(found) > MOST_LINES else []
    return (*found[:MOST_LINES], *more)


def overall(
    decision: Decision[object, Change], changes: tuple[ChangeReport, ...], unreadable: tuple[Unreadable, ...] = ()
) -> Outcome:
    """The one word for a run: the worst of what came of it, or else the most that came of it."""
    outcomes = {change.outcome for change in changes}
    if Outcome.FAILED in outcomes or unreadable:
        return Outcome.FAILED
    if decision.refusals or Outcome.REFUSED in outcomes:
        return Outcome.REFUSED
    for outcome in (Outcome.WAITING, Outcome.APPLIED, Outcome.OBSERVED):
        if outcome in outcomes:
            return outcome
    return Outcome.WAITING if decision.waiting else Outcome.UNCHANGED


_SEVERITIES = {
    Outcome.APPLIED: Severity.NOTICE,
    Outcome.UNCHANGED: Severity.INFO,
    Outcome.OBSERVED: Severity.INFO,
    Outcome.WAITING: Severity.INFO,
    Outcome.REFUSED: Severity.WARNING,
    Outcome.IGNORED: Severity.WARNING,
    Outcome.FAILED: Severity.ERROR,
}


def severity(report: Report) -> Severity:
    """The severity of a report. An alert is an error; a plan that has changed while observing is worth a notice."""
    if report.alerts:
        return Severity.ERROR
    return Severity.NOTICE if report.plan_changed else _SEVERITIES[report.outcome]


def sentence(report: Report) -> str:
    """A report for someone who reads one line."""
    counts = [f"{count} {outcome}" for outcome, count in sorted(report.counts.items())]
    refused = f"more than {MOST_PROBLEMS}" if len(report.refusals) > MOST_PROBLEMS else str(len(report.refusals))
    counts += [f"{refused} refused"] if report.refusals else []
    counts += [f"{alert.kind}: {alert.subject}" for alert in report.alerts[:3]]
    counts += [f"waiting for {len(report.waiting)}"] if report.waiting else []
    counts += [str(unreadable) for unreadable in report.unreadable[:3]]
    details = "; ".join([*counts, report.why] if report.why else counts)
    return f"{report.automation}: {report.event}: {report.outcome}" + (f" ({details})" if details else "")


def write_log(severity: Severity, message: str, **fields: object) -> None:
    """Write one structured line for Cloud Logging, whose agent reads standard output as JSON lines."""
    line = msgspec.json.encode({"severity": severity, "message": message, **fields})
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


def write_line(line: LogLine) -> None:
    """Write a structured line that is not a report."""
    write_log(Severity(line.severity), line.message, **line.fields)


def write_report(report: Report) -> None:
    """Write the report's line to the log."""
    write_log(severity(report), sentence(report), report=report)
