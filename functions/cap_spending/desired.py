"""What should be held while rungs are in force, and what each resource's record and present value make of it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from functions.cap_spending.detached import detached, is_within_one_of
from functions.cap_spending.ladder import Step, is_let_go_by_command
from functions.cap_spending.records import Records
from functions.cap_spending.settings import (
    BillingScope,
    CloudRunScope,
    SchedulesScope,
    Settings,
)
from functions.cap_spending.world import (
    LOOKS,
    Look,
    ProjectBilling,
    Resource,
    RunService,
    ScheduledJob,
    World,
)
from shared.decision import is_suites_own
from shared.holds import (
    Current,
    FieldValue,
    Hold,
    Phase,
    Standing,
    being_restored,
    confirmed,
    kept_by_a_person,
    moved,
    new_hold,
    standing,
    to_restore,
)

MANAGED_BY_FUNCTIONS = ("goog-managed-by", "cloudfunctions")
ENABLED, PAUSED, UPDATE_FAILED = "ENABLED", "PAUSED", "UPDATE_FAILED"


class Wanted(msgspec.Struct, frozen=True):
    """What a resource should be while it is held, by which rungs, and since when."""

    applied: Current
    held_by: tuple[str, ...]
    since: datetime
    reason: str


class Verdict(msgspec.Struct, frozen=True):
    """What is to be done about one resource, and what its record should say once that is seen."""

    name: str
    resource: Resource | None
    hold: Hold | None
    """The record after what the resource shows."""
    write: Current | None = None
    intended: Hold | None = None
    """The record that must be durable before the write."""
    reason: str = ""
    notices: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.write is None and not self.waiting


def kind_of(name: str) -> Look:
    """Which kind of resource a full resource name is."""
    if "/services/" in name:
        return Look.SERVICES
    return Look.JOBS if "/jobs/" in name else Look.PROJECTS


def verdicts(steps: Iterable[Step], world: World, records: Records, settings: Settings) -> list[Verdict]:
    """One verdict for each resource that is wanted or held, of the kinds that were looked at."""
    steps = tuple(steps)
    found: list[Resource] = [*world.services, *world.jobs, *world.projects]
    resources = {one.name: one for one in found}
    wanted = _wanted(steps, resources, records, settings)
    held = {name: hold for name, hold in records.holds.items() if kind_of(name) in world.looked_at}
    closed = detached(world.projects, records)
    judged = {
        name: _verdict(name, resources.get(name), wanted.get(name), records.holds.get(name))
        for name in {*wanted, *held}
    }
    judged |= {name: _out_of_reach(name, hold, steps) for name, hold in held.items() if is_within_one_of(closed, name)}
    judged |= {
        job.name: _cannot_be_paused(job)
        for job in world.jobs
        if job.state == UPDATE_FAILED and job.name not in held
        if any(_asks_for(step, job, settings) for step in steps)
    }
    return [judged[name] for name in sorted(judged)]


def _out_of_reach(name: str, hold: Hold, steps: tuple[Step, ...]) -> Verdict:
    """A resource of a project that is detached: nothing of it costs, and it is let go when that is linked again."""
    # What was seen of it may not last: what it is then is not taken for a person's change.
    hold = msgspec.structs.replace(hold, phase=Phase.INTENDED)
    if any(step.name in hold.held_by for step in steps):
        return Verdict(name, None, hold)
    why = f"{name} can neither be read nor let go before billing is linked again, as its project is detached"
    return Verdict(name, None, hold, waiting=(why,))


def _cannot_be_paused(job: ScheduledJob) -> Verdict:
    """A job in UPDATE_FAILED: only an enabled one can be paused, and Google does not say that this one runs no more.

    https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1
    """
    why = f"{job.name} cannot be paused, as its last update has failed: update it until that succeeds"
    return Verdict(job.name, job, None, notices=(why,))


def _verdict(name: str, resource: Resource | None, wanted: Wanted | None, hold: Hold | None) -> Verdict:
    if resource is None:
        return Verdict(name, None, None, notices=(f"{name} is gone, so there is nothing to let go",))
    if wanted:
        verdict = _to_hold(name, resource, wanted, hold)
    elif hold:
        verdict = _to_let_go(name, resource, hold)
    else:
        return Verdict(name, resource, None)
    if resource.in_flight:
        # Its present value may not be its last, so neither is it touched nor is anything concluded.
        return Verdict(name, resource, hold, waiting=(f"{name} is being changed: it is looked at again",))
    return verdict


def _to_hold(name: str, resource: Resource, wanted: Wanted, hold: Hold | None) -> Verdict:
    current = resource.current
    if hold is None:
        if current == wanted.applied:
            return Verdict(name, resource, None)
        fresh = new_hold(current, wanted.applied, wanted.held_by, wanted.since)
        return Verdict(name, resource, None, wanted.applied, fresh, wanted.reason)
    is_same = all(held.applied == wanted.applied[field] for field, held in hold.fields.items())
    again = hold if is_same else moved(hold, current, wanted.applied, wanted.held_by, wanted.since)
    match standing(hold, current):
        case Standing.CHANGED:
            notice = f"{name} was changed by a person to {_words(current)}: left alone while the cap holds"
            # Confirmed, or it would be looked at again and again although there is nothing to do.
            return Verdict(name, resource, confirmed(again), notices=(notice,))
        case Standing.APPLIED if is_same:
            return Verdict(name, resource, confirmed(_held_by(hold, wanted)))
        case _:
            return Verdict(name, resource, hold, wanted.applied, again, wanted.reason)


def _to_let_go(name: str, resource: Resource, hold: Hold) -> Verdict:
    if restore := to_restore(hold, resource.current):
        return Verdict(
            name,
            resource,
            hold,
            restore,
            being_restored(hold, resource.current, restore),
            f"no rung holds it any more: {', '.join(hold.held_by)} let go",
        )
    kept = tuple(f"{name}: {kept}; left as it is" for kept in kept_by_a_person(hold, resource.current))
    return Verdict(name, resource, None, notices=kept)


def _held_by(hold: Hold, wanted: Wanted) -> Hold:
    return Hold(hold.fields, hold.phase, wanted.held_by, wanted.since)


def _wanted(
    steps: tuple[Step, ...], resources: dict[str, Resource], records: Records, settings: Settings
) -> dict[str, Wanted]:
    wanted = {}
    for name, resource in resources.items():
        hold = records.holds.get(name)
        asking = [
            step for step in steps if _asks_for(step, resource, settings) and not _is_linked(resource, step, records)
        ]
        applied = _applied(resource, asking, hold, settings)
        if applied is not None and asking:
            reason = f"{asking[0].why} ({', '.join(step.name for step in asking)})"
            names = tuple(sorted(step.name for step in asking))
            wanted[name] = Wanted(applied, names, min(step.since for step in asking), reason)
        elif _stays_detached(resource, hold, records) and hold:
            # A new interval does not link billing again: only a command does.
            wanted[name] = Wanted({"billing_account": ""}, hold.held_by, hold.since, "linking again is by command")
    return wanted


def _asks_for(step: Step, resource: Resource, settings: Settings) -> bool:
    """Whether a rung wants this resource held, and may touch it."""
    budget = settings.budgets[step.budget]
    return any(
        _may_touch(budget.scope_of(action), resource)
        for action in step.rung.do
        if LOOKS.get(action) == kind_of(resource.name)
    )


def _may_touch(scope: CloudRunScope | SchedulesScope | BillingScope | None, resource: Resource) -> bool:
    parts = resource.name.split("/")
    project, location, short = parts[1], parts[3] if len(parts) > 3 else "", parts[-1]
    match scope, resource:
        case CloudRunScope(), RunService():
            key, _, value = scope.label.partition("=")
            named = short in scope.services if scope.services else resource.labels.get(key) == value
            return project in scope.projects and location in scope.regions and named and not _is_not_to_touch(resource)
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
    return False


def _is_not_to_touch(service: RunService) -> bool:
    """The suite's own services, and the service under a function, which its next deployment overwrites."""
    key, value = MANAGED_BY_FUNCTIONS
    return is_suites_own(service.name) or service.labels.get(key) == value


def _applied(resource: Resource, asking: list[Step], hold: Hold | None, settings: Settings) -> Current | None:
    """What the resource should be; None if it need not change for these rungs."""
    if not asking:
        return None
    original = {name: held.original for name, held in hold.fields.items()} if hold else resource.current
    match resource:
        case RunService():
            scopes = [settings.budgets[step.budget].may_touch.limit_cloud_run for step in asking]
            limit = max(min(scope.max_instances for scope in scopes if scope), resource.min_instances)
            is_lower = original["max_instances"] == 0 or int(original["max_instances"]) > limit
            return {"max_instances": limit} if is_lower else None
        case ScheduledJob():
            return {"state": PAUSED} if original["state"] == ENABLED else None
        case ProjectBilling():
            return {"billing_account": ""} if original["billing_account"] else None


def _is_linked(resource: Resource, step: Step, records: Records) -> bool:
    """Whether a command asked, after the rung was passed, to link this project again."""
    linked = records.linked.get(_project_of(resource)) if isinstance(resource, ProjectBilling) else None
    return linked is not None and linked >= step.since


def _stays_detached(resource: Resource, hold: Hold | None, records: Records) -> bool:
    is_detached = isinstance(resource, ProjectBilling) and not resource.account
    return is_detached and hold is not None and not is_linked_by_command(resource.name, hold, records)


def is_linked_by_command(name: str, hold: Hold, records: Records) -> bool:
    """Whether this is a project that we detached, and a command has asked since to link it again."""
    if kind_of(name) is not Look.PROJECTS:
        return False
    linked = records.linked.get(name.removeprefix("projects/"))
    if linked and linked >= hold.since:
        return True
    rungs = [held_by.split("/") for held_by in hold.held_by]
    return all(is_let_go_by_command(records, budget, rung, hold.since) for budget, rung in rungs)


def _project_of(resource: Resource) -> str:
    return resource.name.split("/")[1]


def _words(current: Current) -> str:
    return ", ".join(f"{name} {value}" for name, value in current.items())


def changed_fields(verdict: Verdict) -> Iterator[tuple[str, FieldValue, FieldValue]]:
    """Each field that the verdict writes, with its value before and after."""
    if verdict.resource and verdict.write:
        for name, value in verdict.write.items():
            yield name, verdict.resource.current[name], value
