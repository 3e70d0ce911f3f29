"""Where things stand, read with the credentials of whoever asks: what the suite remembers, and its latest reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from infra.deploy.logs import newest_report
from infra.deploy.rendering import report_lines
from infra.deploy.target import Target
from infra.suite.loading import load_automation
from shared.clock import format_time
from shared.holds import Hold
from shared.lease import Lease, LeaseRecord
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.state import State

LOOKS_BACK = timedelta(days=2)
"""For the latest report: an automation that has not run for so long has stopped."""


def status_lines(target: Target, automations: Sequence[str], now: datetime) -> Iterable[str]:
    """Restrictions in force; then of each automation what it holds, and its latest report."""
    state = State(target.clients)
    (document,) = state.read(DOCUMENT)
    restrictions = document.as_type(SpendingRestrictions)
    for name, why in restrictions.in_force.items():
        yield f"in force   {name} since {format_time(why.since)}: {', '.join(why.because)}"
    if not restrictions.in_force:
        yield "in force   no spending restriction"
    for automation in automations:
        yield f"{automation}"
        for line in (*_held(state, automation), *_latest(target, automation, now)):
            yield f"  {line}"


def holds_of(state: State, automation: str) -> dict[str, Hold]:
    """What an automation holds, by the resources' full names: what it has changed and would put back."""
    (document,) = state.read(f"records/{automation}")
    holds: dict[str, Hold] = getattr(document.as_type(load_automation(automation).records), "holds", {})
    return holds


def _held(state: State, automation: str) -> Iterable[str]:
    for name, hold in sorted(holds_of(state, automation).items()):
        for field, held in hold.fields.items():
            yield f"holds    {name}: {field} {held.original} -> {held.applied}, {hold.phase}"
    (lease,) = state.read(Lease.path(automation))
    record = lease.as_type(LeaseRecord)
    if record.holder:
        yield f"lease    a run is at work, until {record.expires_at:%H:%M:%S} UTC at most"


def _latest(target: Target, automation: str, now: datetime) -> Iterable[str]:
    report = newest_report(target, automation, now - LOOKS_BACK)
    if report is None:
        yield f"has not reported for {LOOKS_BACK.days} days"
        return
    yield f"at {format_time(report.at)}, mode {report.mode}:"
    yield from report_lines(report)
