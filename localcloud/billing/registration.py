"""Cloud Billing in the local cloud."""

from google.cloud import billing_v1

from localcloud.billing.currencies import CURRENCIES
from localcloud.billing.service import CloudBilling
from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.core.world_format import BillingAccount, Project
from localcloud.core.world_place import full_name


def _add_account(service: CloudBilling, name: str, account: BillingAccount) -> None:
    if account.currency_code not in CURRENCIES:
        raise ValueError(f"unknown currency_code {account.currency_code!r}; expected an ISO 4217 code such as USD")
    service.add_account(
        billing_v1.BillingAccount(
            name=name, open_=account.open, display_name=account.display_name, currency_code=account.currency_code
        )
    )


def _add_project(service: CloudBilling, project_id: str, project: Project) -> None:
    account_name = full_name("billingAccounts", project.billing_account_name)
    if account_name or not service.has_project(project_id):  # a further world may leave out the billing
        service.add_project(project_id, account_name, locked=project.billing_locked)


BILLING = Service(
    lambda cloud: CloudBilling(cloud.clock),
    transports=(Api("google.cloud.billing_v1.services.cloud_billing", "CloudBilling"),),
    add_account=_add_account,
    add_project=_add_project,
)
