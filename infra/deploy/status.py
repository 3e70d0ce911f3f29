"""The state of the suite, read with the caller's own credentials: what it remembers, and its latest reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from functions.cap_spending.records import Records as CapSpendingRecords
from functions.cap_spending.settings import Settings as CapSpending
from infra.deploy.logs import newest_report
from infra.deploy.rendering import local_time, report_lines
from infra.deploy.target import Target
from infra.suite.deployment import Suite
from infra.suite.loading import load_automation
from shared.automation import Records
from shared.debts import Debt
from shared.holds import Hold
from shared.lease import Lease, LeaseRecord
from shared.report import Report
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.settings import parse
from shared.state import State

LOOKS_BACK = timedelta(days=2)
"""For the latest report: an automation that has not run for so long has stopped."""


class BudgetStatus(msgspec.Struct, frozen=True):
    """The facts of a budget's newest notification."""

    budget: str
    """The owner's key."""
    cost: Decimal
    amount: Decimal
    currency: str
    period_start: datetime
    published: datetime

    def __str__(self) -> str:
        ratio = f" ({self.cost / self.amount:.0%})" if self.amount else ""
        return (
            f"{self.budget}: {self.cost:.2f} of {self.amount:.2f} {self.currency}{ratio}"
            f" since {local_time(self.period_start)}, reported {local_time(self.published)}"
        )


class AutomationStatus(msgspec.Struct, frozen=True):
    """One automation: what it holds, whether it is running, and its latest report."""

    name: str
    held: tuple[Debt, ...]
    """Its debts, with the commands that restore them."""
    running_until: datetime | None
    """The latest end of its lease, if a run holds it."""
    report: Report | None
    """None if it has not reported for two days."""


class SuiteStatus(msgspec.Struct, frozen=True):
    """The whole of it."""

    at: datetime
    restrictions: SpendingRestrictions
    budgets: tuple[BudgetStatus, ...]
    automations: tuple[AutomationStatus, ...]


def read_status(suite: Suite, target: Target, automations: Sequence[str], now: datetime) -> SuiteStatus:
    """Read it. Raises what the clients raise."""
    state = State(target.clients)
    (document,) = state.read(DOCUMENT)
    return SuiteStatus(
        at=now,
        restrictions=document.as_type(SpendingRestrictions),
        budgets=tuple(_budgets(suite, state)),
        automations=tuple(_automation(target, state, name, now) for name in automations),
    )


def status_lines(status: SuiteStatus) -> Iterable[str]:
    """Restrictions in force, budgets; then of each automation what it holds, and its latest report."""
    for name, why in status.restrictions.in_force.items():
        yield f"in force   {name} since {local_time(why.since)}: {', '.join(why.because)}"
    for project, cap in status.restrictions.cloud_run_paused.items():
        yield f"in force   Cloud Run is paused in {project}: {cap}"
    if not (status.restrictions.in_force or status.restrictions.cloud_run_paused):
        yield "in force   no spending restriction"
    for budget in status.budgets:
        yield f"budget     {budget}"
    for automation in status.automations:
        yield automation.name
        for line in _automation_lines(automation):
            yield f"  {line}"


def debts_of(state: State, automation: str) -> tuple[Debt, ...]:
    """The debts of an automation, in order of the resources' names."""
    (document,) = state.read(f"records/{automation}")
    records: Records = document.as_type(load_automation(automation).records)
    return tuple(sorted(records.debts(), key=lambda debt: debt.key))


def holds_of(state: State, automation: str) -> dict[str, Hold]:
    """The holds of an automation, by the resources' full names."""
    (document,) = state.read(f"records/{automation}")
    holds: dict[str, Hold] = getattr(document.as_type(load_automation(automation).records), "holds", {})
    return holds


def _budgets(suite: Suite, state: State) -> Iterable[BudgetStatus]:
    """The budgets of the settings that have notified."""
    if "cap_spending" not in suite.owner:
        return
    settings = parse(suite.owner, "cap_spending", CapSpending).section
    (document,) = state.read("records/cap_spending")
    known = document.as_type(CapSpendingRecords).budgets
    for key, budget in settings.budgets.items():
        if key in known:
            newest = known[key].newest
            yield BudgetStatus(
                key, newest.cost, newest.amount, budget.currency, newest.interval_start, newest.published
            )


def _automation(target: Target, state: State, name: str, now: datetime) -> AutomationStatus:
    (document,) = state.read(Lease.path(name))
    lease = document.as_type(LeaseRecord)
    return AutomationStatus(
        name=name,
        held=debts_of(state, name),
        running_until=lease.expires_at if lease.holder else None,
        report=newest_report(target, name, now - LOOKS_BACK),
    )


def _automation_lines(automation: AutomationStatus) -> Iterable[str]:
    for debt in automation.held:
        yield f"holds    {debt.resource}: {debt.field} {debt.original} -> {debt.applied or 'none'}, {debt.standing}"
    if automation.running_until:
        yield f"lease    a run is in progress, until {local_time(automation.running_until)} at the latest"
    if automation.report is None:
        yield f"no report for {LOOKS_BACK.days} days"
        return
    yield f"at {local_time(automation.report.at)}, mode {automation.report.mode}:"
    yield from report_lines(automation.report)
