"""What a person is told of a run, in lines."""

from collections.abc import Iterable

from shared.report import ChangeReport, Report


def report_lines(report: Report) -> Iterable[str]:
    """A report, for somebody who reads: what came of the run, and whatever it has to say."""
    yield f"{report.outcome:<10} {report.automation} on {report.event}" + (f": {report.why}" if report.why else "")
    for change in report.changes:
        yield f"  {change.outcome:<8} {_change(change)}"
    for unreadable in report.unreadable:
        yield f"  failed   {unreadable}"
    for refusal in report.refusals:
        yield f"  refused  {refusal.scope}: {refusal.reason} [{refusal.guard}]"
    for alert in report.alerts:
        yield f"  ALERT    {alert.kind} {alert.subject}: {alert.reason}"
    for label, lines in (
        ("waiting", report.waiting),
        ("notice", report.notices),
        ("status", report.status),
        ("next", report.next),
    ):
        for line in lines:
            yield f"  {label:<8} {line}"


def _change(change: ChangeReport) -> str:
    what = f"{change.field} {change.before} -> {change.after or 'none'}" if change.before else change.after
    name = change.target.rpartition("/")[2]
    why = f"  because {change.reason}" if change.reason else ""
    return f"{change.kind} {name}: {what}{why}" + (f"  ({change.error})" if change.error else "")
