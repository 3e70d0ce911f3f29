"""The output of a simulation: its basis, the timeline, one table, and what would hurt. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.clock import format_time
from simulate.exports import signals_of
from simulate.figures import FEW_DAYS, WELL_KNOWN, WORST, Coverage, Figures
from simulate.playing import Assumptions, Played, Step
from simulate.recording import MINUTE, Period

HEADS = (
    *("policy", "pool", "on h", "saved", "of best", "starts/d", "met zero", "mean wait", "longest"),
    *("killed", "no data h", "alerts"),
)


def basis_lines(
    coverage: Sequence[Coverage], period: Period, assumptions: Assumptions | None, not_simulated: Sequence[str]
) -> Iterator[str]:
    """The basis of the result, its weak points first. Without pools nothing is assumed of any."""
    days = period.minutes / 1440
    if days < FEW_DAYS:
        yield f"! Only {days:.1f} days are recorded: the answer may be an accident of these days."
    yield from (f"! {one}" for one in coverage if one.share < WELL_KNOWN or one.is_partial)
    yield f"From {format_time(period.start)} to {format_time(period.end)}: {days:.1f} days."
    yield from (str(one) for one in coverage if one.share >= WELL_KNOWN and not one.is_partial)
    if assumptions:
        first, last = assumptions.start_minutes
        yield (
            f"Assumed: nodes take {first} to {last} minutes, Monitoring shows a value after {assumptions.seen_after}, "
            "each pool is on at first, and work that is killed starts over."
        )
    yield f"Not simulated: {', '.join(not_simulated)}."


def timeline_lines(played: Played) -> Iterator[str]:
    """The timeline: a line for each tick that changed something, and for each alert when it begins."""
    before: frozenset[str] = frozenset()
    for step in played.steps:
        for change in step.changes:
            yield f"  {_local(step.at)} {played.key}: {change}"
        kinds = frozenset(alert.partition(":")[0] for alert in step.alerts)
        yield from (
            f"  {_local(step.at)} {played.key}: alert {alert}"
            for alert in step.alerts
            if alert.partition(":")[0] not in before
        )
        before = kinds
    if killed := played.model.figures.killed:
        yield f"  {len(killed)} of these changes ended work that was going on."


def table_lines(rows: Sequence[Figures], currency: str) -> Iterator[str]:
    """One row for each policy and pool."""
    cells = [HEADS, *(_cells(row, currency) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADS))]
    for row in cells:
        yield "  " + "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )


def hurting_lines(played: Played, coverage: Sequence[Coverage], period: Period) -> Iterator[str]:
    """The longest waits, each zero under work, and signals and settings that cannot do what they are there for."""
    work = played.model.figures
    for at, wait in sorted(played.model.waits, key=lambda one: -one[1])[:WORST]:
        waits = f"waits {wait} minutes for nodes" if at + wait < period.minutes else "still waits for nodes at the end"
        yield f"{played.key}: work of {_local(period.start + at * MINUTE)} {waits}"
    for at in work.killed:
        yield f"{played.key}: {_local(period.start + at * MINUTE)} to zero while work is going on, which starts over"
    if played.model.unfinished:
        yield f"{played.key}: {played.model.unfinished} minutes of work are not done by the end"
    pool = played.settings.pools[played.key]
    names = {str(signal) for signal in signals_of(pool)}
    for one in coverage:
        if one.is_unusable and one.signal in names:
            yield f"{played.key}: {one.signal} has no data, so it never says idle, and wakes nothing"
    if pool.wake and pool.hours and pool.idle is None:
        yield (
            f"{played.key}: it has `wake` and `hours` but no `idle`: out of hours it goes to zero as soon as nothing "
            "waits, even if work is being done"
        )


def step_line(policy: str, played: Played, step: Step) -> dict[str, object]:
    """A step as one line of JSON."""
    return {
        "policy": policy,
        "pool": played.key,
        "at": step.at.isoformat(),
        "changes": step.changes,
        "alerts": step.alerts,
        "notices": step.notices,
    }


def _cells(row: Figures, currency: str) -> tuple[str, ...]:
    saved = f"{1 - row.node_hours_on / row.node_hours_always:.0%}"
    if row.saved is not None:
        saved += f" {row.saved:.2f} {currency}".rstrip()
    met = f"{row.met_zero} of {row.jobs}"
    return (
        row.policy,
        row.pool,
        f"{row.node_hours_on:.0f} of {row.node_hours_always:.0f}",
        saved,
        "" if row.clairvoyant_share is None else f"{row.clairvoyant_share:.0%}",
        f"{row.starts_a_day:.1f}",
        met,
        f"{row.mean_wait:.0f} min",
        str(timedelta(minutes=row.longest_wait))[:-3],
        str(row.killed),
        f"{row.hours_without_data:.0f}",
        str(row.alerts),
    )


def _local(moment: datetime) -> str:
    return f"{moment:%a %d %b %H:%M}"
