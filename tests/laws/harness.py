"""The stage on which a scenario is played: a local cloud, the official clients, and one automation's runs."""

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import msgspec
from cloudevents.http import CloudEvent
from google.protobuf.message import Message
from google.pubsub_v1 import types as pubsub
from grpc import StatusCode

from infra.suite.automations import Entry, load_automations
from localcloud import LocalCloud
from localcloud.core.calls import Call
from localcloud.core.happenings import happen
from localcloud.core.server import ApiError
from localcloud.core.snapshot import Snapshot
from localcloud.world import World, seed, world_from
from shared.automation import ALWAYS_INCIDENTAL
from shared.clients import Clients, RetryPolicy
from shared.direct_clients import DirectClients
from shared.errors import RunFailed, StillAtWork
from shared.events import Tick, inbox_of
from shared.lease import DURATION
from shared.report import Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode, parse
from shared.shared_reads import SharedReads
from shared.state import DATABASE
from tests.laws.broken import LawBroken, differences, in_lines
from tests.laws.case import Case, Delivery, is_history
from tests.laws.end_state import Places, Resources, end_state, places_of, resources
from tests.laws.github_end_state import let_look
from tests.laws.probe import PATIENCE_SECONDS, Crash, PausingProbe, Probe, Switchboard
from tests.laws.pushed import cloud_event_of
from tests.laws.scenario import Act, Event, Refusal, Scenario, ScenarioError

MOST_DELIVERIES = 5
"""The number of deliveries after which a law stops waiting for an acknowledgement."""
HASTY = RetryPolicy(first=0.0005, longest=0.001, give_up=0.012, timeout=20.0)
"""A read is retried several times, with short waits."""

State = dict[str, Any]
Authorize = Callable[[str, Message], None]


class Stage:
    """A local cloud seeded with the scenario's world, and the automation that runs on it.

    Its clients reach the cloud by the wire, or directly in this process, which takes half the time.
    """

    def __init__(self, case: Case, law: str, *, is_by_wire: bool = True) -> None:
        self.case = case
        self.law = law
        self.scenario = case.scenario
        self.automation = case.automation
        self.settings = parse(case.scenario.settings, case.automation.name, case.automation.section)
        self.settings.section.check_complete()
        if self.settings.mode is not Mode.ACT:
            raise ScenarioError(f"{case}: settings.mode: {self.settings.mode}; expected {Mode.ACT}")
        self._world = world_from(case.scenario.world)
        self.places: Places = places_of(self._world, case.entry)
        self.cloud = LocalCloud(now=case.scenario.now)
        self.authorize: Authorize | None = None
        """Restricts the calls of runs, if set: it raises ``ApiError`` for any other call."""
        self.refused: tuple[Refusal, ...] = case.scenario.refused
        self._switchboard = Switchboard()
        self._reads = SharedReads(longest_wait=0.01)
        """Of all runs, as those of one process: one that is held before it reads keeps others as long as this."""
        self._is_by_wire = is_by_wire
        self._cloud_events: dict[str, CloudEvent] = {}
        """By event: a law delivers the same one hundreds of times."""
        self._others = DirectClients(case.scenario.project, self.cloud, watcher=Switchboard())
        self.clients: Clients

    def __enter__(self) -> Self:
        self.clients = self._connect()
        cloud = self.cloud
        for service in (cloud.run, cloud.run_jobs, cloud.worker_pools, cloud.gke, cloud.budgets):
            service.operation_delay = timedelta(seconds=self.scenario.operation_seconds)
        for topic in sorted(_topics(self.scenario, self._world)):
            self.cloud.pubsub.create_topic(pubsub.Topic(name=f"projects/{self.scenario.project}/topics/{topic}"))
        seed(self.cloud, self._world)
        let_look(self.cloud)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clients.close()
        self._others.close()
        self.cloud.stop()

    def _connect(self) -> Clients:
        project, watcher = self.scenario.project, self._switchboard
        if not self._is_by_wire:
            return DirectClients(project, self.cloud, watcher=watcher)
        self.cloud.start()
        return Clients(
            project,
            endpoint=self.cloud.address,
            http_endpoint=self.cloud.http_address,
            retry=HASTY,
            watcher=watcher,
            concurrency=1,
        )

    # Time and messages

    def tick(self, since: datetime | None = None) -> list[Delivery]:
        """Let the period of the automation's tick pass, and deliver one; as often as the scenario says."""
        entry = self.case.entry.tick
        if entry is None:
            return []
        deliveries = []
        last = since or self.cloud.clock.now()
        for _ in range(self.scenario.ticks):
            last += timedelta(seconds=entry.every_seconds)
            self._advance_to(last)
            deliveries += self.deliver_until_acknowledged(self.a_tick())
        return deliveries

    def let_a_period_pass(self) -> None:
        """Advance the clock to the next tick, and perform the actions of others that are due."""
        period = self.case.entry.tick.every_seconds if self.case.entry.tick else 0
        self._advance_to(self.cloud.clock.now() + timedelta(seconds=period))

    def a_tick(self) -> Event:
        """The tick that Cloud Scheduler would publish now."""
        now = self.cloud.clock.now()
        period = self.case.entry.tick.every_seconds if self.case.entry.tick else 0
        data: dict[str, object] = msgspec.to_builtins(Tick(every_seconds=period))
        return Event(name=f"tick_{now:%d_%H%M%S}", topic=inbox_of(self.automation.name), data=data, published=now)

    def reach(self, event: Event) -> None:
        """Let time pass until the event has been published."""
        if event.published and event.published > self.cloud.clock.now():
            self._advance_to(event.published)

    def _advance_to(self, when: datetime) -> None:
        """Advance the clock, and perform the actions of others that are due."""
        before = self.cloud.clock.now()
        for act in self.scenario.meanwhile:
            if before < act.at <= when:
                self.cloud.clock.advance_to(act.at)
                self.let_others(act)
        self.cloud.clock.advance_to(when)

    def let_others(self, act: Act) -> None:
        """Perform another actor's action. Raises ``ScenarioError`` for one that is impossible."""
        if act.client:
            _call(act, self._others)
            return
        try:
            happen(act.happening, act.arguments, self.cloud)
        except (LookupError, ValueError, ApiError) as error:
            raise ScenarioError(f"{self.case}: {act} cannot happen: {type(error).__name__}: {error}") from error

    def play(self, events: Sequence[Event]) -> list[Delivery]:
        """Deliver events in order, each at its time, each until it is acknowledged."""
        return [delivery for event in events for delivery in self.deliver_until_acknowledged(event)]

    def deliver_until_acknowledged(self, event: Event) -> list[Delivery]:
        """Deliver a message as Pub/Sub would: again, while the run raises; later, if an earlier one has its lease.

        A run that fails for nothing but what the scenario refuses for good is not repeated: it would fail again.
        """
        deliveries = []
        error = None
        for _ in range(MOST_DELIVERIES):
            deliveries.append(self.deliver(event))
            if deliveries[-1].is_over:
                return [*deliveries, *self.play(self._own_messages(deliveries[-1]))]
            error = deliveries[-1].error
            if error and isinstance(error.__cause__, StillAtWork):
                self._advance_to(self.cloud.clock.now() + DURATION)
        raise self.broken(f"`{event.name}` was delivered {MOST_DELIVERIES} times and never acknowledged: {error}")

    def _own_messages(self, delivery: Delivery) -> list[Event]:
        """The messages that a run has published to its own inbox, to be woken by them."""
        inbox = inbox_of(self.automation.name)
        return [
            Event(
                name=f"woken_{call.at:%d_%H%M%S}_{number}", topic=inbox, text=message.data.decode(), published=call.at
            )
            for call in delivery.calls
            if call.method.endswith("Publisher/Publish") and call.code is StatusCode.OK
            if call.request.topic.endswith(f"/{inbox}")  # type: ignore[attr-defined] # it is a PublishRequest
            for number, message in enumerate(call.request.messages)  # type: ignore[attr-defined] # as above
        ]

    def deliver(self, event: Event, *, mode: Mode | None = None, probe: Probe | None = None) -> Delivery:
        """Deliver a message once, and see what comes of it."""
        self.reach(event)
        self.cloud.server.clear_calls()
        probe = probe or Probe()
        with self._restricted():
            report, error = self._run(event, probe, mode)
        self.cloud.clock.settle()
        return self._delivery(report, error, probe, tuple(self.cloud.server.calls))

    def deliver_twice_at_once(self, event: Event, at: int) -> tuple[Delivery, Delivery]:
        """Deliver a message, hold its run before API call ``at``, run a second delivery to its end, and let go."""
        self.reach(event)
        self.cloud.server.clear_calls()
        probe = PausingProbe(at)
        other = Probe()
        with self._restricted(), ThreadPoolExecutor(1) as first:
            running = first.submit(self._run, event, probe, None)
            try:
                if not probe.paused.wait(PATIENCE_SECONDS):
                    raise TimeoutError(f"the run did not come to call {at} within {PATIENCE_SECONDS} s")
                ended = self._run(event, other, None)
            finally:
                probe.resumed.set()
            held = running.result(PATIENCE_SECONDS)
        calls = tuple(self.cloud.server.calls)
        return self._delivery(*held, probe, calls), self._delivery(*ended, other, calls)

    def _delivery(
        self, report: Report | None, error: RunFailed | None, probe: Probe, calls: tuple[Call, ...]
    ) -> Delivery:
        return Delivery(report, error, tuple(probe.methods), calls, tuple(one.message for one in self.refused))

    def _run(self, event: Event, probe: Probe, mode: Mode | None) -> tuple[Report | None, RunFailed | None]:
        reports: list[Report] = []
        runtime = Runtime(
            self.clients,
            clock=self.cloud.clock.now,
            report=reports.append,
            split_above=self.case.split_above,
            reads=self._reads,
        )
        if self.scenario.seconds_a_call:
            runtime = msgspec.structs.replace(
                runtime, seconds=lambda: float(len(probe.methods) * self.scenario.seconds_a_call)
            )
        settings = Configuration(mode or self.settings.mode, self.settings.section)
        self._switchboard.connect(probe)
        try:
            run(self.automation, settings, self._cloud_event(event), runtime)
        except RunFailed as failed:
            return reports[-1] if reports else None, failed
        except Crash:
            return None, None
        finally:
            self._switchboard.disconnect()
        return reports[-1], None

    @contextlib.contextmanager
    def _restricted(self) -> Iterator[None]:
        """Refuse the calls of runs, for this while, that are to be refused."""
        server, authorize = self.cloud.server, self.authorize

        def refuse(method: str, request: Message) -> None:
            for one in self.refused:
                if one.is_of(method, request, self.cloud.clock.now()):
                    raise ApiError(StatusCode[one.code], one.message)
            if authorize:
                authorize(method, request)

        server.authorize = refuse if self.refused else authorize
        try:
            yield
        finally:
            server.authorize = None

    def _cloud_event(self, event: Event) -> CloudEvent:
        if event.name not in self._cloud_events:
            self._cloud_events[event.name] = cloud_event_of(event, self.scenario.project)
        return self._cloud_events[event.name]

    def play_until(self, part: str) -> Event:
        """Play every event before the one of this name, and return that: its time has come, and it is not delivered."""
        events = [*self.scenario.events, *([self.scenario.undo] if self.scenario.undo else [])]
        place = [event.name for event in events].index(part)
        self.play(events[:place])
        self.reach(events[place])
        return events[place]

    def play_to_the_end(self) -> list[Delivery]:
        """Play all events and the undo, with a tick after each of the two."""
        deliveries = [*self.play(self.scenario.events), *self.tick()]
        if self.scenario.undo:
            deliveries += [*self.play([self.scenario.undo]), *self.tick()]
        return deliveries

    def again_and_tick(self, event: Event) -> State:
        """Deliver a message again, then a tick at its time, however long that took, and return the end state."""
        before = self.cloud.clock.now()
        self.deliver_until_acknowledged(event)
        self.tick(since=before)
        return self.end_state()

    # What there is

    def snapshot(self) -> Snapshot:
        """All that the cloud holds now, to come back to."""
        return Snapshot(self.cloud)

    def end_state(self) -> State:
        """Resources and records as they are now, for laws to compare."""
        return end_state(
            self.clients,
            self.places,
            self.cloud.clock.now(),
            self.automation.records.incidental_fields | ALWAYS_INCIDENTAL,
        )

    def resources(self) -> Resources:
        """The resources alone."""
        return resources(self.clients, self.places)

    # What a law says

    def broken(self, what: str) -> LawBroken:
        """The error that says that this stage's law is broken here."""
        return LawBroken(self.law, self.case, what)

    def only_writes(self, call: Call, *collections: str) -> bool:
        """Whether a mutating call only writes this automation's own documents in these collections, or the history."""
        database = f"projects/{self.scenario.project}/databases/{DATABASE}/documents"
        own = {f"{database}/{collection}/{self.automation.name}" for collection in collections}
        writes = getattr(call.request, "writes", ())
        return call.method.endswith("Firestore/Commit") and all(
            write.update.name.partition(".")[0] in own or self.is_history(write) for write in writes
        )

    def is_history(self, write: Any) -> bool:
        """Whether a write of Firestore adds to the suite's history."""
        name: str = write.update.name
        return is_history(write) and name.startswith(f"projects/{self.scenario.project}/")

    def must_be(self, expected: object, actual: object, what: str) -> None:
        """Raise ``LawBroken`` with every difference, if there is one."""
        if expected != actual:
            found = differences(expected, actual)
            raise self.broken(f"{what}{in_lines(found)}")


def _call(act: Act, clients: Clients) -> None:
    module, _, name = act.client.rpartition(".")
    client = clients.of(getattr(importlib.import_module(module), name))
    getattr(client, act.method)(request=act.request)


def _topics(scenario: Scenario, world: World) -> set[str]:
    """The suite's own topics in its project, but those that the world makes itself."""
    there = world.projects[scenario.project].section("topics") if scenario.project in world.projects else []
    ours = {topic for name, entry in _automations().items() for topic in (inbox_of(name), *entry.topics)}
    return ours - set(there)


@functools.cache
def _automations() -> dict[str, Entry]:
    return load_automations()
