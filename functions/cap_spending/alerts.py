"""Alerts on budgets and on what they hold. Pure."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta

from functions.cap_spending.ladder import ActiveRung
from functions.cap_spending.needs import amount_of, places_of
from functions.cap_spending.records import Context
from functions.cap_spending.settings import Action, Budget, CloudRunScope, SchedulesScope
from functions.cap_spending.world import KINDS, BudgetAmount, Resource, ResourceKind, kind_of, resources_in
from shared.clock import format_time
from shared.decision import Alert
from shared.world import World

SILENT_AFTER = timedelta(hours=48)
"""Google promises no interval; budgets notify several times a day, and cost data lags by a day at most, mostly."""

Bearing = dict[tuple[ResourceKind, str], dict[str, Resource]]
"""Resources that were read, by kind and project, then by short name."""


def alerts(rungs: tuple[ActiveRung, ...], context: Context, world: World) -> Iterator[Alert]:
    """All of them, as long as it is so."""
    restraining = {key.split("/")[0] for key in context.records.in_force if not key.endswith(f"/{Action.NOTIFY}")}
    actions: dict[str, set[Action]] = {}
    for rung in rungs:
        actions.setdefault(rung.budget, set()).update(rung.rung.do)
    bearing = _by_kind_and_project(world)
    for key, budget in context.settings.budgets.items():
        yield from _budget_that_will_not_notify(key, budget, context, world, is_restraining=key in restraining)
        yield from _names_without_match(key, budget, actions.get(key, ()), world, bearing)
    yield from _detached_without_settings(context)


def _budget_that_will_not_notify(
    key: str, budget: Budget, context: Context, world: World, *, is_restraining: bool
) -> Iterable[Alert]:
    """Such a budget lets go of nothing by itself."""
    stays = f"what it has in force stays so until `./deploy.sh send cap_spending undo --budget {key}`"
    read, record = world.get(amount_of(budget)), context.records.budgets.get(key)
    if isinstance(read, BudgetAmount) and not read.exists:
        what = f"billing account {budget.billing_account} no longer has the budget {budget.id}"
        yield Alert("budget_missing", key, f"{what}: {stays}")
    elif isinstance(read, BudgetAmount) and read.period_ended and read.period_ended < context.now.date():
        yield Alert("budget_period_ended", key, f"its custom period ended on {read.period_ended}: {stays}")
    elif is_restraining and record and context.now - record.newest.published > SILENT_AFTER:
        last = format_time(record.newest.published)
        yield Alert("budget_silent", key, f"its last notification was published at {last}: {stays}")


def _by_kind_and_project(world: World) -> Bearing:
    found: Bearing = {}
    for name, resource in resources_in(world).items():
        found.setdefault((kind_of(name), name.split("/")[1]), {})[name.rpartition("/")[2]] = resource
    return found


def _names_without_match(
    key: str, budget: Budget, actions: Collection[Action], world: World, bearing: Bearing
) -> Iterable[Alert]:
    """A name, label or prefix in the settings that nothing bears, once all places of it have been read."""
    for action in sorted(actions):
        scope = budget.scope_of(action)
        if not isinstance(scope, CloudRunScope | SchedulesScope) or not all(map(world.knows, places_of(scope))):
            continue
        there = {
            kind: {
                name: resource
                for project in scope.projects
                for name, resource in bearing.get((kind, project), {}).items()
            }
            for kind in KINDS[action]
        }
        for setting, missing, kind in _unmatched(scope, there):
            close = difflib.get_close_matches(missing, there[kind], n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            where = ", ".join(scope.projects)
            yield Alert("matches_nothing", key, f"{action}: {setting} {missing!r} matches nothing in {where}{hint}")


def _unmatched(
    scope: CloudRunScope | SchedulesScope, there: Mapping[ResourceKind, Mapping[str, Resource]]
) -> Iterable[tuple[str, str, ResourceKind]]:
    """The setting, what it names, and the kind of resource that has no such name, label or prefix."""
    if isinstance(scope, SchedulesScope):
        if not any(name.startswith(scope.job_prefix) for name in there[ResourceKind.JOBS]):
            yield "job_prefix", scope.job_prefix, ResourceKind.JOBS
        return
    services, pools = there[ResourceKind.SERVICES], there[ResourceKind.WORKER_POOLS]
    label, _, value = scope.label.partition("=")
    if label and not any(getattr(service, "labels", {}).get(label) == value for service in services.values()):
        yield "label", scope.label, ResourceKind.SERVICES
    yield from (("services", name, ResourceKind.SERVICES) for name in scope.services if name not in services)
    yield from (("worker_pools", name, ResourceKind.WORKER_POOLS) for name in scope.worker_pools if name not in pools)


def _detached_without_settings(context: Context) -> Iterable[Alert]:
    """A project that no setting names any more stays detached: linking it costs money, so a person must ask for it."""
    scopes = [budget.may_touch.detach_billing for budget in context.settings.budgets.values()]
    named = {f"projects/{project}" for scope in scopes if scope for project in scope.projects}
    for name in context.records.holds:
        if kind_of(name) is ResourceKind.PROJECTS and name not in named:
            project = name.removeprefix("projects/")
            command = f"./deploy.sh send cap_spending link_billing --project {project}"
            yield Alert("held_without_settings", name, f"it is detached, and no setting names it any more: `{command}`")
