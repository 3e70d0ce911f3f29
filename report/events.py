"""The events of the month: the moments of each run as one event, the newest first. Pure."""

from collections.abc import Iterable, Iterator

from report.holdings import is_hold
from report.picture import Event
from report.sources import JobRun, Sources
from report.words import MINOR, change_words, command, listed, money, name_words, sentence_words, source_of
from shared.debts import Debt, DebtState
from shared.moments import AlertBegan, AlertEnded, AnyMoment, Changed, Commanded, Owed, Paid
from shared.report import ChangeReport, Outcome

MOST_ITEMS = 12
MOST_NAMED = 4
ROUTINE_KINDS = frozenset({"RecordSaving", "Resize", "SetAutoscaling", "DeleteBackups"})
"""Kinds of changes that follow from hours and rules, day by day."""


def events_of(sources: Sources) -> tuple[Event, ...]:
    """Every event of the month."""
    runs: dict[tuple[str, str], list[AnyMoment]] = {}
    for moment in sources.moments:
        runs.setdefault((moment.automation, moment.message_id), []).append(moment)
    events = [event for run in runs.values() for event in _events_of_run(run, sources)]
    events += [_job_event(job, sources) for job in sources.jobs if sources.month.has(job.at)]
    return tuple(sorted(events, key=lambda event: event.at, reverse=True))


def _events_of_run(run: list[AnyMoment], sources: Sources) -> Iterator[Event]:
    """A command and what it led to; changes that belong together; alerts; what people changed by hand."""
    source = source_of(run[0].automation)
    commands = [one for one in run if isinstance(one, Commanded)]
    changes = [one for one in run if isinstance(one, Changed)]
    if commands or changes:
        yield _changes(source, commands, changes, run, sources)
    for moment in run:
        match moment:
            case AlertBegan(title=title, subject=subject, reason=reason, at=at):
                what = f"{sources.name_of(subject)}: {name_words(title)}"
                why = sentence_words(sources.text(reason)) + _end_of(moment, sources)
                yield Event(at=at, source=source, title=what, why=why, needs_attention=True)
            case Owed(debt=debt, at=at) if debt.state is DebtState.BY_HAND:
                title = f"{sources.name_of(debt.resource)} changed by a person to {name_words(debt.by_hand or 'none')}"
                yield Event(at=at, source=source, title=title, why="left alone while the cap holds")


def _end_of(began: AlertBegan, sources: Sources) -> str:
    """That an alert is over, and since when."""
    ends = [
        one.at
        for one in sources.moments
        if isinstance(one, AlertEnded) and (one.alert, one.subject) == (began.alert, began.subject)
    ]
    later = [end for end in ends if end >= began.at]
    return f" Over since {min(later).astimezone(sources.zone):%-d %b, %H:%M}." if later else ""


def _changes(
    source: str, commands: list[Commanded], changes: list[Changed], run: list[AnyMoment], sources: Sources
) -> Event:
    found = [one.change for one in changes if one.change.kind not in MINOR] or [one.change for one in changes]
    failed = [one for one in found if one.outcome is Outcome.FAILED]
    items = [sources.text(change_words(one, sources.name_of(one.target))) for one in found]
    saved = sum(one.saved for one in found if one.outcome is Outcome.APPLIED)
    currency = next((one.currency for one in found if one.currency), "")
    is_plan = any(one.outcome is Outcome.OBSERVED for one in found)
    title, by = f"{'Would be: ' if is_plan else ''}{_title(items)}", ""
    if commands:
        said = " ".join([command(commands[0].command), *(f"{value}" for value in commands[0].arguments.values())])
        title, by = f"Command: {sources.text(said)}", name_words(commands[0].sent_by)
    elif saved and len(found) > 1:
        title += f", {money(saved, currency)} saved"
    why = sources.text(next((one.reason for one in found if one.reason), ""))
    errors = tuple(sources.text(f"{sources.name_of(one.target)}: {one.error}") for one in failed if one.error)
    listing = (*items, *errors) if len(items) > 1 or commands or errors else ()
    return Event(
        at=run[0].at,
        source=source,
        title=title,
        why=why,
        items=_bounded(listing),
        undo=_undo_of(run),
        by=by,
        needs_attention=any(one.is_money for one in failed),
        is_routine=not commands and not is_plan and _is_routine(found, run),
    )


def _title(items: list[str]) -> str:
    named = items[:MOST_NAMED]
    more = [f"{len(items) - MOST_NAMED} more"] if len(items) > MOST_NAMED else []
    return listed([*named, *more])


def _bounded(items: Iterable[str]) -> tuple[str, ...]:
    every = tuple(items)
    more = (f"... and {len(every) - MOST_ITEMS} more",) if len(every) > MOST_ITEMS else ()
    return every[:MOST_ITEMS] + more


def _undo_of(run: Iterable[AnyMoment]) -> str:
    """The command that takes back what a run has begun to hold."""
    began = [one.debt.undo for one in run if isinstance(one, Owed) and _has_begun(one.debt)]
    return began[0] if began else ""


def _has_begun(debt: Debt) -> bool:
    return is_hold(debt) and debt.state is DebtState.INTENDED


def _is_routine(changes: Iterable[ChangeReport], run: Iterable[AnyMoment]) -> bool:
    """Whether a run did what hours and rules ask for, and nothing that a budget or a person wanted."""
    is_by_budget = any(isinstance(one, Owed | Paid) and any("@" in by for by in one.debt.held_by) for one in run)
    return not is_by_budget and all(
        one.kind in ROUTINE_KINDS | MINOR and one.outcome is not Outcome.FAILED for one in changes
    )


def _job_event(job: JobRun, sources: Sources) -> Event:
    done = "failed" if job.has_failed else "done"
    return Event(
        at=job.at,
        source="Jobs",
        title=f"{job.job.replace('_', ' ')}: {done}",
        why=sources.text(job.why),
        needs_attention=job.has_failed,
        is_routine=not job.has_failed,
    )
