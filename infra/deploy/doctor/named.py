"""Whether what `cap_spending` may touch exists: services by their names or label, jobs by their prefix."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import cast

from functions.cap_spending.cloud import look
from functions.cap_spending.needs import places_of
from functions.cap_spending.settings import Budget, CloudRunScope, Settings
from functions.cap_spending.world import JobsIn, RunService, ScheduledJob, WorkerPool
from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem, warning
from shared.settings import parse

AUTOMATION = "cap_spending"


def services(context: CheckContext) -> Iterable[Finding]:
    """The services and worker pools of Cloud Run that budgets may limit."""
    for key, budget in _budgets(context):
        scope = budget.may_touch.limit_cloud_run
        if scope is None:
            continue
        where = f"{AUTOMATION}.budgets.{key}.may_touch.limit_cloud_run"
        yield from _missing_projects(context, scope.projects, where)
        parents = _parents(context, scope.projects, scope.regions)
        found = [
            one
            for place in places_of(scope)
            if place.parent in parents
            for one in cast("Iterable[object]", look(place, context.target.clients))
        ]
        yield from _services_of(scope, [one for one in found if isinstance(one, RunService)], where)
        pools = {one.name.rpartition("/")[2] for one in found if isinstance(one, WorkerPool)}
        yield from _named("worker pool", "worker_pools", scope.worker_pools, pools, where)


def schedules(context: CheckContext) -> Iterable[Finding]:
    """The Cloud Scheduler jobs that budgets may pause."""
    for key, budget in _budgets(context):
        scope = budget.may_touch.pause_schedules
        if scope is None:
            continue
        where = f"{AUTOMATION}.budgets.{key}.may_touch.pause_schedules"
        yield from _missing_projects(context, scope.projects, where)
        parents = _parents(context, scope.projects, scope.locations)
        found = [
            one for parent in parents for one in cast("Iterable[object]", look(JobsIn(parent), context.target.clients))
        ]
        names = [one.name.rpartition("/")[2] for one in found if isinstance(one, ScheduledJob)]
        matching = sorted({name for name in names if name.startswith(scope.job_prefix)})
        if matching:
            yield ok(f"{where}: {', '.join(matching)}")
        else:
            yield warning(f"{where}: no job begins with {scope.job_prefix!r}", f"job_prefix: one of {_listed(names)}")


def _services_of(scope: CloudRunScope, found: list[RunService], where: str) -> Iterator[Finding]:
    names = {one.name.rpartition("/")[2] for one in found}
    yield from _named("service", "services", scope.services, names, where)
    if scope.label:
        label, _, value = scope.label.partition("=")
        matching = sorted(one.name.rpartition("/")[2] for one in found if one.labels.get(label) == value)
        if matching:
            yield ok(f"{where}: {', '.join(matching)}")
        else:
            yield warning(f"{where}: no service has the label {scope.label}", "label: one that a service has")


def _named(what: str, setting: str, wanted: Iterable[str], there: set[str], where: str) -> Iterator[Finding]:
    for name in wanted:
        if name in there:
            yield ok(f"{where}: {what} {name} exists")
        else:
            yield problem(f"{where}: {what} {name} does not exist", f"{setting}: some of {_listed(there)}")


def _budgets(context: CheckContext) -> Iterable[tuple[str, Budget]]:
    if AUTOMATION not in context.suite.owner:
        return ()
    return parse(context.suite.owner, AUTOMATION, Settings).section.budgets.items()


def _missing_projects(context: CheckContext, projects: Iterable[str], where: str) -> Iterator[Finding]:
    return (not_checked(where, project) for project in projects if context.is_missing(project))


def _parents(context: CheckContext, projects: Iterable[str], locations: Iterable[str]) -> list[str]:
    there = [project for project in projects if not context.is_missing(project)]
    return [f"projects/{project}/locations/{location}" for project, location in product(there, locations)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "none"
