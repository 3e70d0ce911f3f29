"""Reports and times for a person, as text; and values for a program, as JSON."""

import sys
from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared.report import ChangeReport, Report


def local_time(moment: datetime) -> str:
    """A time to the minute in the zone of this machine, as ``--until`` takes it: ``2026-11-28 10:00 CET``."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def print_json(value: object) -> None:
    """One JSON document on standard output, for ``--json``."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_to_stderr(line: str) -> None:
    """A line for a person beside a JSON document."""
    sys.stderr.write(f"{line}\n")


def report_lines(report: Report) -> Iterable[str]:
    """A report for a person: the outcome of the run, and its details."""
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
