"""The edge to Google's Budget API, by REST: the amounts of budgets, and spend caps.

https://cloud.google.com/billing/docs/reference/budget/rest
https://cloud.google.com/billing/docs/how-to/budget-api-spend-cap
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from functions.cap_spending.cap_changes import AnyCapChange, ArmCap, CreateCap, DeleteCap, LiftCap, SetCapAmount
from functions.cap_spending.spend_caps import IDS, CapState, parts_of, plain, title_of
from functions.cap_spending.world import AmountOf, BudgetAmount, GoogleCap
from shared import rest
from shared.clients import Clients
from shared.errors import not_found_errors
from shared.rest import ApiMessage

API = "https://billingbudgets.googleapis.com/v1"
CONFIGURED = {"inputState": "CONFIGURED"}
THRESHOLDS = (0.5, 0.8, 1.0)
"""The values that Google requires of every spend cap."""


class _Money(ApiMessage, frozen=True):
    units: str = "0"
    nanos: int = 0
    currency_code: str = ""

    @property
    def amount(self) -> Decimal:
        return Decimal(self.units) + Decimal(self.nanos).scaleb(-9)


class _Amount(ApiMessage, frozen=True):
    specified_amount: _Money | None = None


class _Date(ApiMessage, frozen=True):
    year: int = 0
    month: int = 0
    day: int = 0


class _Period(ApiMessage, frozen=True):
    end_date: _Date = _Date()


class _Filter(ApiMessage, frozen=True):
    projects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    custom_period: _Period = _Period()


class _Cap(ApiMessage, frozen=True):
    output_state: str = ""
    reconciling: bool = False


class CappedBudget(ApiMessage, frozen=True):
    """A budget as far as its spend cap matters."""

    name: str
    display_name: str = ""
    etag: str = ""
    amount: _Amount = _Amount()
    budget_filter: _Filter = _Filter()
    spend_cap: _Cap | None = None


class _Budgets(ApiMessage, frozen=True):
    budgets: tuple[CappedBudget, ...] = ()
    next_page_token: str = ""


def amount_of(need: AmountOf, clients: Clients) -> BudgetAmount:
    """The amount of a budget now, and the end of its period. Raises what the call raises, but for NOT_FOUND."""
    try:
        budget = rest.get(clients, f"{API}/{need.budget}", {}, CappedBudget)
    except not_found_errors():
        return BudgetAmount(exists=False)
    end = budget.budget_filter.custom_period.end_date
    return BudgetAmount(
        exists=True,
        amount=_specified(budget.amount.specified_amount, need.currency),
        period_ended=date(end.year, end.month, end.day) if end.year else None,
    )


def _specified(money: _Money | None, currency: str) -> Decimal | None:
    """The fixed amount of a budget, in its currency; None if it follows the last period's cost."""
    return money.amount if money and money.currency_code in ("", currency) else None


def cap_of(name: str, clients: Clients) -> GoogleCap:
    """Our spend cap of a name, or one without a budget, if we have made none. Raises what the calls raise."""
    account, project, service = parts_of(name)
    title = title_of(name, clients.project)
    for budget in capped_budgets(account, project, clients):
        if budget.spend_cap and budget.display_name == title:
            return _as_cap(name, budget, budget.spend_cap, IDS[service])
    return GoogleCap(name)


def capped_budgets(account: str, project: str, clients: Clients) -> Iterator[CappedBudget]:
    """Every budget of a billing account (in full) that caps something in a project. Raises what the calls raise."""
    parameters = {"scope": f"projects/{project}"}
    while True:
        page = rest.get(clients, f"{API}/{account}/budgets", parameters, _Budgets)
        yield from (budget for budget in page.budgets if budget.spend_cap)
        if not page.next_page_token:
            return
        parameters = parameters | {"pageToken": page.next_page_token}


def is_capped(budget: str, clients: Clients) -> bool:
    """Whether a budget, by its full name, has a spend cap. Raises what the call raises."""
    return rest.get(clients, f"{API}/{budget}", {}, CappedBudget).spend_cap is not None


def _as_cap(name: str, budget: CappedBudget, cap: _Cap, service: str) -> GoogleCap:
    money = budget.amount.specified_amount or _Money()
    return GoogleCap(
        name=name,
        budget=budget.name,
        amount=plain(money.amount),
        currency=money.currency_code,
        state=CapState(cap.output_state) if cap.output_state in set(CapState) else None,
        in_flight=cap.reconciling,
        etag=budget.etag,
        differs=() if budget.budget_filter.services == (service,) else ("services",),
    )


def apply_to_cap(change: AnyCapChange, clients: Clients) -> None:
    """Make one change of a spend cap. Raises what the call raises, and never repeats it."""
    match change:
        case CreateCap():
            account, _, _ = parts_of(change.target)
            rest.send(clients, "POST", f"{API}/{account}/budgets", _new(change, clients.project))
        case SetCapAmount():
            amount = {"specifiedAmount": _money(change.after)}
            _patch(change, {"amount": amount, "spendCap": CONFIGURED}, "amount,spendCap.inputState", clients)
        case ArmCap():
            _patch(change, {"spendCap": CONFIGURED}, "spendCap.inputState", clients)
        case LiftCap():
            _patch(change, {"spendCap": {"inputState": "AWAITING_NEXT_PERIOD"}}, "spendCap.inputState", clients)
        case DeleteCap():
            rest.send(clients, "DELETE", f"{API}/{change.budget}")


def _patch(change: AnyCapChange, fields: dict[str, object], mask: str, clients: Clients) -> None:
    content = {"name": change.budget, "etag": change.etag, **fields}
    rest.send(clients, "PATCH", f"{API}/{change.budget}", content, {"updateMask": mask})


def _new(change: CreateCap, suite_project: str) -> dict[str, object]:
    _, project, service = parts_of(change.target)
    money = _money(change.after) | ({"currencyCode": change.currency} if change.currency else {})
    return {
        "displayName": title_of(change.target, suite_project),
        "budgetFilter": {
            "projects": [f"projects/{project}"],
            "services": [IDS[service]],
            "calendarPeriod": "MONTH",
            "creditTypesTreatment": "EXCLUDE_ALL_CREDITS",
        },
        "amount": {"specifiedAmount": money},
        "thresholdRules": [{"thresholdPercent": at, "spendBasis": "CURRENT_SPEND"} for at in THRESHOLDS],
        "notificationsRule": {"enableProjectLevelRecipients": True},
        "spendCap": CONFIGURED,
    }


def _money(amount: str) -> dict[str, object]:
    units, rest_ = divmod(Decimal(amount), 1)
    return {"units": str(int(units)), "nanos": int(rest_.scaleb(9))}
