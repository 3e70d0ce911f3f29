"""The answer of a run to a command, in the words of the page. Pure."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from report.words import change_words, name_words, sentence_words, text_words
from shared.report import ChangeReport, Outcome, Report


def answer_lines(report: Report, zone: ZoneInfo) -> tuple[str, ...]:
    """The changes, made or planned, with their reasons; then the obstacles and the next steps."""
    return tuple(text_words(line, zone) for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    if report.why:
        yield sentence_words(report.why)
    yield from report.status
    yield from map(_change, report.changes)
    yield from (f"{_name(one.resource)} cannot be read: {one.error}" for one in report.unreadable)
    yield from (f"{_name(one.scope)} is refused: {one.reason}" for one in report.refusals)
    yield from (f"{_name(one.subject)}: {one.title or one.kind}: {one.reason}" for one in report.alerts)
    yield from (f"Waiting: {line}" for line in report.waiting)
    yield from report.notices
    yield from (f"Next: {one}" for one in report.upcoming if "@" not in one.subject)  # the page has the rungs


def _change(change: ChangeReport) -> str:
    is_planned = change.outcome is Outcome.OBSERVED
    shown = msgspec.structs.replace(change, outcome=Outcome.APPLIED) if is_planned else change
    why = f", because {change.reason}" if change.reason else ""
    error = f" ({change.error})" if change.error else ""
    return f"{change_words(shown, _name(change.target))}{why}{error}"


def _name(resource: str) -> str:
    return name_words(resource.rpartition("/")[2])
