"""Whether budgets are what `cap_spending` needs: there, sending to the suite's topic, with forecast rules."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from functions.cap_spending.cap_cloud import is_capped
from functions.cap_spending.settings import Basis, Budget, Settings
from infra.deploy.doctor.findings import CheckContext, Finding, ok, problem
from shared.settings import parse

if TYPE_CHECKING:
    from google.cloud.billing.budgets_v1.types import Budget as GoogleBudget

TOPIC = "caretaker-budget-notifications"


def budgets(context: CheckContext) -> Iterable[Finding]:
    """The budgets."""
    if "cap_spending" not in context.suite.owner:
        return
    section = parse(context.suite.owner, "cap_spending", Settings).section
    topic = f"projects/{context.suite.deployment.project}/topics/{TOPIC}"
    for key, budget in section.budgets.items():
        if budget.id:
            yield from _existing(context, key, budget, topic)
        else:
            yield ok(f"budget {key} is made by Terraform, with its rules and its topic")


def _existing(context: CheckContext, key: str, budget: Budget, topic: str) -> Iterable[Finding]:
    from google.api_core.exceptions import NotFound, PermissionDenied
    from google.cloud.billing.budgets_v1 import BudgetServiceClient

    clients = context.target.clients
    name = f"billingAccounts/{budget.billing_account}/budgets/{budget.id}"
    update = f"gcloud billing budgets update {budget.id} --billing-account={budget.billing_account}"
    try:
        found = clients.of(BudgetServiceClient).get_budget(request={"name": name}, **clients.reading)
    except (NotFound, PermissionDenied):
        fix = f"gcloud billing budgets list --billing-account={budget.billing_account}, and its id into caretaker.yaml"
        yield problem(f"budget {key}: {name} does not exist or is not visible to you", fix)
        return
    yield ok(f"budget {key} is there")
    yield _topic(key, found.notifications_rule.pubsub_topic, topic, update, is_capped=is_capped(name, clients))
    yield from _currency(key, found, budget)
    yield from _forecast_rules(key, found, budget, update)


def _topic(key: str, found: str, topic: str, update: str, *, is_capped: bool) -> Finding:
    if is_capped:
        return problem(
            f"budget {key} has a spend cap, so it never notifies, and no rung of its ladder can act",
            "use a budget without a cap for the ladder, and put the cap into `spend_caps`",
        )
    if found == topic:
        return ok(f"budget {key} sends to the suite's topic")
    fix = f"{update} --notifications-rule-pubsub-topic={topic}"
    if not found:
        return problem(f"budget {key} sends to no topic (after apply)", fix)
    return problem(
        f"budget {key} sends to {found}, and a budget has one topic",
        f"let Terraform create another: budgets.{key} in deployment.yaml, and no id in caretaker.yaml; or {fix}",
    )


def _currency(key: str, found: "GoogleBudget", budget: Budget) -> Iterable[Finding]:
    currency = found.amount.specified_amount.currency_code
    if currency and currency != budget.currency:
        yield problem(
            f"budget {key} is in {currency}, and caretaker.yaml says {budget.currency}", f"currency: {currency}"
        )


def _forecast_rules(key: str, found: "GoogleBudget", budget: Budget, update: str) -> Iterable[Finding]:
    """Google says of a forecast only which of the budget's own forecast rules it passes."""
    from google.cloud.billing.budgets_v1.types import ThresholdRule

    forecast = ThresholdRule.Basis.FORECASTED_SPEND
    rules = {rule.threshold_percent for rule in found.threshold_rules if rule.spend_basis == forecast}
    lacking = [rung for rung in budget.ladder if rung.on is Basis.FORECAST and rung.threshold not in rules]
    for rung in lacking:
        fix = f"{update} --add-threshold-rule=percent={rung.threshold:g},basis=forecasted-spend"
        yield problem(f"budget {key} has no forecast rule for the rung {rung.name}, which therefore never acts", fix)
    if not lacking and any(rung.on is Basis.FORECAST for rung in budget.ladder):
        yield ok(f"budget {key} has a forecast rule for each forecast rung")
