"""Billing budgets: google.cloud.billing.budgets.v1.BudgetService, and the notifications that go with them.

No API tells a budget what was spent, so nothing is sent by itself: ``notify`` sends what Google would send
for a cost. What is filled in on creation was read off recorded answers of the real service.
"""

import json
import re
import threading
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import grpc
from google.cloud.billing import budgets_v1
from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import GetTopicRequest, PublishRequest, PublishResponse, PubsubMessage, Topic

from localcloud.budgets import rest
from localcloud.budgets.notification import amount_of, notification, period_start
from localcloud.budgets.rules import SCHEMA_VERSION, check, check_parent, fill_in
from localcloud.budgets.spend_caps import (
    CAP,
    CAP_PATHS,
    SpendCap,
    Spent,
    State,
    changed,
    check_capped,
    check_change,
    check_deletion,
    check_new,
    settled,
    visible_cost,
)
from localcloud.core.clock import Clock
from localcloud.core.http import Route
from localcloud.core.messages import invalid, merge, page
from localcloud.core.server import ApiError

LARGEST_PAGE = 100
OUTPUT_ONLY = frozenset(("name", "etag"))

_BUDGET = re.compile(r"^(?P<parent>billingAccounts/[^/]+)/budgets/(?P<id>[^/]+)$")


class Topics(Protocol):
    """The part of Pub/Sub that budgets need."""

    def get_topic(self, request: GetTopicRequest) -> Topic:
        """Answer a topic, or raise NOT_FOUND."""

    def publish(self, request: PublishRequest) -> PublishResponse:
        """Publish the messages of ``request`` to its topic."""


class Budgets:
    """Serves ``google.cloud.billing.budgets_v1.BudgetServiceClient``."""

    def __init__(self, clock: Clock, pubsub: Topics) -> None:
        self.currencies: dict[str, str] = {}
        """The currency of each billing account, by full name; USD of an account that is not named."""
        self.cost_lags: dict[str, timedelta] = {}
        """By billing account, how long after it was incurred the cost of a service shows in its spend caps."""
        self.operation_delay = timedelta(0)
        """The time a spend cap takes to become enforced, lifted or armed."""
        self._clock = clock
        self._pubsub = pubsub
        self._budgets: dict[str, budgets_v1.Budget] = {}
        self._caps: dict[str, SpendCap] = {}
        self._spent: list[Spent] = []
        self._version = 0
        self._lock = threading.RLock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes beside gRPC."""
        return rest.routes(self)

    def create_budget(self, request: budgets_v1.CreateBudgetRequest) -> budgets_v1.Budget:
        """Make a budget; the service chooses its id."""
        return self.create(request.parent, request.budget)

    def create(self, parent: str, budget: budgets_v1.Budget, cap: State | None = None) -> budgets_v1.Budget:
        """The same, with the input state of its spend cap, if it has one."""
        check_parent(parent)
        if cap:
            check_new(cap)
        with self._lock:
            budget_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{parent}/{self._version}")
            return self.add_budget(f"{parent}/budgets/{budget_id}", budget, is_capped=cap is not None)

    def add_budget(self, name: str, budget: budgets_v1.Budget, *, is_capped: bool = False) -> budgets_v1.Budget:
        """Let a budget exist under a name of one's own (billingAccounts/A/budgets/B), perhaps with a spend cap."""
        with self._lock:
            period = period_start(budget, self._clock.now())
            cap = SpendCap(State.CONFIGURED, State.CONFIGURED, period) if is_capped else None
            return self._store(name, budgets_v1.Budget(budget), cap)

    def spend(self, project: str, service: str, cost: float) -> None:
        """Let a service (``services/152E-C115-5142``) of a project cost something now, before credits."""
        with self._lock:
            self._spent.append(Spent(f"projects/{project}", service, Decimal(repr(cost)), self._clock.now()))

    def cap_of(self, name: str) -> SpendCap | None:
        """The spend cap of a budget as it is now; None if it has none."""
        with self._lock:
            cap = self._caps.get(name)
            if cap is None:
                return None
            budget, now = self._budgets[name], self._clock.now()
            period = period_start(budget, now)
            lag = self.cost_lags.get(name.partition("/budgets/")[0], timedelta(0))
            cost = visible_cost(self._spent, budget, period, now, lag)
            is_reached = cost >= amount_of(budget, None)
            cap = settled(cap, is_reached=is_reached, period=period, now=now, delay=self.operation_delay)
            self._caps[name] = cap
            return cap

    def get_budget(self, request: budgets_v1.GetBudgetRequest) -> budgets_v1.Budget:
        """One budget."""
        with self._lock:
            return budgets_v1.Budget(self._budget(request.name))

    def list_budgets(self, request: budgets_v1.ListBudgetsRequest) -> budgets_v1.ListBudgetsResponse:
        """The budgets of a billing account; with ``scope`` those that track that project."""
        check_parent(request.parent)
        with self._lock:
            prefix, scope = f"{request.parent}/budgets/", request.scope
            here = {
                name: budget
                for name, budget in self._budgets.items()
                if name.startswith(prefix) and (not scope or scope in budget.budget_filter.projects)
            }
            shown, token = page(here, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
            return budgets_v1.ListBudgetsResponse(budgets=shown, next_page_token=token)

    def update_budget(self, request: budgets_v1.UpdateBudgetRequest) -> budgets_v1.Budget:
        """Change the fields of the mask; without one, those that the request sets to something."""
        return self.change(request.budget, request.update_mask)

    def change(self, wanted: budgets_v1.Budget, mask: FieldMask, cap_state: State | None = None) -> budgets_v1.Budget:
        """The same, with the input state of its spend cap, if the request has one.

        An etag that is not the current one is refused; an empty one overwrites.
        """
        with self._lock:
            budget = budgets_v1.Budget(self._budget(wanted.name))
            if wanted.etag and wanted.etag != budget.etag:
                raise ApiError(
                    grpc.StatusCode.ABORTED,
                    f"Budget {wanted.name} was changed: its etag is not {wanted.etag!r}.",
                )
            given = [field.name for field, _ in budgets_v1.Budget.pb(wanted).ListFields()]
            paths = list(mask.paths) or [*given, *([CAP] if cap_state else [])]
            if "*" in paths:
                paths = [*budgets_v1.Budget.meta.fields, CAP]
            paths = [path for path in paths if path not in OUTPUT_ONLY]
            cap = self.cap_of(wanted.name)
            if cap:
                check_change(cap, paths, cap_state, has_mask=bool(mask.paths))
            merge(
                budgets_v1.Budget.pb(budget),
                budgets_v1.Budget.pb(wanted),
                [path for path in paths if path not in CAP_PATHS],
            )
            return self._store(wanted.name, budget, self._changed_cap(budget, cap, paths, cap_state))

    def _changed_cap(
        self, budget: budgets_v1.Budget, cap: SpendCap | None, paths: list[str], state: State | None
    ) -> SpendCap | None:
        if not CAP_PATHS.intersection(paths):
            return cap
        if state is None:
            return None
        if cap:
            return changed(cap, state, self._clock.now(), self.operation_delay)
        check_new(state)
        return SpendCap(State.CONFIGURED, State.CONFIGURED, period_start(budget, self._clock.now()))

    def delete_budget(self, request: budgets_v1.DeleteBudgetRequest) -> Empty:
        """Take a budget away; one that is not there is no error, as the service documents."""
        with self._lock:
            if cap := self.cap_of(request.name):
                check_deletion(cap)
            self._budgets.pop(request.name, None)
            self._caps.pop(request.name, None)
        return Empty()

    def notify(
        self,
        budget_name: str,
        cost: Decimal,
        *,
        interval_start: datetime | None = None,
        forecast: Decimal | None = None,
        budget_amount: Decimal | None = None,
    ) -> str:
        """Publish to a budget's topic what Google would publish, and answer the message's id.

        ``cost`` and ``forecast`` are in the budget's currency, for the interval that starts at
        ``interval_start`` (aware; else the budget's period that the Clock is in). ``budget_amount`` is
        the last period's cost, required where the budget is set to that. A rule counts as passed
        when its share of the amount is reached. Raises ApiError (NOT_FOUND) for an unknown budget or topic,
        ValueError for a budget that names no topic or whose amount is not known. Format:
        https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format
        """
        with self._lock:
            budget = budgets_v1.Budget(self._budget(budget_name))
        match = _BUDGET.match(budget_name)
        topic = budget.notifications_rule.pubsub_topic
        if not match or not topic:
            raise ValueError(f"{budget_name} has no notifications_rule.pubsub_topic")
        amount = amount_of(budget, budget_amount)
        start = interval_start or period_start(budget, self._clock.now())
        currency = self._currency(match["parent"])
        data = notification(budget, cost, start=start, amount=amount, forecast=forecast, currency=currency)
        message = PubsubMessage(
            data=json.dumps(data, indent=2, ensure_ascii=False).encode(),
            attributes={
                "billingAccountId": match["parent"].removeprefix("billingAccounts/"),
                "budgetId": match["id"],
                "schemaVersion": SCHEMA_VERSION,
            },
        )
        response = self._pubsub.publish(PublishRequest(topic=topic, messages=[message]))
        return str(response.message_ids[0])

    def _budget(self, name: str) -> budgets_v1.Budget:
        if not _BUDGET.match(name):
            raise invalid(f"Invalid name {name!r}: expected billingAccounts/ACCOUNT/budgets/BUDGET.")
        if name not in self._budgets:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Budget {name} not found.")
        return self._budgets[name]

    def _currency(self, account: str) -> str:
        return self.currencies.get(account, "USD")

    def _store(self, name: str, budget: budgets_v1.Budget, cap: SpendCap | None) -> budgets_v1.Budget:
        """Fill in, check and keep ``budget`` and its spend cap under ``name`` and a new etag."""
        match = _BUDGET.match(name)
        if not match:
            raise invalid(f"Invalid name {name!r}: expected billingAccounts/ACCOUNT/budgets/BUDGET.")
        fill_in(budget, self._currency(match["parent"]))
        check(budget, self._currency(match["parent"]))
        if cap:
            check_capped(budget)
        if budget.notifications_rule.pubsub_topic:
            self._pubsub.get_topic(GetTopicRequest(topic=budget.notifications_rule.pubsub_topic))
        self._version += 1
        budget.name = name
        budget.etag = f"{self._version:016x}"
        self._budgets[name] = budget
        self._caps.pop(name, None)
        if cap:
            self._caps[name] = cap
        return budgets_v1.Budget(budget)
