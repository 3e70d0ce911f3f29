"""Reads what a project contains, through the official clients and with the caller's own credentials.

Secrets are listed by name only: no value is read. A list that cannot be read is reported, and the others are read.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from infra.deploy.init.backup_names import sets_of
from infra.deploy.init.contents import (
    Answers,
    FoundBucket,
    FoundBudget,
    FoundJob,
    FoundNodePool,
    FoundService,
    ProjectContents,
)
from shared.clients import Clients
from shared.decision import is_suites_own
from shared.errors import cloud_errors, in_words
from shared.rest import get

if TYPE_CHECKING:
    from google.cloud.billing.budgets_v1.types import Budget
    from google.cloud.run_v2 import Service, WorkerPool

FoundT = TypeVar("FoundT")
BUCKETS = "https://storage.googleapis.com/storage/v1/b"
GPU = "nvidia.com/gpu"
NAMED_FOR_BACKUPS = ("backup", "dump", "snapshot")


def read_project(answers: Answers, clients: Clients) -> ProjectContents:
    """Everything of the project that settings can name, as far as the caller may see it."""
    unreadable: dict[str, str] = {}

    def listed(what: str, read: Callable[[], Iterator[FoundT]]) -> tuple[FoundT, ...]:
        try:
            return tuple(read())
        except cloud_errors() as error:
            unreadable[what] = in_words(error)
            return ()

    account = "".join(listed("its billing account", lambda: _billing_account(answers.project, clients)))
    return ProjectContents(
        billing_account=account,
        budgets=listed("budgets", lambda: _budgets(account, answers.project, clients)),
        services=listed("Cloud Run services", lambda: _services(answers, clients)),
        worker_pools=listed("Cloud Run worker pools", lambda: _worker_pools(answers, clients)),
        jobs=listed("Cloud Scheduler jobs", lambda: _jobs(answers, clients)),
        node_pools=listed("GKE clusters", lambda: _node_pools(answers.project, clients)),
        buckets=listed("buckets", lambda: _buckets(answers.project, clients)),
        secrets=listed("secrets", lambda: _secrets(answers.project, clients)),
        unreadable=unreadable,
    )


def _billing_account(project: str, clients: Clients) -> Iterator[str]:
    from google.cloud.billing_v1 import CloudBillingClient

    request = {"name": f"projects/{project}"}
    found = clients.of(CloudBillingClient).get_project_billing_info(request=request, **clients.reading)
    yield found.billing_account_name.removeprefix("billingAccounts/")


def _budgets(account: str, project: str, clients: Clients) -> Iterator[FoundBudget]:
    """The budgets of a billing account that count the costs of a project: it alone, or the whole account's."""
    from google.cloud.billing.budgets_v1 import BudgetServiceClient
    from google.cloud.resourcemanager_v3 import ProjectsClient

    if not account:
        return
    number = clients.of(ProjectsClient).get_project(request={"name": f"projects/{project}"}, **clients.reading).name
    request = {"parent": f"billingAccounts/{account}"}
    for budget in clients.of(BudgetServiceClient).list_budgets(request=request, **clients.reading):
        counted = set(budget.budget_filter.projects)
        if not counted or counted & {number, f"projects/{project}"}:
            yield _budget(budget)


def _budget(budget: "Budget") -> FoundBudget:
    from google.cloud.billing.budgets_v1.types import ThresholdRule

    forecast = ThresholdRule.Basis.FORECASTED_SPEND
    return FoundBudget(
        name=budget.display_name,
        id=budget.name.rpartition("/")[2],
        currency=budget.amount.specified_amount.currency_code,
        has_forecast_rule=any(
            rule.spend_basis == forecast and rule.threshold_percent == 1 for rule in budget.threshold_rules
        ),
    )


def _services(answers: Answers, clients: Clients) -> Iterator[FoundService]:
    from google.cloud.run_v2 import ServicesClient

    for region in answers.regions:
        request = {"parent": f"projects/{answers.project}/locations/{region}"}
        for one in clients.of(ServicesClient).list_services(request=request, **clients.reading):
            if not is_suites_own(one.name):
                yield _service(one, region)


def _service(service: "Service", region: str) -> FoundService:
    return FoundService(
        name=service.name.rpartition("/")[2],
        region=region,
        account=service.template.service_account,
        maximum=service.scaling.max_instance_count or service.template.scaling.max_instance_count,
    )


def _worker_pools(answers: Answers, clients: Clients) -> Iterator[FoundService]:
    """The pools with GPUs: `scale_gpu_pools` is not for others."""
    from google.cloud.run_v2 import WorkerPoolsClient

    for region in answers.regions:
        request = {"parent": f"projects/{answers.project}/locations/{region}"}
        for one in clients.of(WorkerPoolsClient).list_worker_pools(request=request, **clients.reading):
            limits = [container.resources.limits for container in one.template.containers]
            if one.template.node_selector.accelerator or any(GPU in limit for limit in limits):
                yield _worker_pool(one, region)


def _worker_pool(pool: "WorkerPool", region: str) -> FoundService:
    return FoundService(
        name=pool.name.rpartition("/")[2],
        region=region,
        account=pool.template.service_account,
        maximum=0,
        count=pool.scaling.manual_instance_count,
    )


def _jobs(answers: Answers, clients: Clients) -> Iterator[FoundJob]:
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    for region in answers.regions:
        request = {"parent": f"projects/{answers.project}/locations/{region}"}
        for one in clients.of(CloudSchedulerClient).list_jobs(request=request, **clients.reading):
            if not is_suites_own(one.name):
                yield FoundJob(one.name.rpartition("/")[2], region)


def _node_pools(project: str, clients: Clients) -> Iterator[FoundNodePool]:
    from google.cloud.container_v1 import ClusterManagerClient

    request = {"parent": f"projects/{project}/locations/-"}
    for cluster in clients.of(ClusterManagerClient).list_clusters(request=request, **clients.reading).clusters:
        for pool in cluster.node_pools:
            if gpus := pool.config.accelerators:
                yield FoundNodePool(
                    location=cluster.location,
                    cluster=cluster.name,
                    name=pool.name,
                    size=pool.initial_node_count,
                    gpus=", ".join(f"{one.accelerator_count} x {one.accelerator_type}" for one in gpus),
                )


def _secrets(project: str, clients: Clients) -> Iterator[str]:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    request = {"parent": f"projects/{project}"}
    for one in clients.of(SecretManagerServiceClient).list_secrets(request=request, **clients.reading):
        if not is_suites_own(one.name):
            yield f"projects/{project}/secrets/{one.name.rpartition('/')[2]}"


class _Named(msgspec.Struct):
    name: str


class _Page(msgspec.Struct, rename="camel"):
    items: list[_Named] = []
    next_page_token: str = ""


def _buckets(project: str, clients: Clients) -> Iterator[FoundBucket]:
    """The buckets named for backups; the first page of each one's objects shows how they are named."""
    token = ""
    while True:
        query = {"project": project, "fields": "items(name),nextPageToken"}
        page = get(clients, BUCKETS, query | ({"pageToken": token} if token else {}), _Page)
        for one in page.items:
            if any(word in one.name for word in NAMED_FOR_BACKUPS):
                yield FoundBucket(one.name, sets_of(_objects(one.name, clients)))
        token = page.next_page_token
        if not token:
            return


def _objects(bucket: str, clients: Clients) -> list[str]:
    query = {"fields": "items(name)", "maxResults": "1000"}
    return [one.name for one in get(clients, f"{BUCKETS}/{quote(bucket, safe='')}/o", query, _Page).items]
