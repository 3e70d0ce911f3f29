"""The part that automations' stages share: a seeded local cloud in one process, and runs of one automation on it."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self

import msgspec

from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.automation import AnyAutomation, SectionT
from shared.clients import Clients
from shared.direct_clients import DirectClients
from shared.events import inbox_of
from shared.report import Report
from shared.restrictions import DOCUMENT, InForce, Restriction, SpendingRestrictions
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import State
from tests.laws.probe import Probe, Switchboard
from tests.laws.pushed import cloud_event_of
from tests.laws.scenario import Event

PROJECT = "caretaker-home"


class AutomationStage(Generic[SectionT]):
    """A local cloud, seeded, and runs of one automation on it. `people` are clients of the project that it acts on."""

    def __init__(
        self,
        automation: AnyAutomation,
        settings: SectionT,
        *,
        now: datetime,
        world: Mapping[str, Any],
        people_of: str = "my-product",
    ) -> None:
        self.cloud = LocalCloud(now=now)
        self.settings = settings
        self.mode = Mode.ACT
        self.reports: list[Report] = []
        self.switchboard = Switchboard()
        self.clients: Clients = DirectClients(PROJECT, self.cloud, watcher=self.switchboard)
        self.people: Clients = DirectClients(people_of, self.cloud, watcher=Switchboard())
        self.seconds: Callable[[], float] = time.monotonic
        self._automation = automation
        self._world = world
        self._number = 0

    def __enter__(self) -> Self:
        seed(self.cloud, world_from(self._world))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clients.close()
        self.people.close()
        self.cloud.stop()

    def advance(self, **time: float) -> None:
        """Let time pass: ``days=30``."""
        self.cloud.clock.advance(timedelta(**time))

    def deliver(self, data: Mapping[str, object], *, probe: Probe | None = None, **event: Any) -> Report:
        """Take a message through a run, and answer its report; raises what the run raises.

        It comes by the inbox and now, unless ``topic`` and ``published`` say otherwise; ``probe`` watches the calls.
        """
        self.cloud.server.clear_calls()
        self._number += 1
        defaults = {"topic": inbox_of(self._automation.name), "published": self.cloud.clock.now()}
        message = Event(name=f"m{self._number}", data=dict(data), **{**defaults, **event})
        runtime = Runtime(self.clients, clock=self.cloud.clock.now, report=self.reports.append, seconds=self.seconds)
        configuration = Configuration(self.mode, self.settings)
        with self.switchboard.watched_by(probe):
            return run(self._automation, configuration, cloud_event_of(message, PROJECT), runtime)

    def put_in_force(self, restriction: Restriction, because: str | None) -> None:
        """Put a spending restriction in force, or lift it if there is no reason."""
        state = State(self.clients)
        (known,) = state.read(DOCUMENT)
        force = InForce(self.cloud.clock.now(), (because,)) if because else None
        state.write(known, SpendingRestrictions({restriction: force} if force else {}))

    @property
    def calls(self) -> list[str]:
        """The methods of the calls since the last run began, in full."""
        return [call.method for call in self.cloud.server.calls]

    @property
    def mutating(self) -> list[str]:
        """The calls that change something other than our own state."""
        return [call.method for call in self.cloud.server.calls if call.mutating and "Firestore" not in call.method]


def last_part(methods: list[str]) -> list[str]:
    """Methods without their service: ``ListServices``."""
    return [method.rpartition("/")[2] for method in methods]


def report_text(report: Report) -> str:
    """A report as one text."""
    return msgspec.json.encode(report).decode()
