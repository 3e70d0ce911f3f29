"""Billing accounts and project links of the local cloud, through the official client."""

from collections.abc import Iterator

import pytest
from google.api_core import exceptions
from google.cloud import billing_v1
from google.cloud.container_v1 import ClusterManagerClient
from google.cloud.run_v2 import ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients

pytestmark = pytest.mark.one_python

OURS = "billingAccounts/0X0X0X-0X0X0X-0X0X0X"
CLOSED = "billingAccounts/1X1X1X-1X1X1X-1X1X1X"
DEMO = "projects/demo-project"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        cloud.billing.add_account(billing_v1.BillingAccount(name=OURS, open_=True, currency_code="EUR"))
        cloud.billing.add_account(billing_v1.BillingAccount(name=CLOSED, open_=False))
        cloud.billing.add_project("demo-project", OURS)
        cloud.billing.add_project("locked-project", OURS, locked=True)
        yield cloud


@pytest.fixture
def billing(cloud: LocalCloud) -> billing_v1.CloudBillingClient:
    return Clients("demo-project", endpoint=cloud.address).of(billing_v1.CloudBillingClient)


def link(billing: billing_v1.CloudBillingClient, project: str, account: str) -> billing_v1.ProjectBillingInfo:
    info = billing_v1.ProjectBillingInfo(billing_account_name=account)
    return billing.update_project_billing_info(name=project, project_billing_info=info, retry=None)


def test_a_further_world_that_leaves_out_the_billing_does_not_detach_a_project(
    cloud: LocalCloud, billing: billing_v1.CloudBillingClient
) -> None:
    seed(cloud, world_from({"projects": {"demo-project": {}, "fresh-project": {}}}))
    assert billing.get_project_billing_info(name=DEMO).billing_account_name == OURS
    assert not billing.get_project_billing_info(name="projects/fresh-project").billing_enabled


def test_a_linked_project(billing: billing_v1.CloudBillingClient) -> None:
    assert billing.get_project_billing_info(name=DEMO) == billing_v1.ProjectBillingInfo(
        name=f"{DEMO}/billingInfo", project_id="demo-project", billing_account_name=OURS, billing_enabled=True
    )


def test_detach_and_link_again(billing: billing_v1.CloudBillingClient) -> None:
    detached = link(billing, DEMO, "")
    assert (detached.billing_account_name, detached.billing_enabled) == ("", False)
    assert billing.get_project_billing_info(name=DEMO) == detached
    assert [info.project_id for info in billing.list_project_billing_info(name=OURS)] == ["locked-project"]
    assert link(billing, DEMO, OURS).billing_enabled
    assert len(list(billing.list_project_billing_info(name=OURS))) == 2


def test_other_services_answer_nothing_of_a_detached_project(
    cloud: LocalCloud, billing: billing_v1.CloudBillingClient
) -> None:
    clients = Clients("demo-project", endpoint=cloud.address)
    lists = (
        lambda: clients.of(ServicesClient).list_services(parent=f"{DEMO}/locations/europe-west1"),
        lambda: clients.of(CloudSchedulerClient).list_jobs(parent=f"{DEMO}/locations/europe-west1"),
        lambda: clients.of(SecretManagerServiceClient).list_secrets(parent=DEMO),
        lambda: clients.of(ClusterManagerClient).list_clusters(parent=f"{DEMO}/locations/-").clusters,
    )
    link(billing, DEMO, "")
    for listed in lists:
        with pytest.raises(exceptions.PermissionDenied, match="requires billing to be enabled") as denied:
            listed()
        assert denied.value.reason == "BILLING_DISABLED"
    groups = f"/compute.googleapis.com/compute/v1/{DEMO}/aggregated/instanceGroupManagers"
    assert cloud.http.answer("GET", groups, b"").status == 403
    link(billing, DEMO, OURS)
    assert [list(listed()) for listed in lists] == [[], [], [], []]


def test_a_closed_account_enables_nothing(billing: billing_v1.CloudBillingClient) -> None:
    info = link(billing, DEMO, CLOSED)
    assert (info.billing_account_name, info.billing_enabled) == (CLOSED, False)


def test_a_billing_lock_refuses_every_change(billing: billing_v1.CloudBillingClient) -> None:
    for account in ("", CLOSED):
        with pytest.raises(exceptions.FailedPrecondition, match="Precondition check failed"):
            link(billing, "projects/locked-project", account)
    assert link(billing, "projects/locked-project", OURS).billing_enabled


def test_what_is_unknown(billing: billing_v1.CloudBillingClient) -> None:
    unknown = "billingAccounts/2X2X2X-2X2X2X-2X2X2X"
    with pytest.raises(exceptions.PermissionDenied):
        billing.get_project_billing_info(name="projects/other")
    with pytest.raises(exceptions.PermissionDenied):
        link(billing, "projects/other", OURS)
    with pytest.raises(exceptions.PermissionDenied):
        link(billing, DEMO, unknown)
    with pytest.raises(exceptions.NotFound):
        billing.get_billing_account(name=unknown)
    with pytest.raises(exceptions.NotFound):
        billing.list_project_billing_info(name=unknown)
    with pytest.raises(exceptions.InvalidArgument):
        link(billing, DEMO, "billingAccounts/mine")
    assert billing.get_project_billing_info(name=DEMO).billing_account_name == OURS


def test_accounts(billing: billing_v1.CloudBillingClient) -> None:
    assert billing.get_billing_account(name=OURS).currency_code == "EUR"
    pages = list(billing.list_billing_accounts(billing_v1.ListBillingAccountsRequest(page_size=1)).pages)
    assert [[account.name for account in page.billing_accounts] for page in pages] == [[OURS], [CLOSED]]
    with pytest.raises(exceptions.MethodNotImplemented):
        billing.list_billing_accounts(billing_v1.ListBillingAccountsRequest(filter="open=true"))
