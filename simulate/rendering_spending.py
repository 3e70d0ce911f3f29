"""The part of the output that is about budgets. Pure."""

from collections.abc import Iterator, Mapping

from functions.cap_spending.settings import Basis, Settings
from simulate.spending import FORECAST_BY, PACIFIC, Cost, Spent
from simulate.together import Billing, Outcome, hourly_price_of


def billing_lines(billing: Billing, outcome: Outcome) -> Iterator[str]:
    """The basis of what is said of costs."""
    charges = billing.charges
    own = sum(1 for one in charges if one.known)
    lag = f"{billing.lag} after its end" if billing.lag else "as its row was exported"
    yield (
        f"{len(charges)} charges, {sum(one.cost for one in charges):.2f} {charges[0].currency}; known {lag}"
        + ("" if own == len(charges) or billing.lag else f" ({len(charges) - own} rows do not say when)")
    )
    if outcome.policy.budgets and _has_forecast(outcome.policy.budgets):
        yield (
            f"Rungs on: forecast act by the pace of the last {FORECAST_BY.days} days to the end of the month; Google's "
            "own forecast is in no export, and may differ"
        )
    for key, pool in outcome.policy.pools.pools.items():
        price = hourly_price_of(pool, charges)
        yield (
            f"{key}: no charge is of this pool, so what it saves does not lower the budget's cost; in the detailed "
            "export its nodes carry GKE's labels"
            if price is None
            else f"{key}: {price:.4f} {charges[0].currency} an hour of a node, as billed"
            + ("" if pool.hourly_price is None else f" (settings: {pool.hourly_price:g})")
        )


def spending_lines(name: str, spent: Spent, billing: Billing) -> Iterator[str]:
    """The budgets' actions, and the cost of each period."""
    currency = billing.charges[0].currency
    for month, cost in _months(spent).items():
        yield f"{name}: {month} cost {cost.recorded:.2f} {currency} as recorded, {cost.simulated:.2f} with Caretaker"
    if not spent.steps:
        yield f"{name}: no rung is passed"
    for step in spent.steps:
        yield from (f"{name}: {step.at:%a %d %b %H:%M} {change}" for change in step.changes)


def budget_json(policy: str, spent: Spent) -> Iterator[dict[str, object]]:
    """The steps as lines of JSON."""
    for step in spent.steps:
        yield {
            "policy": policy,
            "automation": "cap_spending",
            "at": step.at.isoformat(),
            "changes": step.changes,
        }


def _has_forecast(budgets: Settings) -> bool:
    return any(rung.on is Basis.FORECAST for budget in budgets.budgets.values() for rung in budget.ladder)


def _months(spent: Spent) -> Mapping[str, Cost]:
    """By month, the last that was known of its cost."""
    return {f"{one.at.astimezone(PACIFIC):%B %Y}": one for one in spent.costs}
