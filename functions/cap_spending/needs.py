"""The reads that `cap_spending` needs: none, if nothing has changed since its last decision was carried out. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from functions.cap_spending.commands import Arm, Lift, RemoveSpendCaps, Status
from functions.cap_spending.folding import fold_notification
from functions.cap_spending.ladder import ActiveRung, active_rungs, is_let_go_by_command
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.records import Context, Records
from functions.cap_spending.settings import (
    Action,
    BillingScope,
    Budget,
    CapsScope,
    CloudRunScope,
    SchedulesScope,
    Scope,
)
from functions.cap_spending.world import (
    KINDS,
    AmountOf,
    BillingOf,
    BudgetAmount,
    CapOf,
    CapSpendingNeed,
    JobsIn,
    Place,
    ProjectBilling,
    ResourceKind,
    ServicesIn,
    WorkerPoolsIn,
    kind_of,
    need_of,
    project_around,
)
from shared.events import RerunRequested, Tick
from shared.holds import Hold, Phase
from shared.world import World


def needs(context: Context, world: World) -> Iterator[CapSpendingNeed]:
    """Changed and unconfirmed actions; on a tick also everything in force, with its budgets.

    An amount that was lowered may put further rungs in force, so budgets come first. What is in a project that we hold
    detached cannot be read, so the billing of such projects comes before what is in them.
    """
    yield from _amounts(context)
    context = msgspec.structs.replace(context, records=with_readings(context, world))
    places = list(dict.fromkeys(_places(context)))
    holds = context.records.holds
    held = {project_around(place.parent) for place in places if not isinstance(place, BillingOf)} & holds.keys()
    asked_first = [BillingOf(project) for project in sorted(held)]
    yield from asked_first
    out_of_reach = closed_projects(context, world) | {one.parent for one in asked_first if one not in world.answers}
    for place in places:
        if isinstance(place, BillingOf) or project_around(place.parent) not in out_of_reach:
            yield place


def amount_of(budget: Budget) -> AmountOf:
    """The question after a budget's present amount."""
    return AmountOf(f"billingAccounts/{budget.billing_account}/budgets/{budget.id}", budget.currency)


def with_readings(context: Context, world: World) -> Records:
    """The records with the amounts that were read: as good as notifications that say so.

    A forecast that was past a threshold of a larger amount is past it at the smaller one too.
    """
    records = context.records
    for key, budget in context.settings.budgets.items():
        known, read = records.budgets.get(key), world.get(amount_of(budget))
        if known and isinstance(read, BudgetAmount) and read.amount and known.newest.amount != read.amount:
            current = known.current
            forecast = current.forecast if read.amount < current.amount else None
            said = BudgetNotification(key, current.interval_start, current.highest_cost, read.amount, forecast)
            records = fold_notification(records, said, context.now, "read", context.settings)
    return records


def closed_projects(context: Context, world: World) -> frozenset[str]:
    """The full names of those projects that we hold and that are linked to no account now."""
    found = ((need.parent, seen) for need, seen in world.answers.items() if isinstance(need, BillingOf))
    return frozenset(
        name
        for name, seen in found
        if name in context.records.holds and isinstance(seen, ProjectBilling) and not seen.account
    )


def is_linked_by_command(name: str, hold: Hold, records: Records) -> bool:
    """Whether this is a project that we detached, and a command has asked since to link it again."""
    if kind_of(name) is not ResourceKind.PROJECTS:
        return False
    linked = records.linked.get(name.removeprefix("projects/"))
    if linked and linked >= hold.since:
        return True
    rungs = [held_by.split("/") for held_by in hold.held_by]
    return all(is_let_go_by_command(records, budget, rung, hold.since) for budget, rung in rungs)


def wanted_keys(rungs: Iterable[ActiveRung]) -> set[str]:
    """By budget, rung and action, what should be in force."""
    return {rung.key(action) for rung in rungs for action in rung.rung.do}


def action_of(key: str) -> Action:
    """The action of such a key."""
    return Action(key.rpartition("/")[2])


def places_of(scope: Scope | None) -> Iterator[Place]:
    """The questions whose answers have everything that an action may touch."""
    match scope:
        case CloudRunScope():
            parents = [f"projects/{one}/locations/{at}" for one in scope.projects for at in scope.regions]
            yield from map(ServicesIn, parents if scope.services or scope.label else ())
            yield from map(WorkerPoolsIn, parents if scope.worker_pools else ())
        case SchedulesScope(projects=projects, locations=locations):
            yield from (JobsIn(f"projects/{one}/locations/{at}") for one in projects for at in locations)
        case BillingScope(projects=projects):
            yield from (BillingOf(f"projects/{one}") for one in projects)
        case CapsScope(names=names):
            yield from map(CapOf, names)


def _amounts(context: Context) -> Iterator[AmountOf]:
    """While something is in force, raising its budget lets go without waiting for the next notification."""
    if isinstance(context.event.event, Tick | RerunRequested):
        rungs = active_rungs(context.records, context.settings, context.now)
        budgets = {key.split("/")[0] for key in _restraining(rungs, context.records)}
        yield from (amount_of(budget) for key, budget in context.settings.budgets.items() if key in budgets)


def _places(context: Context) -> Iterator[Place]:
    rungs = active_rungs(context.records, context.settings, context.now)
    keys = wanted_keys(rungs) ^ context.records.in_force.keys()
    if isinstance(context.event.event, Tick | RerunRequested):
        keys |= _restraining(rungs, context.records)
    for key in sorted(keys):
        name, _, action = key.rpartition("/")
        budget = context.settings.budgets.get(name.split("/")[0])
        if budget:
            yield from places_of(budget.scope_of(Action(action)))
    names = {key.rpartition("/")[0] for key in keys if action_of(key) in KINDS}
    active = {rung.name for rung in rungs}
    holds = context.records.holds
    for name, hold in holds.items():
        if not names.isdisjoint(hold.held_by) or _is_due(name, hold, active, context.records):
            yield need_of(name)
    yield from _kept_caps(context)


def _kept_caps(context: Context) -> Iterator[CapOf]:
    """The spend caps that are kept or waited for, whenever there is time to look, or a command is for them."""
    if isinstance(context.event.event, Tick | RerunRequested | Lift | Arm | RemoveSpendCaps | Status):
        kept = {cap.name for cap in context.settings.spend_caps.values()} | context.records.spend_caps.keys()
        yield from map(CapOf, sorted(kept | set(context.restrictions.cloud_run_paused.values())))


def _is_due(name: str, hold: Hold, active: set[str], records: Records) -> bool:
    """Whether a hold is not yet confirmed, or no active rung asks for it any more."""
    if kind_of(name) is ResourceKind.PROJECTS:
        return hold.phase is Phase.INTENDED or is_linked_by_command(name, hold, records)
    if hold.phase is Phase.INTENDED and project_around(name) not in records.holds:
        return True
    return active.isdisjoint(hold.held_by)


def _restraining(rungs: Iterable[ActiveRung], records: Records) -> set[str]:
    """The actions that are or should be in force, except notifications."""
    return {key for key in wanted_keys(rungs) | records.in_force.keys() if action_of(key) is not Action.NOTIFY}
