"""Cloud Billing's budgets in the local cloud."""

from localcloud.budgets.seed import Budget, add_budgets, set_cost_lag
from localcloud.budgets.service import Budgets
from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import BillingAccount, Count
from localcloud.pubsub.registration import PUBSUB


def _add_account(service: Budgets, name: str, account: BillingAccount) -> None:
    service.currencies[name] = account.currency_code


BUDGETS = Service(
    lambda cloud: Budgets(cloud.clock, cloud.of(PUBSUB)),
    transports=(Api("google.cloud.billing.budgets_v1.services.budget_service", "BudgetService"),),
    is_http=True,
    add_account=_add_account,
    sections=(
        Section(BillingAccount, "budgets", dict[str, Budget], add_budgets),
        Section(BillingAccount, "cost_lag_minutes", Count, set_cost_lag, default=int),
    ),
    happenings=(Budgets.spend,),
)
