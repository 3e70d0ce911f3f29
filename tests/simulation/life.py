"""All automations on one local cloud with one clock: messages are delivered, runs fail and die, people act."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import msgspec
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.run_v2 import Service, ServicesClient
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.pubsub_v1 import types as pubsub
from grpc import StatusCode
from msgspec.structs import replace

from infra.suite.automations import load_automations
from infra.suite.loading import load_automation
from localcloud import LocalCloud
from localcloud.github.state import Head
from localcloud.world import seed, world_from
from shared.automation import AnyAutomation
from shared.direct_clients import DirectClients
from shared.errors import RunFailed
from shared.events import inbox_of
from shared.github_events import TOPIC as PULL_REQUESTS
from shared.lease import DURATION
from shared.report import Outcome, Report
from shared.run import run
from shared.runtime import Runtime
from tests.laws.probe import Crash, CrashingProbe, Probe, Switchboard
from tests.laws.pushed import cloud_event_of
from tests.laws.scenario import Event
from tests.simulation import world
from tests.simulation.deployed import Deployed

COSTS, REPORTS, NOTIFIER = "caretaker-budget-notifications", "caretaker-reports", "notify_chat"
BACKUP_BYTES = 1_000_000


class Trouble(msgspec.Struct, frozen=True):
    """Calls of a method that fail in some runs, so often in each of them."""

    method: str
    code: StatusCode
    runs: int
    times: int
    after_effect: bool


@dataclass
class Life:
    """The cloud, the settings, and what people have made of the resources."""

    replaced: Mapping[str, AnyAutomation] = field(default_factory=dict)
    """Automations with a planted bug, by name."""

    def __post_init__(self) -> None:
        self.cloud = LocalCloud(now=world.START)
        self.switchboard = Switchboard()
        self.clients = DirectClients(world.HOME, self.cloud, watcher=self.switchboard)
        self.people = DirectClients(world.PRODUCT, self.cloud, watcher=Switchboard())
        owner = world.owner()
        self.entries = {name: entry for name, entry in load_automations().items() if name in owner}
        self.automations = {name: self.replaced.get(name) or load_automation(name) for name in self.entries}
        self.deployed = Deployed(self.entries, self.automations, self.clients)
        self.maxima = dict(world.LIMITED)
        """Each service's maximum, as people last set it."""
        self.reports: dict[str, Report] = {}
        """The latest of each automation."""
        self.costs = dict.fromkeys(world.BUDGETS, (0.0, world.START))
        self.commits: dict[int, int] = {}
        """By open pull request, its head."""
        self.probe: Probe | None = None
        self.troubles: list[Trouble] = []
        self.untold: list[dict[str, Any]] = []
        """Reports that a log sink has published, and that no run of `notify_chat` has taken."""
        self.runs = 0
        self._numbers = 0

    def __enter__(self) -> Self:
        for name, entry in self.entries.items():
            for topic in {inbox_of(name), *entry.topics}:
                self.cloud.pubsub.create_topic(pubsub.Topic(name=f"projects/{world.HOME}/topics/{topic}"))
        seed(self.cloud, world_from(world.WORLD))
        self.back_up(days=4)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clients.close()
        self.people.close()
        self.cloud.stop()

    @property
    def now(self) -> datetime:
        """The time of the one clock."""
        return self.cloud.clock.now()

    # Messages

    def deliver(
        self, name: str, data: Mapping[str, Any], *, topic: str = "", at: datetime | None = None, **more: str
    ) -> bool:
        """Deliver a message once; False if its run failed or died, so that it would be delivered again."""
        self._numbers += 1
        event = Event(
            name=f"m{self._numbers}",
            topic=topic or inbox_of(name),
            attributes=more,
            data=dict(data),
            published=at or self.now,
        )
        return self._run(name, event)

    def tick(self, name: str) -> bool:
        """A tick of an automation."""
        tick = self.entries[name].tick
        return self.deliver(name, {"type": "tick", "every_seconds": tick.every_seconds if tick else 600})

    def tick_all(self) -> None:
        """A tick of every automation; runs may fail."""
        for name in self.automations:
            self.tick(name)

    def notify(self, key: str, cost: float, *, at: datetime | None = None) -> bool:
        """A budget reports what it has cost since the first of the month."""
        when = at or self.now
        start = when.replace(day=1, hour=8, minute=0, second=0, microsecond=0)
        id_, amount = world.BUDGETS[key]
        data = {
            "budgetDisplayName": key,
            "costAmount": cost,
            "costIntervalStart": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "budgetAmount": float(amount),
            "currencyCode": "USD",
        }
        about = {"billingAccountId": world.ACCOUNT, "budgetId": id_, "schemaVersion": "1.0"}
        return self.deliver("cap_spending", data, topic=COSTS, at=when, **about)

    def tell(self, *, again: bool = False) -> None:
        """Deliver the reports that have not been taken, in order; ``again``: the last of them once more."""
        for log_entry in (*self.untold, *(self.untold[-1:] if again else ())):
            if self.deliver(NOTIFIER, log_entry, topic=REPORTS) and log_entry in self.untold:
                self.untold.remove(log_entry)

    def _run(self, name: str, event: Event) -> bool:
        if name not in self.deployed.owner:
            return True
        reports: list[Report] = []
        runtime = Runtime(self.clients, clock=lambda: self.now, report=reports.append, log=lambda _: None)
        probe, self.probe = self.probe or Probe(), None
        self.runs += 1
        self.switchboard.connect(probe)
        for trouble in self.troubles:
            self.cloud.server.fail(trouble.method, trouble.code, times=trouble.times, after_effect=trouble.after_effect)
        self.cloud.server.authorize = self.deployed.authorize(name)
        try:
            run(self.automations[name], self.deployed.settings_of(name), cloud_event_of(event, world.HOME), runtime)
        except RunFailed:
            return False
        except Crash:
            return False
        finally:
            self.switchboard.disconnect()
            self.cloud.server.authorize = None
            self.cloud.server.clear_faults()
            self.troubles = [replace(one, runs=one.runs - 1) for one in self.troubles if one.runs > 1]
            self.cloud.clock.settle()
            if reports:
                self.reports[name] = reports[-1]
                if name != NOTIFIER and reports[-1].outcome is not Outcome.UNCHANGED:
                    payload = {"report": msgspec.to_builtins(reports[-1])}
                    self.untold.append({"timestamp": f"{self.now:%Y-%m-%dT%H:%M:%SZ}", "jsonPayload": payload})
        return True

    # Trouble

    def fail(self, trouble: "Trouble") -> None:
        """Let calls of the next runs fail."""
        self.troubles.append(trouble)

    def die(self, at: int, *, answer_lost: bool) -> None:
        """Let the next run die at one of its calls."""
        self.probe = CrashingProbe(at, answer_lost=answer_lost)

    def set_delay(self, seconds: int) -> None:
        """Set the duration of operations from now on."""
        for service in (self.cloud.run, self.cloud.run_jobs, self.cloud.worker_pools, self.cloud.gke):
            service.operation_delay = timedelta(seconds=seconds)

    def pass_time(self, hours: float) -> None:
        """Let time pass; a lease that a dead run held expires within an hour."""
        self.cloud.clock.advance(timedelta(hours=hours))

    # People

    def set_maximum(self, name: str, maximum: int) -> None:
        """A person says how far a service may grow, if it is not busy."""
        scaling = {"max_instance_count": maximum}
        service = Service(name=f"{world.REGION}/services/{name}", scaling=scaling)
        if self._update(service, "scaling.max_instance_count"):
            self.maxima[name] = maximum

    def deploy(self, name: str) -> None:
        """The product is deployed: the service gets a new revision, with the versions that it refers to."""
        full_name = f"{world.REGION}/services/{name}"
        service = self.people.of(ServicesClient).get_service(request={"name": full_name})
        service.template.annotations["deployed"] = str(self._numbers)
        self._update(Service(name=full_name, template=service.template), "template")

    def _update(self, service: Service, path: str) -> bool:
        request = {"service": service, "update_mask": {"paths": [path]}}
        try:
            self.people.of(ServicesClient).update_service(request=request)
        except GoogleAPICallError:
            return False
        return True

    def open(self, number: int, commit: int, *, image: bool) -> None:
        """A user opens a pull request, and CI may push its image."""
        self.cloud.github.open_pull_request(world.TEAM, number, Head(f"{commit:040x}"))
        self.commits[number] = commit
        if image:
            self.push_image(commit)

    def push_image(self, commit: int) -> None:
        """CI pushes the image of a commit."""
        self.cloud.artifact_registry.push_image(world.REGISTRY, "api", f"sha256:{commit:064x}", [f"{commit:040x}"])

    def close(self, number: int) -> None:
        """A user closes a pull request."""
        self.cloud.github.close(world.TEAM, number)
        del self.commits[number]

    def tell_of(self, number: int, action: str, commit: int) -> bool:
        """GitHub's webhook about a pull request arrives."""
        data = {
            "type": "pull_request",
            "repository": world.TEAM,
            "number": number,
            "action": action,
            "head_sha": f"{commit:040x}",
            "updated_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
            "sender": world.WRITER,
        }
        return self.deliver("manage_previews", data, topic=PULL_REQUESTS)

    def back_up(self, *, days: int = 1, size: int = BACKUP_BYTES) -> None:
        """A job writes a backup; or those of several days."""
        for before in reversed(range(days)):
            when = self.now - timedelta(days=before)
            metadata = {
                "caretaker-sha256": "0" * 64,
                "caretaker-size": str(BACKUP_BYTES),
                "caretaker-finished": f"{when:%Y-%m-%dT%H:%M:%SZ}",
            }
            name = f"{world.PREFIX}{when:%Y%m%dT%H%M%SZ}.dump"
            self.cloud.storage.write(world.BUCKET, name, size, metadata)

    # The end

    def come_to_rest(self) -> None:
        """The first settings, no faults, a new month without costs, and commands that restore everything."""
        self.troubles, self.probe = [], None
        self.set_delay(0)
        self.deployed.edit(world.owner())
        self.pass_time(DURATION / timedelta(hours=1) + 0.2)
        month = (self.now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=12)
        self.cloud.clock.advance_to(month)
        for key in world.BUDGETS:
            self.costs[key] = (0.0, self.now)
            self.notify(key, 0.0)
        self.deliver("cap_spending", {"type": "undo"})
        self.deliver("manage_previews", {"type": "resume"})
        until = f"{self.now + timedelta(days=4):%Y-%m-%dT%H:%M:%SZ}"
        self.deliver("scale_gpu_pools", {"type": "awake", "until": until})
        # What a rotation leaves behind is retired after a day.
        self._tick_through(0.2, 0.2, 0.2, 30, 0.2, 0.2)
        if self._is_rotation_due():  # by its schedule, in just these minutes: it is no unrest
            self._tick_through(30, 0.2)

    def _tick_through(self, *waits: float) -> None:
        """Tick, tell and wait for so many hours, again and again."""
        for hours in waits:
            self.tick_all()
            self.tell()
            self.pass_time(hours)

    def _is_rotation_due(self) -> bool:
        versions = self.people.of(SecretManagerServiceClient).list_secret_versions(request={"parent": world.SECRET})
        newest = max(version.create_time for version in versions)
        return bool(newest + timedelta(days=world.ROTATION_DAYS) <= self.now)
