"""The holds that active rungs ask for, and the changes that apply or restore each resource. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from functions.cap_spending.ladder import ActiveRung
from functions.cap_spending.messages import (
    CannotBePaused,
    HeldBy,
    HeldUpByMinimum,
    InDetachedProject,
    ScalingModeChanged,
    StaysDetached,
)
from functions.cap_spending.needs import closed_projects, is_linked_by_command
from functions.cap_spending.records import Context, Records
from functions.cap_spending.settings import BillingScope, CapsScope, CloudRunScope, SchedulesScope, Scope, Settings
from functions.cap_spending.spend_caps import CapState
from functions.cap_spending.world import (
    AMOUNT,
    KINDS,
    MANUAL_INSTANCES,
    MAX_INSTANCES,
    GoogleCap,
    ProjectBilling,
    Resource,
    RunService,
    ScheduledJob,
    WorkerPool,
    kind_of,
    need_of,
    project_around,
    resources_in,
)
from shared.decision import Message, is_suites_own
from shared.hold_messages import FieldValue
from shared.holds import Current, Hold, HoldDecision, Phase, Wanted, decide
from shared.world import World

MANAGED_BY_FUNCTIONS = ("goog-managed-by", "cloudfunctions")
NOTHING = "0"
"""A spend cap of this amount is enforced at once."""
ENABLED, PAUSED, UPDATE_FAILED = "ENABLED", "PAUSED", "UPDATE_FAILED"


def decide_resources(rungs: Iterable[ActiveRung], context: Context, world: World) -> list[HoldDecision]:
    """One decision for each resource that is wanted or held, as far as it could be read, in order of name."""
    if not world.answers:
        return []  # as after most messages
    rungs = tuple(rungs)
    records, settings = context.records, context.settings
    resources = resources_in(world)
    wanted = _wanted(rungs, resources, records, settings)
    closed = closed_projects(context, world)
    decisions: dict[str, HoldDecision] = {}
    for name in {*wanted, *records.holds}:
        hold, resource = records.holds.get(name), resources.get(name)
        if hold and name not in closed and project_around(name) in closed:
            decisions[name] = _in_detached_project(name, hold, rungs)
        elif world.knows(need_of(name)):
            decision = _decide_one(name, resource, wanted.get(name), hold, context.now)
            notices = tuple(_notices_on(resource, hold, rungs, settings)) if name in wanted else ()
            decisions[name] = msgspec.structs.replace(decision, notices=(*decision.notices, *notices))
    for job in resources.values():
        is_failed = isinstance(job, ScheduledJob) and job.state == UPDATE_FAILED and job.name not in records.holds
        if is_failed and any(_asks_for(rung, job, settings) for rung in rungs):
            decisions[job.name] = HoldDecision(job.name, notices=(CannotBePaused(job.name),))
    return [decisions[name] for name in sorted(decisions)]


def _decide_one(
    name: str, resource: Resource | None, wanted: Wanted | None, hold: Hold | None, now: datetime
) -> HoldDecision:
    if resource is None:
        return decide(name, None, wanted, hold, now=now)
    fields = {*(hold.fields if hold else ()), *(wanted.applied if wanted else ())}
    current = {field: value for field, value in resource.current.items() if field in fields}
    return decide(name, current, wanted, hold, now=now, in_flight=resource.in_flight)


def _notices_on(
    resource: Resource | None, hold: Hold | None, rungs: tuple[ActiveRung, ...], settings: Settings
) -> Iterable[Message]:
    if isinstance(resource, RunService):
        asking = [rung for rung in rungs if _asks_for(rung, resource, settings)]
        if hold and resource.limiting_field not in hold.fields:
            yield ScalingModeChanged(resource.name, resource.limiting_field)
        elif resource.limiting_field == MAX_INSTANCES and resource.min_instances > _lowest_limit(asking, settings):
            yield HeldUpByMinimum(resource.name, resource.min_instances)


def _in_detached_project(name: str, hold: Hold, rungs: tuple[ActiveRung, ...]) -> HoldDecision:
    """A resource of a project that is detached: nothing of it costs, and it is restored when that is linked again."""
    # What was seen of it may not last: what it is then is not taken for a person's change.
    hold = msgspec.structs.replace(hold, phase=Phase.INTENDED)
    is_wanted = any(rung.name in hold.held_by for rung in rungs)
    waiting = () if is_wanted else (InDetachedProject(name),)
    return HoldDecision(name, hold, waiting=waiting, held_by=hold.held_by)


def _wanted(
    rungs: tuple[ActiveRung, ...], resources: dict[str, Resource], records: Records, settings: Settings
) -> dict[str, Wanted]:
    wanted = {}
    for name, resource in resources.items():
        hold = records.holds.get(name)
        asking = [
            rung for rung in rungs if _asks_for(rung, resource, settings) and not _is_linked(resource, rung, records)
        ]
        applied = _applied(resource, asking, hold, settings)
        if applied is not None and asking:
            names = tuple(sorted(rung.name for rung in asking))
            reason = HeldBy(asking[0].why, tuple(rung.name for rung in asking))
            wanted[name] = Wanted(applied, names, min(rung.since for rung in asking), reason)
        elif _stays_detached(resource, hold, records) and hold:
            # A new interval does not link billing again: only a command does.
            wanted[name] = Wanted({"billing_account": ""}, hold.held_by, hold.since, StaysDetached())
    return wanted


def _asks_for(rung: ActiveRung, resource: Resource, settings: Settings) -> bool:
    """Whether a rung wants this resource held, and may touch it."""
    budget = settings.budgets[rung.budget]
    return any(
        _may_touch(budget.scope_of(action), resource)
        for action in rung.rung.do
        if kind_of(resource.name) in KINDS.get(action, ())
    )


def _may_touch(scope: Scope | None, resource: Resource) -> bool:
    parts = resource.name.split("/")
    project, location, short = parts[1], parts[3] if len(parts) > 3 else "", parts[-1]
    match scope, resource:
        case CloudRunScope(), RunService():
            key, _, value = scope.label.partition("=")
            named = short in scope.services if scope.services else resource.labels.get(key) == value
            return project in scope.projects and location in scope.regions and named and not _is_not_to_touch(resource)
        case CloudRunScope(), WorkerPool():
            named = short in scope.worker_pools and not is_suites_own(resource.name)
            return project in scope.projects and location in scope.regions and named
        case SchedulesScope(), ScheduledJob():
            named = short.startswith(scope.job_prefix) and not is_suites_own(resource.name)
            return (
                project in scope.projects
                and location in scope.locations
                and named
                and not is_suites_own(resource.topic)
            )
        case BillingScope(), ProjectBilling():
            return project in scope.projects
        case CapsScope(), GoogleCap():
            return resource.name in scope.names
    return False


def _is_not_to_touch(service: RunService) -> bool:
    """The suite's own services, and the service under a function, which its next deployment overwrites."""
    key, value = MANAGED_BY_FUNCTIONS
    return is_suites_own(service.name) or service.labels.get(key) == value


def _applied(resource: Resource, asking: list[ActiveRung], hold: Hold | None, settings: Settings) -> Current | None:
    """The desired state of the resource; None if these rungs do not change it."""
    if not asking:
        return None
    original = {**resource.current, **({name: held.original for name, held in hold.fields.items()} if hold else {})}
    match resource:
        case RunService():
            return _limits(resource, asking, original, hold, settings)
        case WorkerPool():
            limit = _lowest_limit(asking, settings)
            return {MANUAL_INSTANCES: limit} if int(original[MANUAL_INSTANCES]) > limit else None
        case ScheduledJob():
            return {"state": PAUSED} if original["state"] == ENABLED else None
        case ProjectBilling():
            return {"billing_account": ""} if original["billing_account"] else None
        case GoogleCap():
            # One that is enforced already pauses usage, and none of its other fields can change.
            is_paused = resource.state is CapState.ENFORCED and hold is None
            return None if is_paused or original[AMOUNT] == NOTHING else {AMOUNT: NOTHING}


def _limits(
    service: RunService, asking: list[ActiveRung], original: Current, hold: Hold | None, settings: Settings
) -> Current | None:
    """The limits of a service: of the field that is held, and once another rung asks, of the one that counts now."""
    lowest = _lowest_limit(asking, settings)
    is_new = not hold or {rung.name for rung in asking} - set(hold.held_by)
    fields = {*(hold.fields if hold else ()), *([service.limiting_field] if is_new else [])}
    limits: dict[str, FieldValue] = {}
    for field in sorted(fields):
        limit = max(lowest, service.min_instances) if field == MAX_INSTANCES else lowest
        is_without = field == MAX_INSTANCES and original[field] == 0
        if is_without or int(original[field]) > limit:
            limits[field] = limit
    return limits or None


def _lowest_limit(asking: list[ActiveRung], settings: Settings) -> int:
    scopes = [settings.budgets[rung.budget].may_touch.limit_cloud_run for rung in asking]
    return min(scope.max_instances for scope in scopes if scope)


def _is_linked(resource: Resource, rung: ActiveRung, records: Records) -> bool:
    """Whether a command asked, after the rung was passed, to link this project again."""
    linked = records.linked.get(resource.name.split("/")[1]) if isinstance(resource, ProjectBilling) else None
    return linked is not None and linked >= rung.since


def _stays_detached(resource: Resource, hold: Hold | None, records: Records) -> bool:
    is_detached = isinstance(resource, ProjectBilling) and not resource.account
    return is_detached and hold is not None and not is_linked_by_command(resource.name, hold, records)
