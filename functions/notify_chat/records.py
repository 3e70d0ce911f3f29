"""The records of `notify_chat`: the newest state of each automation, the state that was posted, and single events.

A state (an alert, something held) is compared with the posted one, so lost, late, duplicated and reordered reports
change only when it is posted. An event (a failure, a rung) is posted once a day.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec

from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.log_entry import JobEntry, ReportEntry
from functions.notify_chat.messages import (
    alert_line,
    debt_line,
    failed_line,
    job_line,
    notified_line,
    over_line,
    would_line,
)
from functions.notify_chat.parse import Event, JobEnded, Reported
from functions.notify_chat.settings import Settings
from shared import automation
from shared.events import Dated
from shared.report import ChangeReport, Outcome

KEPT = timedelta(days=2)
"""Posted events are remembered for this long: a report may be delivered again for a day."""


Context = automation.RunContext[Settings, Event, "Records"]


class State(msgspec.Struct, frozen=True):
    """The current states in an automation's newest report."""

    at: datetime
    items: dict[str, Item] = {}
    """By a key that names the alert, or the resource and field that is held."""


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/notify_chat`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset(("posted", "at"))

    states: dict[str, State] = {}
    """By automation."""
    posted: dict[str, Item] = {}
    """By key, the states that were posted."""
    events: dict[str, Item] = {}
    """By key, the events that are not posted yet."""
    posted_events: dict[str, datetime] = {}
    """By key, when it happened."""


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with a report: of two of one automation the newer one says what is so, in any order of arrival."""
    del settings
    match event.event:
        case Reported(report):
            known = records.states.get(report.automation)
            state = State(report.at.astimezone(UTC), _by_key(_states(report)))
            is_newer = known is None or (state.at, msgspec.json.encode(state)) > (known.at, msgspec.json.encode(known))
            states = records.states | {report.automation: state} if is_newer else records.states
            events = dict(_events(report))
        case JobEnded(job, at):
            states, events = records.states, dict(_job_events(job, at))
        case _:
            return records
    known_events = dict(records.events)
    for key, item in events.items():
        if key not in records.posted_events:
            known_events[key] = min(item, known_events.get(key, item), key=msgspec.json.encode)
    return msgspec.structs.replace(
        records, states=dict(sorted(states.items())), events=dict(sorted(known_events.items()))
    )


def after_posting(records: Records, items: Mapping[str, Item]) -> Records:
    """The records once these, by their keys, are posted."""
    posted = {key: item for key, item in records.posted.items() if key not in items or items[key].kind in BEGINNINGS}
    posted |= {key: item for key, item in items.items() if item.kind in BEGINNINGS}
    happened = {key: item.at for key, item in items.items() if key in records.events}
    return msgspec.structs.replace(
        records,
        posted=dict(sorted(posted.items())),
        events={key: item for key, item in records.events.items() if key not in items},
        posted_events=dict(sorted((records.posted_events | happened).items())),
    )


def without_old(records: Records, now: datetime) -> Records:
    """The records without events that can no longer be delivered again."""
    kept = {key: at for key, at in records.posted_events.items() if now - at < KEPT}
    return records if kept == records.posted_events else msgspec.structs.replace(records, posted_events=kept)


BEGINNINGS = frozenset((ItemKind.ALERT, ItemKind.HELD))
"""Kinds of what stays so until it is over."""


def changes_of_state(records: Records) -> Iterator[tuple[str, Item]]:
    """By key, the states that are not posted yet, and the posted ones that are over."""
    wanted = {key: item for state in records.states.values() for key, item in state.items.items()}
    for key, item in wanted.items():
        if key not in records.posted:
            yield key, item
    for key, item in records.posted.items():
        state = records.states.get(item.automation)
        if key not in wanted and state:
            yield key, msgspec.structs.replace(over_line(item), at=state.at)


def _by_key(states: Iterable[tuple[str, Item]]) -> dict[str, Item]:
    """The states in order of their keys. Of two alerts on one budget, say, the second is numbered."""
    found: dict[str, Item] = {}
    numbers: Counter[str] = Counter()
    for key, item in states:
        numbers[key] += 1
        found[key if numbers[key] == 1 else f"{key}/{numbers[key]}"] = item
    return dict(sorted(found.items()))


def _states(report: ReportEntry) -> Iterator[tuple[str, Item]]:
    for alert in report.alerts:
        yield f"alert/{report.automation}/{alert.kind}/{alert.subject}", alert_line(alert, report)
    for debt in report.held:
        yield f"held/{report.automation}/{debt.resource}/{debt.field}", debt_line(debt, report)


def _events(report: ReportEntry) -> Iterator[tuple[str, Item]]:
    for change in report.changes:
        if item := _event(change, report):
            key = f"{report.automation}/{change.kind}/{change.target}/{change.field}/{change.after}"
            yield f"{item.kind}/{_day(report.at)}/{key}", item


def _event(change: ChangeReport, report: ReportEntry) -> Item | None:
    if change.outcome is Outcome.FAILED and change.is_money:
        return failed_line(change, report)
    if change.outcome is Outcome.OBSERVED and report.plan_changed:
        return would_line(change, report)
    if change.outcome is Outcome.APPLIED and change.kind == "Notify":
        return notified_line(change, report)
    return None


def _job_events(job: JobEntry, at: datetime) -> Iterable[tuple[str, Item]]:
    if job.outcome is Outcome.FAILED:
        yield f"failed/{_day(at)}/{job.name}", job_line(job, at)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
