"""The edge to Google Cloud: answers one need with typed values, and makes one change.

By REST (docs/decisions/0030-all-calls-by-rest.md):
https://cloud.google.com/scheduler/docs/reference/rest, https://cloud.google.com/billing/docs/reference/rest.
"""

from functions.cap_spending.cap_changes import CapChange
from functions.cap_spending.cap_cloud import amount_of, apply_to_cap, cap_of
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
    CapOf,
    CapSpendingNeed,
    JobsIn,
    ProjectBilling,
    RunService,
    ScheduledJob,
    ServicesIn,
    WorkerPool,
    WorkerPoolsIn,
)
from shared import cloud_run, rest
from shared.clients import Clients
from shared.cloud_run import MANUAL, set_instances
from shared.events import RestrictionsChanged
from shared.publishing import publish
from shared.report import Severity, write_log
from shared.rest import ApiMessage
from shared.state import State

SCHEDULER_API = "https://cloudscheduler.googleapis.com/v1"
BILLING_API = "https://cloudbilling.googleapis.com/v1"
SCHEDULER = "google.cloud.scheduler.v1.CloudScheduler"
BILLING = "google.cloud.billing.v1.CloudBilling"


class _Target(ApiMessage, frozen=True):
    topic_name: str = ""


class _Job(ApiMessage, frozen=True):
    name: str
    state: str = "STATE_UNSPECIFIED"
    pubsub_target: _Target = _Target()


class _Jobs(rest.Page, frozen=True):
    jobs: tuple[_Job, ...] = ()


class _BillingInfo(ApiMessage, frozen=True):
    billing_account_name: str = ""


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
            return amount_of(need, clients)


def apply(change: CapSpendingChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, and never repeats it."""
    match change:
        case Notify():
            _notify(change)
        case SetRestrictions():
            _set_restrictions(change, clients)
        # Of the service or the worker pool, not of its template. Whether it took is read from it.
        case SetMaxInstances():
            set_instances(change.target, change.etag, "max_instance_count", change.max_instances, clients)
        case SetManualInstances():
            set_instances(change.target, change.etag, "manual_instance_count", change.instances, clients)
        case PauseJob() | ResumeJob():
            _set_job_state(change, clients)
        case DetachBilling():
            _set_billing_account(change.target, "", clients)
        case LinkBilling():
            _set_billing_account(change.target, change.account, clients)
        case CapChange():
            apply_to_cap(change, clients)


def _services(parent: str, clients: Clients) -> tuple[RunService, ...]:
    return tuple(
        RunService(
            name=service.name,
            labels=service.labels,
            max_instances=service.scaling.max_instance_count,
            min_instances=service.scaling.min_instance_count,
            in_flight=service.reconciling,
            etag=service.etag,
            manual_instances=service.scaling.manual_instance_count if service.scaling.scaling_mode == MANUAL else None,
        )
        for service in cloud_run.services(parent, clients)
    )


def _worker_pools(parent: str, clients: Clients) -> tuple[WorkerPool, ...]:
    return tuple(
        WorkerPool(pool.name, pool.scaling.manual_instance_count, in_flight=pool.reconciling, etag=pool.etag)
        for pool in cloud_run.worker_pools(parent, clients)
    )


def _jobs(parent: str, clients: Clients) -> tuple[ScheduledJob, ...]:
    pages = rest.pages(clients, f"{SCHEDULER_API}/{parent}/jobs", {}, _Jobs, rpc=f"{SCHEDULER}/ListJobs")
    return tuple(
        ScheduledJob(name=job.name, state=job.state, topic=job.pubsub_target.topic_name)
        for page in pages
        for job in page.jobs
    )


def _billing(project: str, clients: Clients) -> ProjectBilling:
    address = f"{BILLING_API}/{project}/billingInfo"
    info = rest.get(clients, address, {}, _BillingInfo, rpc=f"{BILLING}/GetProjectBillingInfo")
    return ProjectBilling(name=project, account=info.billing_account_name)


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


def _set_job_state(change: PauseJob | ResumeJob, clients: Clients) -> None:
    verb, method = ("pause", "PauseJob") if isinstance(change, PauseJob) else ("resume", "ResumeJob")
    rest.send(clients, "POST", f"{SCHEDULER_API}/{change.target}:{verb}", {}, rpc=f"{SCHEDULER}/{method}")


def _set_billing_account(project: str, account: str, clients: Clients) -> None:
    address, content = f"{BILLING_API}/{project}/billingInfo", {"billingAccountName": account}
    rest.send(clients, "PUT", address, content, rpc=f"{BILLING}/UpdateProjectBillingInfo")
