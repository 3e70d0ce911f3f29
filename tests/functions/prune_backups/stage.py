"""The stage for `prune_backups`: a seeded local cloud, its runs, and what is in the bucket."""

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from functions.prune_backups.automation import AUTOMATION
from functions.prune_backups.settings import Settings
from localcloud import LocalCloud
from localcloud.storage.state import Zeros
from shared.clients import Clients, RetryPolicy
from shared.direct_clients import DirectClients
from shared.events import inbox_of
from shared.report import Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode, parse
from tests.functions.prune_backups.examples import LENIENT, NOW
from tests.laws.harness import cloud_event_of
from tests.laws.probe import Probe, Switchboard
from tests.laws.scenario import Event

PROJECT = "caretaker-home"
BUCKET = "my-backups"
NIGHTLY = "shop/%Y%m%dT%H%M%SZ.dump"
QUICK = RetryPolicy(first=0.001, longest=0.002, give_up=0.03)
HOST = "storage.googleapis.com"
SHOP: dict[str, object] = {
    "bucket": BUCKET,
    "prefix": "shop/",
    "name": "{time:%Y%m%dT%H%M%S%z}.dump",
    "retention": {"keep_last": 3},
    **LENIENT,
}


class Stage:
    """A local cloud with one bucket, and runs of `prune_backups` on it."""

    def __init__(self, *, bucket: Mapping[str, object] | None = None, **sets: Any) -> None:
        self.cloud = LocalCloud(now=NOW)
        section = {"mode": "act", "sets": sets or {"shop": SHOP}}
        self.settings = parse({"prune_backups": section}, "prune_backups", Settings).section
        self.mode = Mode.ACT
        self.reports: list[Report] = []
        self.switchboard = Switchboard()
        self.clients: Clients = DirectClients(PROJECT, self.cloud, retry=QUICK, watcher=self.switchboard)
        self.seconds: Callable[[], float] = lambda: 0.0
        self._number = 0
        self.cloud.storage.add_bucket("my-product", BUCKET, dict(bucket or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clients.close()
        self.cloud.stop()

    def nightly(self, count: int, *, name: str = NIGHTLY, size: int = 1000, **fields: object) -> list[str]:
        """A backup of each of the last nights, at two o'clock; their names, the oldest first."""
        times = [NOW.replace(hour=2) - timedelta(days=number) for number in reversed(range(count))]
        for time in times:
            self.cloud.storage.add_object(BUCKET, time.strftime(name), Zeros(size), dict(fields), created=time)
        return [time.strftime(name) for time in times]

    def put(self, name: str, size: int = 1000, *, created: datetime | None = None, **fields: object) -> None:
        """An object, written at the time in its name if it has one."""
        found = re.search(r"\d{8}T\d{6}Z", name)
        with contextlib.suppress(ValueError):
            created = created or (datetime.strptime(found[0], "%Y%m%dT%H%M%S%z") if found else None)
        self.cloud.storage.add_object(BUCKET, name, Zeros(size), dict(fields), created=created)

    def patch(self, name: str, **fields: Any) -> None:
        """A person changes an object's metadata."""
        url = self.clients.url(f"https://{HOST}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
        assert self.clients.session.patch(url, json=fields, timeout=10).ok

    def delete(self, name: str, **parameters: int) -> None:
        """A person deletes an object, or, with a generation, that version."""
        url = self.clients.url(f"https://{HOST}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}")
        assert self.clients.session.delete(url, params=parameters, timeout=10).ok

    def rename(self, key: str, other: str) -> None:
        """The owner gives a set another key."""
        sets = {other if one == key else one: settings for one, settings in self.settings.sets.items()}
        self.settings = Settings(sets=sets)

    @property
    def names(self) -> list[str]:
        """The names of all objects that are there."""
        return self.cloud.storage.names(BUCKET)

    def tick(self) -> Report:
        """A tick comes."""
        return self.push({"type": "tick", "every_seconds": 86400})

    def push(self, data: dict[str, object], *, probe: Probe | None = None) -> Report:
        """Take a message through a run, and answer its report; raises what the run raises."""
        self.cloud.server.clear_calls()
        self._number += 1
        event = Event(
            name=f"m{self._number}", topic=inbox_of("prune_backups"), data=data, published=self.cloud.clock.now()
        )
        runtime = Runtime(self.clients, clock=self.cloud.clock.now, report=self.reports.append, seconds=self.seconds)
        self.switchboard.connect(probe or Probe())
        try:
            return run(AUTOMATION, Configuration(self.mode, self.settings), cloud_event_of(event, PROJECT), runtime)
        finally:
            self.switchboard.disconnect()

    def calls(self, method: str) -> list[Any]:
        """The requests of the last run's calls whose method begins so."""
        return [call.request for call in self.cloud.server.calls if call.method.startswith(method)]


class Interfering(Probe):
    """Does something once, just before the first call whose method begins so."""

    def __init__(self, method: str, happens: Callable[[], object]) -> None:
        super().__init__()
        self._method = method
        self._happens: Callable[[], object] | None = happens

    def before(self, method: str) -> None:
        """See `Probe`."""
        if method.startswith(self._method) and self._happens:
            happens, self._happens = self._happens, None
            happens()
        super().before(method)
