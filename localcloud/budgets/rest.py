"""The Budget API over REST, with the field `spendCap`, which the official gRPC packages do not have."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.cloud.billing import budgets_v1
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask

from localcloud.budgets.spend_caps import SpendCap, State, input_state
from localcloud.core.http import HttpRequest, Route
from localcloud.core.messages import invalid

if TYPE_CHECKING:
    from localcloud.budgets.service import Budgets

_HOST = r"billingbudgets\.googleapis\.com/v1/"
_LIST = re.compile(_HOST + r"(?P<parent>billingAccounts/[^/]+)/budgets")
_ONE = re.compile(_HOST + r"(?P<name>billingAccounts/[^/]+/budgets/[^/]+)")
_OWNERS = frozenset(("", "OWNERSHIP_SCOPE_UNSPECIFIED", "ALL_USERS"))
"""Of a budget with a cap. The packages do not know this field either; these mean the same."""
_UPPER = re.compile(r"[A-Z]")


def routes(budgets: "Budgets") -> tuple[Route, ...]:
    """The HTTP routes: the same budgets as over gRPC."""

    def answer(budget: budgets_v1.Budget) -> dict[str, object]:
        plain = _plain(budget)
        cap = budgets.cap_of(budget.name)
        return plain | {"spendCap": _plain_cap(cap)} if cap else plain

    def create(request: HttpRequest) -> object:
        budget, state = _read(request.body)
        return answer(budgets.create(request.captured["parent"], budget, state))

    def get(request: HttpRequest) -> object:
        return answer(budgets.get_budget(budgets_v1.GetBudgetRequest(name=request.captured["name"])))

    def list_(request: HttpRequest) -> object:
        query = request.query
        listed = budgets.list_budgets(
            budgets_v1.ListBudgetsRequest(
                parent=request.captured["parent"],
                page_size=int(query.get("pageSize", "0")),
                page_token=query.get("pageToken", ""),
                scope=query.get("scope", ""),
            )
        )
        found: dict[str, object] = {"budgets": [answer(one) for one in listed.budgets]} if listed.budgets else {}
        return found | ({"nextPageToken": listed.next_page_token} if listed.next_page_token else {})

    def patch(request: HttpRequest) -> object:
        budget, state = _read(request.body)
        budget.name = request.captured["name"]
        mask = request.query.get("updateMask", "")
        paths = [_snake(path.strip()) for path in mask.split(",") if path.strip()]
        return answer(budgets.change(budget, FieldMask(paths=paths), state))

    def delete(request: HttpRequest) -> object:
        budgets.delete_budget(budgets_v1.DeleteBudgetRequest(name=request.captured["name"]))
        return {}

    served = (
        ("POST", _LIST, create),
        ("GET", _LIST, list_),
        ("GET", _ONE, get),
        ("PATCH", _ONE, patch),
        ("DELETE", _ONE, delete),
    )
    return tuple(Route(verb, pattern, handle, takes=_knows_caps) for verb, pattern, handle in served)


def _knows_caps(query: Mapping[str, str]) -> bool:
    """Not the REST transport of the official client: it does not know the field, and is answered as over gRPC."""
    return "$alt" not in query


def _read(body: bytes) -> tuple[budgets_v1.Budget, State | None]:
    try:
        content = json.loads(body or b"{}")
        cap = content.pop("spendCap", None)
        if cap is not None and content.pop("ownershipScope", "") not in _OWNERS:
            raise invalid("Budget.ownership_scope must be ALL_USERS when spend_cap is set.")
        budget = budgets_v1.Budget()
        json_format.ParseDict(content, budgets_v1.Budget.pb(budget))
        return budget, None if cap is None else input_state(cap.get("inputState"))
    except (ValueError, AttributeError, json_format.ParseError) as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error


def _plain(budget: budgets_v1.Budget) -> dict[str, object]:
    return json_format.MessageToDict(budgets_v1.Budget.pb(budget))


def _plain_cap(cap: SpendCap) -> dict[str, object]:
    """As Google's JSON has it: what is false is left out."""
    plain: dict[str, object] = {"inputState": cap.input_state, "outputState": cap.output_state}
    return plain | ({"reconciling": True} if cap.reconciling else {})


def _snake(path: str) -> str:
    return _UPPER.sub(lambda found: f"_{found[0].lower()}", path)
