"""The decisions of `cap_spending` on a world in memory: one run after another, without any call.

The loop is that of `shared/acting.py`; that one itself is tested on the local cloud.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from functions.cap_spending.automation import AUTOMATION
from functions.cap_spending.changes import (
    CapSpendingChange,
    DetachBilling,
    LinkBilling,
    Notify,
    PauseJob,
    ResumeJob,
    SetMaxInstances,
    SetRestrictions,
)
from functions.cap_spending.decide import CapSpendingDecision
from functions.cap_spending.folding import fold
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import Context, Records
from functions.cap_spending.settings import Settings
from functions.cap_spending.world import (
    AmountOf,
    BillingOf,
    BudgetAmount,
    CapOf,
    CapSpendingNeed,
    GoogleCap,
    JobsIn,
    ProjectBilling,
    Resource,
    RunService,
    ScheduledJob,
    ServicesIn,
    WorkerPool,
    WorkerPoolsIn,
)
from shared.events import Dated, Tick
from shared.looking import guarded
from shared.restrictions import SpendingRestrictions
from shared.world import Need, World
from tests.functions.cap_spending import examples

ROUNDS = 6
ACCOUNT_NAME = f"billingAccounts/{examples.ACCOUNT}"


FREE = {"api": 20, "worker": 10, "batch-import": "ENABLED", "my-experiments": ACCOUNT_NAME}
CAPPED = FREE | {"api": 1, "worker": 1, "batch-import": "PAUSED"}
"""The initial world, and its state once the usual ladder has acted on the whole budget."""


class Crash(Exception):
    """The run ends here; what it has done so far stays."""


def no_fault(_place: int, _change: CapSpendingChange) -> None:
    """Let every change be applied."""


Fault = Callable[[int, CapSpendingChange], None]
"""Called before and after each change, at places 0, 1, 2, ... of the run; may raise ``Crash``."""


Listed = RunService | WorkerPool | ScheduledJob


def a_service(name: str = examples.API, max_instances: int = 20, **more: object) -> RunService:
    """A Cloud Run service."""
    usual = RunService(name, {}, max_instances, min_instances=0, in_flight=False, etag="1")
    return replace(usual, **more)


def a_job(name: str = examples.IMPORT, state: str = "ENABLED", topic: str = "") -> ScheduledJob:
    """A Cloud Scheduler job."""
    return ScheduledJob(name, state, topic)


def a_project(name: str = examples.EXPERIMENTS, account: str = ACCOUNT_NAME) -> ProjectBilling:
    """A project and the billing account that it is linked to."""
    return ProjectBilling(name, account)


def a_world() -> dict[str, Resource]:
    """Two services, a job and a project, by name."""
    resources: list[Resource] = [
        a_service(),
        a_service(examples.WORKER, 10),
        a_job(),
        a_project(),
    ]
    return {resource.name: resource for resource in resources}


@dataclass
class Simulation:
    """Everything that a run reads, and what runs have made of it."""

    settings: Settings = field(default_factory=examples.settings)
    resources: dict[str, Resource] = field(default_factory=a_world)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    """The Budget API's amounts, by the budget's key; none for a budget without a fixed amount."""
    now: datetime = examples.NOON
    records: Records = field(default_factory=Records)
    restrictions: SpendingRestrictions = field(default_factory=SpendingRestrictions)
    notified: list[str] = field(default_factory=list)
    """The rungs that were notified, in order."""
    plans: list[CapSpendingDecision] = field(default_factory=list)
    """The decisions of the latest run."""
    notices: list[str] = field(default_factory=list)
    """The notices of the latest run."""
    looked_at: frozenset[type[Need[object]]] = frozenset()
    """The kinds of needs that the latest run had at its first look."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def tick(self, after: float = 0, *, fault: Fault = no_fault) -> None:
        """Let hours pass, and Cloud Scheduler's tick come."""
        self.deliver(Tick(every_seconds=600), after=after, fault=fault)

    def notify(
        self,
        cost: float,
        amount: float = 400.0,
        *,
        interval: datetime = examples.NOVEMBER,
        forecast: float | None = None,
        budget: str = "monthly",
        after: float = 0,
        fault: Fault = no_fault,
    ) -> None:
        """Let hours pass, and a notification come."""
        said = BudgetNotification(
            budget,
            interval,
            Decimal(repr(cost)),
            Decimal(repr(amount)),
            None if forecast is None else Decimal(repr(forecast)),
        )
        self.deliver(said, after=after, fault=fault)

    def deliver(
        self,
        event: Event,
        *,
        after: float = 0,
        published: datetime | None = None,
        fault: Fault = no_fault,
    ) -> None:
        """Let hours pass, and take an event through a whole run. By default it was published now."""
        self.now += examples.hours(after)
        self.plans, self.notices = [], []
        dated = Dated(event, f"{next(self._numbers):06d}", published or self.now)
        self.records = fold(self.records, dated, self.settings)
        places = itertools.count()
        applied: tuple[CapSpendingChange, ...] = ()
        try:
            for number in range(ROUNDS):
                decided = self._decide(dated, applied, is_first=number == 0)
                if not decided.changes:
                    return
                for change in decided.changes:
                    fault(next(places), change)
                    self._apply(change)
                    fault(next(places), change)
                applied = decided.changes
            raise AssertionError(f"the plan is never empty: {self.plans[-1]}")
        except Crash:
            return

    def change_by_hand(self, name: str, value: int | str) -> None:
        """A person sets what we may hold of a resource."""
        match self.resources[name]:
            case RunService() as service:
                self.resources[name] = replace(service, max_instances=int(value))
            case ScheduledJob() as job:
                self.resources[name] = replace(job, state=str(value))
            case ProjectBilling() as project:
                self.resources[name] = replace(project, account=str(value))

    @property
    def values(self) -> Mapping[str, object]:
        """The field of each resource that may be held, by the last part of its name."""
        return {
            name.rpartition("/")[2]: next(iter(resource.current.values())) for name, resource in self.resources.items()
        }

    def maximum(self) -> object:
        """The maximum instances of the service `api`."""
        return self.values["api"]

    @property
    def planned(self) -> list[str]:
        """The kinds of all changes that the latest run planned, round by round."""
        return [change.kind for plan in self.plans for change in plan.changes]

    def comes_next(self) -> tuple[str, ...]:
        """The next steps in the latest plan."""
        return tuple(map(str, self.plans[-1].next))

    def _decide(
        self, event: Dated[Event], applied: tuple[CapSpendingChange, ...], *, is_first: bool
    ) -> CapSpendingDecision:
        context = Context(event, self.records, self.restrictions, self.settings, self.now, examples.PROJECT)
        world = World()
        while missing := world.missing(AUTOMATION.needs(context, world)):
            world = world.with_answers({need: self._look(need) for need in missing})
        self.looked_at = frozenset(map(type, world.answers)) if is_first else self.looked_at
        decided = guarded(AUTOMATION, context, world, AUTOMATION.decide(context, world, applied))
        self.notices += [line for line in map(str, decided.notices) if line not in self.notices]
        self.plans.append(decided)
        self.records = decided.records.before(decided.changes)
        return decided

    def _look(self, need: CapSpendingNeed) -> object:
        match need:
            case ServicesIn(parent=parent):
                return self._under(f"{parent}/services/", RunService)
            case WorkerPoolsIn(parent=parent):
                return self._under(f"{parent}/workerPools/", WorkerPool)
            case JobsIn(parent=parent):
                return self._under(f"{parent}/jobs/", ScheduledJob)
            case CapOf(parent=name):
                return GoogleCap(name)
            case BillingOf(parent=project):
                return self.resources.get(project) or ProjectBilling(project, "")
            case AmountOf(budget=name):
                ids = {budget.id: key for key, budget in self.settings.budgets.items()}
                return BudgetAmount(exists=True, amount=self.amounts.get(ids[name.rpartition("/")[2]]))

    def _under(self, prefix: str, kind: type[Listed]) -> tuple[Listed, ...]:
        found = (one for name, one in self.resources.items() if name.startswith(prefix))
        return tuple(one for one in found if isinstance(one, kind))

    def _apply(self, change: CapSpendingChange) -> None:
        match change:
            case Notify():
                self.notified.append(change.scope)
            case SetRestrictions(restrictions=restrictions):
                self.restrictions = restrictions
            case SetMaxInstances(max_instances=value):
                self.change_by_hand(change.target, value)
            case PauseJob():
                self.change_by_hand(change.target, "PAUSED")
            case ResumeJob():
                self.change_by_hand(change.target, "ENABLED")
            case DetachBilling():
                self.change_by_hand(change.target, "")
            case LinkBilling(account=account):
                self.change_by_hand(change.target, account)
