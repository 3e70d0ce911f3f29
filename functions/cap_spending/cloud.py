"""The edge to Google Cloud: answers one need with typed values, and makes one change.

Every client is imported when it is first needed: most messages need none but Firestore's.
"""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from functions.cap_spending.cap_changes import CapChange
from functions.cap_spending.cap_cloud import apply_to_cap, cap_of
from functions.cap_spending.changes import (
    CapSpendingChange,
    DetachBilling,
    LinkBilling,
    Notify,
    PauseJob,
    ResumeJob,
    SetManualInstances,
    SetMaxInstances,
    SetRestrictions,
)
from functions.cap_spending.world import (
    AmountOf,
    BillingOf,
    BudgetAmount,
    CapOf,
    CapSpendingNeed,
    JobsIn,
    ProjectBilling,
    ResourceKind,
    RunService,
    ScheduledJob,
    ServicesIn,
    WorkerPool,
    WorkerPoolsIn,
    kind_of,
)
from shared.clients import Clients
from shared.events import RestrictionsChanged
from shared.publishing import publish
from shared.report import Severity, write_log
from shared.state import State

if TYPE_CHECKING:
    from google.cloud.billing import budgets_v1


def look(need: CapSpendingNeed, clients: Clients) -> object:
    """The answer to one need, by one list call or one get. Raises what the call raises."""
    match need:
        case ServicesIn(parent=parent):
            return _services(parent, clients)
        case WorkerPoolsIn(parent=parent):
            return _worker_pools(parent, clients)
        case JobsIn(parent=parent):
            return _jobs(parent, clients)
        case BillingOf(parent=project):
            return _billing(project, clients)
        case CapOf(parent=name):
            return cap_of(name, clients)
        case AmountOf():
            return _amount(need, clients)


def apply(change: CapSpendingChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, and never repeats it."""
    match change:
        case Notify():
            _notify(change)
        case SetRestrictions():
            _set_restrictions(change, clients)
        case SetManualInstances() if kind_of(change.target) is ResourceKind.WORKER_POOLS:
            _set_size(change, clients)
        case SetMaxInstances() | SetManualInstances():
            _set_instances(change, clients)
        case PauseJob() | ResumeJob():
            _set_job_state(change, clients)
        case DetachBilling():
            _set_billing_account(change.target, "", clients)
        case LinkBilling():
            _set_billing_account(change.target, change.account, clients)
        case CapChange():
            apply_to_cap(change, clients)


def _services(parent: str, clients: Clients) -> tuple[RunService, ...]:
    from google.cloud.run_v2 import ServiceScaling, ServicesClient

    manual = ServiceScaling.ScalingMode.MANUAL
    listed = clients.of(ServicesClient).list_services(request={"parent": parent}, **clients.reading)
    return tuple(
        RunService(
            name=service.name,
            labels=dict(service.labels),
            max_instances=service.scaling.max_instance_count,
            min_instances=service.scaling.min_instance_count,
            in_flight=service.reconciling,
            etag=service.etag,
            manual_instances=service.scaling.manual_instance_count if service.scaling.scaling_mode == manual else None,
        )
        for service in (type(one).pb(one) for one in listed)
    )


def _worker_pools(parent: str, clients: Clients) -> tuple[WorkerPool, ...]:
    from google.cloud.run_v2 import WorkerPoolsClient

    listed = clients.of(WorkerPoolsClient).list_worker_pools(request={"parent": parent}, **clients.reading)
    return tuple(
        WorkerPool(pool.name, pool.scaling.manual_instance_count, in_flight=pool.reconciling, etag=pool.etag)
        for pool in listed
    )


def _jobs(parent: str, clients: Clients) -> tuple[ScheduledJob, ...]:
    from google.cloud.scheduler_v1 import CloudSchedulerClient, Job

    listed = clients.of(CloudSchedulerClient).list_jobs(request={"parent": parent}, **clients.reading)
    return tuple(
        ScheduledJob(name=job.name, state=Job.State(job.state).name, topic=job.pubsub_target.topic_name)
        for job in listed
    )


def _billing(project: str, clients: Clients) -> ProjectBilling:
    from google.cloud.billing_v1 import CloudBillingClient

    info = clients.of(CloudBillingClient).get_project_billing_info(request={"name": project}, **clients.reading)
    return ProjectBilling(name=project, account=info.billing_account_name)


def _amount(need: AmountOf, clients: Clients) -> BudgetAmount:
    from google.api_core.exceptions import NotFound
    from google.cloud.billing.budgets_v1 import BudgetServiceClient

    try:
        budget = clients.of(BudgetServiceClient).get_budget(request={"name": need.budget}, **clients.reading)
    except NotFound:
        return BudgetAmount(exists=False)
    end = budget.budget_filter.custom_period.end_date
    return BudgetAmount(
        exists=True,
        amount=_specified(budget.amount, need.currency),
        period_ended=date(end.year, end.month, end.day) if end and end.year else None,
    )


def _specified(amount: "budgets_v1.BudgetAmount", currency: str) -> Decimal | None:
    """The fixed amount of a budget, in its currency; None if it follows the last period's cost."""
    money = amount.specified_amount
    if "specified_amount" not in amount or money.currency_code not in ("", currency):
        return None
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


def _notify(change: Notify) -> None:
    """One line at the severity of what is at stake: a warning below the budget's amount, an error from there on."""
    severity = Severity.ERROR if change.rung.ratio >= 1 else Severity.WARNING
    write_log(
        severity,
        f"budget {change.budget}: {change.reason}"
        + (" (observing: nothing is changed)" if change.is_observing else ""),
        budget_alert={
            "budget": change.budget,
            "rung": change.rung.name,
            "at": change.rung.threshold,
            "on": change.rung.on,
            "observing": change.is_observing,
        },
    )


def _set_restrictions(change: SetRestrictions, clients: Clients) -> None:
    State(clients).write(change.known, change.restrictions)
    for inbox in change.inboxes:
        publish(clients, inbox, RestrictionsChanged())


def _set_instances(change: SetMaxInstances | SetManualInstances, clients: Clients) -> None:
    """Changes the service, not its template: no new revision. Whether it took is read from the service."""
    from google.cloud.run_v2 import Service, ServiceScaling, ServicesClient

    if isinstance(change, SetMaxInstances):
        scaling, path = ServiceScaling(max_instance_count=change.max_instances), "scaling.max_instance_count"
    else:
        scaling, path = ServiceScaling(manual_instance_count=change.instances), "scaling.manual_instance_count"
    service = Service(name=change.target, etag=change.etag, scaling=scaling)
    clients.of(ServicesClient).update_service(
        request={"service": service, "update_mask": {"paths": [path]}},
        **clients.writing,
    )


def _set_size(change: SetManualInstances, clients: Clients) -> None:
    """Changes how many instances a worker pool has: no new revision."""
    from google.cloud.run_v2 import WorkerPool, WorkerPoolScaling, WorkerPoolsClient

    scaling = WorkerPoolScaling(manual_instance_count=change.instances)
    clients.of(WorkerPoolsClient).update_worker_pool(
        request={
            "worker_pool": WorkerPool(name=change.target, etag=change.etag, scaling=scaling),
            "update_mask": {"paths": ["scaling.manual_instance_count"]},
        },
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
