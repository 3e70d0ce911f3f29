"""The reports of `doctor` and `plan` on Google's spend caps that could stop Caretaker itself."""

import pytest
from google.cloud.billing import budgets_v1

from functions.cap_spending.spend_caps import IDS, CappedService, cap_name, title_of
from infra.deploy.doctor.caps import caps_on_the_suite
from infra.deploy.doctor.findings import CheckContext, run_check
from localcloud import LocalCloud
from tests.infra.deploy.stage import ACCOUNT, PROJECT, Stage, all_is_well

pytestmark = pytest.mark.one_python

OURS = title_of(cap_name(ACCOUNT, PROJECT, CappedService.CLOUD_RUN), PROJECT)


def add_cap(cloud: LocalCloud, title: str, project: str, service: CappedService) -> None:
    """Another person caps a service of a project."""
    budget = budgets_v1.Budget(
        display_name=title,
        amount={"specified_amount": {"currency_code": "USD", "units": 50}},
        budget_filter={
            "projects": [f"projects/{project}"],
            "services": [IDS[service]],
            "credit_types_treatment": budgets_v1.Filter.CreditTypesTreatment.EXCLUDE_ALL_CREDITS,
            "calendar_period": budgets_v1.CalendarPeriod.MONTH,
        },
        threshold_rules=[{"threshold_percent": at, "spend_basis": "CURRENT_SPEND"} for at in (0.5, 0.8, 1.0)],
        notifications_rule={"enable_project_level_recipients": True},
    )
    name = f"billingAccounts/{ACCOUNT}/budgets/{title.replace(' ', '-')}"
    cloud.budgets.add_budget(name, budget, is_capped=True)


def found(stage: Stage) -> list[tuple[str, str]]:
    return [
        (str(one.status), one.what) for one in run_check(caps_on_the_suite, CheckContext(stage.suite, stage.target))
    ]


def test_a_cap_that_somebody_else_made_on_the_suite_is_a_warning() -> None:
    with all_is_well() as stage:
        add_cap(stage.cloud, "elsewhere", "my-product", CappedService.CLOUD_RUN)
        add_cap(stage.cloud, "gemini", PROJECT, CappedService.GEMINI_API)
        add_cap(stage.cloud, OURS, PROJECT, CappedService.CLOUD_RUN)
        assert found(stage) == [("ok", f"no other spend cap in {PROJECT} can stop Caretaker")]
        add_cap(stage.cloud, "somebodys", PROJECT, CappedService.CLOUD_RUN_FUNCTIONS)
        ((status, what),) = found(stage)
        assert status == "warning"
        assert what.startswith(f"the budget 'somebodys' caps cloud_run_functions in {PROJECT}: once it is enforced,")
