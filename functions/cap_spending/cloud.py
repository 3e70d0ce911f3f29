"""The edge to Google Cloud: reads what the plan needs into typed values, and makes one change.

Every client is imported when it is first needed: most messages need none but Firestore's.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from functions.cap_spending.changes import (
    CapSpendingChange,
    DetachBilling,
    LinkBilling,
    Notify,
    PauseJob,
    ResumeJob,
    SetMaxInstances,
    SetRestrictions,
)
from functions.cap_spending.desired import kind_of
from functions.cap_spending.detached import detached, project_around
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.plan import budgets_concerned, what_to_look_at, with_readings
from functions.cap_spending.records import Occasion, Records
from functions.cap_spending.settings import Budget, MayTouch
from functions.cap_spending.world import Look, ProjectBilling, RunService, ScheduledJob, World
from shared.clients import Clients
from shared.events import RestrictionsChanged
from shared.report import Severity, write_log
from shared.state import State

if TYPE_CHECKING:
    from google.cloud.billing import budgets_v1


def read(occasion: Occasion, clients: Clients) -> World:
    """As much of the world as the plan needs, by one list call for each project and location.

    Raises what a call raises: a failed read is never "none". What is in a project that we hold detached is not read.
    """
    clients.once("cost that was told", partial(_tell_cost, occasion))
    looks = what_to_look_at(occasion)
    budgets = dict(_budgets(occasion, clients)) if Look.BUDGETS in looks else {}
    amounts = dict(_amounts(occasion, budgets))
    # An amount that was lowered may put further rungs in force.
    occasion = msgspec.structs.replace(occasion, records=with_readings(occasion, amounts))
    looks |= what_to_look_at(occasion)
    projects = tuple(_projects(occasion, clients)) if Look.PROJECTS in looks else ()
    closed = detached(projects, occasion.records)
    return World(
        looked_at=looks,
        services=tuple(_services(occasion, closed, clients)) if Look.SERVICES in looks else (),
        jobs=tuple(_jobs(occasion, closed, clients)) if Look.JOBS in looks else (),
        projects=projects,
        amounts=amounts,
        missing=frozenset(key for key, budget in budgets.items() if budget is None),
    )


def apply(change: CapSpendingChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, and never repeats it."""
    match change:
        case Notify():
            _notify(change)
        case SetRestrictions():
            _set_restrictions(change, clients)
        case SetMaxInstances():
            _set_max_instances(change, clients)
        case PauseJob() | ResumeJob():
            _set_job_state(change, clients)
        case DetachBilling():
            _set_billing_account(change.target, "", clients)
        case LinkBilling():
            _set_billing_account(change.target, change.account, clients)


def _services(occasion: Occasion, closed: frozenset[str], clients: Clients) -> Iterable[RunService]:
    from google.cloud.run_v2 import ServicesClient

    scopes = [touch.limit_cloud_run for touch in _touched(occasion, Look.SERVICES)]
    places = [(scope.projects, scope.regions) for scope in scopes if scope]
    for parent in _parents(places, occasion.records, closed, "services"):
        for service in clients.of(ServicesClient).list_services(request={"parent": parent}, **clients.reading):
            yield RunService(
                name=service.name,
                labels=dict(service.labels),
                max_instances=service.scaling.max_instance_count,
                min_instances=service.scaling.min_instance_count,
                in_flight=service.reconciling,
                etag=service.etag,
            )


def _jobs(occasion: Occasion, closed: frozenset[str], clients: Clients) -> Iterable[ScheduledJob]:
    from google.cloud.scheduler_v1 import CloudSchedulerClient, Job

    scopes = [touch.pause_schedules for touch in _touched(occasion, Look.JOBS)]
    places = [(scope.projects, scope.locations) for scope in scopes if scope]
    for parent in _parents(places, occasion.records, closed, "jobs"):
        for job in clients.of(CloudSchedulerClient).list_jobs(request={"parent": parent}, **clients.reading):
            yield ScheduledJob(name=job.name, state=Job.State(job.state).name, topic=job.pubsub_target.topic_name)


def _projects(occasion: Occasion, clients: Clients) -> Iterable[ProjectBilling]:
    from google.cloud.billing_v1 import CloudBillingClient

    scopes = [touch.detach_billing for touch in _touched(occasion, Look.PROJECTS)]
    names = {f"projects/{project}" for scope in scopes if scope for project in scope.projects}
    held = {name for name in occasion.records.holds if kind_of(name) is Look.PROJECTS}
    for name in sorted(names | held):
        info = clients.of(CloudBillingClient).get_project_billing_info(request={"name": name}, **clients.reading)
        yield ProjectBilling(name=name, account=info.billing_account_name)


def _budgets(occasion: Occasion, clients: Clients) -> Iterable[tuple[str, "budgets_v1.Budget | None"]]:
    """By key, the budgets that restrain something, as they are now; None for one that has been deleted."""
    from google.api_core.exceptions import NotFound
    from google.cloud.billing.budgets_v1 import BudgetServiceClient

    for key in sorted(budgets_concerned(occasion, Look.BUDGETS)):
        budget = occasion.settings.budgets[key]
        name = f"billingAccounts/{budget.billing_account}/budgets/{budget.id}"
        try:
            yield key, clients.of(BudgetServiceClient).get_budget(request={"name": name}, **clients.reading)
        except NotFound:
            yield key, None


def _amounts(occasion: Occasion, budgets: "Mapping[str, budgets_v1.Budget | None]") -> Iterable[tuple[str, Decimal]]:
    """By key, the amounts of these budgets, as they say them themselves."""
    for key, budget in budgets.items():
        amount = _specified(budget.amount, occasion.settings.budgets[key]) if budget else None
        if amount:
            yield key, amount


def _touched(occasion: Occasion, look: Look) -> Iterable[MayTouch]:
    for key in budgets_concerned(occasion, look):
        yield occasion.settings.budgets[key].may_touch


def _specified(amount: "budgets_v1.BudgetAmount", budget: Budget) -> Decimal | None:
    """The fixed amount of a budget, in its currency; None if it follows the last period's cost."""
    money = amount.specified_amount
    if "specified_amount" not in amount or money.currency_code not in ("", budget.currency):
        return None
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


def _parents(
    places: Iterable[tuple[tuple[str, ...], tuple[str, ...]]],
    records: Records,
    closed: frozenset[str],
    collection: str,
) -> list[str]:
    """Each project and location that may be touched, and where we hold resources, which must be let go too.

    Of projects that are closed there is none.
    """
    wanted = {f"projects/{project}/locations/{at}" for projects, ats in places for project in projects for at in ats}
    held = {name.partition(f"/{collection}/")[0] for name in records.holds if f"/{collection}/" in name}
    return sorted(parent for parent in wanted | held if project_around(parent) not in closed)


def _tell_cost(occasion: Occasion) -> None:
    """One line with what a budget has cost so far, whenever it notifies: a metric is made of it."""
    said = occasion.event.event
    if not isinstance(said, BudgetNotification):
        return
    current = occasion.records.budgets[said.budget].current
    currency = occasion.settings.budgets[said.budget].currency
    write_log(
        Severity.INFO,
        f"budget {said.budget}: {current.highest_cost:.2f} of {current.amount:.2f} {currency}",
        budget_cost={
            "budget": said.budget,
            "cost": float(current.highest_cost),
            "amount": float(current.amount),
            "currency": currency,
        },
    )


def _notify(change: Notify) -> None:
    """One line at the severity of what is at stake: a warning below the budget's amount, an error from there on."""
    severity = Severity.ERROR if change.rung.at >= 1 else Severity.WARNING
    write_log(
        severity,
        f"budget {change.budget}: {change.reason}",
        budget_alert={
            "budget": change.budget,
            "rung": change.rung.name,
            "at": change.rung.at,
            "on": change.rung.on,
        },
    )


def _set_restrictions(change: SetRestrictions, clients: Clients) -> None:
    State(clients).write(change.known, change.restrictions)
    if change.inboxes:
        from google.pubsub_v1 import PublisherClient

        data = msgspec.json.encode(RestrictionsChanged())
        for inbox in change.inboxes:
            clients.of(PublisherClient).publish(
                request={"topic": inbox, "messages": [{"data": data}]}, **clients.writing
            )


def _set_max_instances(change: SetMaxInstances, clients: Clients) -> None:
    """Changes the service, not its template: no new revision. Whether it took is read from the service."""
    from google.cloud.run_v2 import Service, ServiceScaling, ServicesClient

    scaling = ServiceScaling(max_instance_count=change.max_instances)
    service = Service(name=change.target, etag=change.etag, scaling=scaling)
    clients.of(ServicesClient).update_service(
        request={"service": service, "update_mask": {"paths": ["scaling.max_instance_count"]}},
        **clients.writing,
    )


def _set_job_state(change: PauseJob | ResumeJob, clients: Clients) -> None:
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    scheduler = clients.of(CloudSchedulerClient)
    if isinstance(change, PauseJob):
        scheduler.pause_job(request={"name": change.target}, **clients.writing)
    else:
        scheduler.resume_job(request={"name": change.target}, **clients.writing)


def _set_billing_account(project: str, account: str, clients: Clients) -> None:
    from google.cloud.billing_v1 import CloudBillingClient

    clients.of(CloudBillingClient).update_project_billing_info(
        request={"name": project, "project_billing_info": {"billing_account_name": account}},
        **clients.writing,
    )
