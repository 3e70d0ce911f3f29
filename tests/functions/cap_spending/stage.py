"""`cap_spending` on a local cloud, in one process: events go in, and the official clients show what came of them."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from cloudevents.http import CloudEvent
from google.cloud.billing.budgets_v1 import BudgetServiceClient
from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.run_v2 import Service, ServiceScaling, ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient, Job

from functions.cap_spending.automation import AUTOMATION
from functions.cap_spending.records import Records
from functions.cap_spending.settings import Settings
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients, RetryPolicy
from shared.report import Report
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import State
from shared.watching import CallWatcher
from tests.functions.cap_spending import examples
from tests.functions.cap_spending.examples import ACCOUNT, BUDGET_ID, NOON, PROJECT

BUDGET_NAME = f"billingAccounts/{ACCOUNT}/budgets/{BUDGET_ID}"
GET_BUDGET = BUDGET_ID
"""The end of the name of the call that reads the budget."""
RECORDS = "records/cap_spending"
QUICK = RetryPolicy(first=0.001, longest=0.002)
TICK = {"type": "tick", "every_seconds": 600}

WORLD: dict[str, Any] = {
    "billing_accounts": {
        ACCOUNT: {"currency_code": "USD", "budgets": {BUDGET_ID: {"amount": 400, "threshold_rules": [0.5, 1.0]}}}
    },
    "projects": {
        PROJECT: {"billing_account_name": ACCOUNT, "topics": ["pools", "previews"]},
        "my-product": {
            "billing_account_name": ACCOUNT,
            "location": "europe-west1",
            "topics": ["imports"],
            "services": {
                "api": {"scaling": {"max_instance_count": 20}, "labels": {"team": "web"}},
                "worker": {"scaling": {"max_instance_count": 10}},
                "admin": {"scaling": {"max_instance_count": 5}},
            },
            "jobs": {
                "batch-import": {"schedule": "*/15 * * * *", "topic": "imports", "data": "import"},
                "keep-warm": {"schedule": "*/30 * * * *", "topic": "imports", "data": "ping"},
            },
        },
        "my-experiments": {"billing_account_name": ACCOUNT},
    },
}


class Stage:
    """A local cloud, seeded, and runs of `cap_spending` on it."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        mode: Mode = Mode.ACT,
        world: Mapping[str, Any] | None = None,
        watcher: CallWatcher | None = None,
        concurrency: int = 8,
    ) -> None:
        self.cloud = LocalCloud(now=NOON)
        self.settings = settings or examples.settings()
        self.mode = mode
        self.reports: list[Report] = []
        self._world = WORLD if world is None else world
        self._watcher = watcher
        self._concurrency = concurrency
        self._number = 100

    def __enter__(self) -> Self:
        self.cloud.start()
        seed(self.cloud, world_from(self._world))
        address, http = self.cloud.address, self.cloud.http_address
        self.clients = Clients(
            PROJECT,
            endpoint=address,
            http_endpoint=http,
            retry=QUICK,
            watcher=self._watcher,
            concurrency=self._concurrency,
        )
        self.people = Clients("my-product", endpoint=address)
        """A person's clients, for assertions on the end state; the server lists their calls too."""
        self.unwatched = Clients(PROJECT, endpoint=address, http_endpoint=http)
        """Reads what the suite remembers, without a watcher's knowing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for clients in (self.clients, self.people, self.unwatched):
            clients.close()
        self.cloud.stop()

    def notify(
        self,
        cost: float,
        amount: float = 400.0,
        *,
        interval: datetime = examples.NOVEMBER,
        after: float = 0,
        budget: str = examples.BUDGET_ID,
        message_id: str = "",
        published: datetime | None = None,
    ) -> Report:
        """Let hours pass, and a budget notification come."""
        data = examples.notification(cost, amount, interval=interval)
        given = examples.attributes(budgetId=budget)
        return self.push(data, after=after, message_id=message_id, published=published, given=given)

    def tick(self, after: float = 0) -> Report:
        """Let hours pass, and a tick come."""
        return self.push(TICK, topic=examples.INBOX, after=after)

    def command(self, after: float = 0, **command: str) -> Report:
        """Let hours pass, and a command come."""
        return self.push(command, topic=examples.INBOX, after=after)

    def push(
        self,
        data: object,
        *,
        topic: str = examples.BUDGET_TOPIC,
        after: float = 0,
        message_id: str = "",
        published: datetime | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Report:
        """Take a message through a run, and answer its report; raises what the run raises."""
        self.cloud.clock.advance(timedelta(hours=after))
        self._number += 1
        event = cloud_event(
            data,
            topic=topic,
            message_id=message_id or str(self._number),
            published=published or self.cloud.clock.now(),
            given=given,
        )
        runtime = Runtime(self.clients, clock=self.cloud.clock.now, report=self.reports.append)
        return run(AUTOMATION, Configuration(self.mode, self.settings), event, runtime)

    def calls(self) -> list[str]:
        """The names of the methods that were called since the last time that this was asked."""
        names = [call.method.rpartition("/")[2] for call in self.cloud.server.calls]
        self.cloud.server.clear_calls()
        return names

    @property
    def values(self) -> dict[str, object]:
        """The fields of each resource that may be held, as official clients see them."""
        services = self.people.of(ServicesClient).list_services(parent=examples.WHERE)
        jobs = self.people.of(CloudSchedulerClient).list_jobs(parent=examples.WHERE)
        info = self.people.of(CloudBillingClient).get_project_billing_info(name=examples.EXPERIMENTS)
        values: dict[str, object] = {
            service.name.rpartition("/")[2]: service.scaling.max_instance_count for service in services
        }
        values |= {job.name.rpartition("/")[2]: Job.State(job.state).name for job in jobs}
        return values | {"my-experiments": info.billing_account_name}

    @property
    def records(self) -> Records:
        """The records."""
        (document,) = State(self.unwatched).read(RECORDS)
        return document.as_type(Records)

    @property
    def restrictions(self) -> SpendingRestrictions:
        """The spending restrictions in force."""
        (document,) = State(self.unwatched).read(DOCUMENT)
        return document.as_type(SpendingRestrictions)

    def set_max_instances(self, name: str, value: int) -> None:
        """A person sets the maximum of a service."""
        self.people.of(ServicesClient).update_service(
            request={
                "service": Service(name=name, scaling=ServiceScaling(max_instance_count=value)),
                "update_mask": {"paths": ["scaling.max_instance_count"]},
            }
        ).result()

    def set_budget(self, amount: Decimal) -> None:
        """A person sets the amount of the budget."""
        units, rest = divmod(amount, 1)
        money = {"units": int(units), "nanos": int(rest * 10**9)}
        self.people.of(BudgetServiceClient).update_budget(
            request={
                "budget": {"name": BUDGET_NAME, "amount": {"specified_amount": money}},
                "update_mask": {"paths": ["amount"]},
            }
        )


def cloud_event(
    data: object,
    *,
    topic: str = examples.BUDGET_TOPIC,
    message_id: str = "1",
    published: datetime = NOON,
    given: Mapping[str, str] | None = None,
) -> CloudEvent:
    """A message as functions-framework hands it on."""
    message = examples.a_message(data, topic=topic, given=given)
    attributes = {"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": f"//pubsub.googleapis.com/{topic}"}
    body = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": message_id,
        "publishTime": published.isoformat(),
    }
    return CloudEvent(attributes, {"message": json.loads(json.dumps(body))})
