"""The stage for `prune_backups`: a seeded local cloud, its runs, and what is in the bucket."""

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from functions.prune_backups.automation import AUTOMATION
from functions.prune_backups.settings import Settings
from localcloud.storage.state import Zeros
from shared.report import Report
from shared.settings import parse
from tests.functions.prune_backups.examples import LENIENT, NOW
from tests.functions.stage import AutomationStage
from tests.laws.probe import Probe

BUCKET = "my-backups"
NIGHTLY = "shop/%Y%m%dT%H%M%SZ.dump"
HOST = "storage.googleapis.com"
SHOP: dict[str, object] = {
    "bucket": BUCKET,
    "prefix": "shop/",
    "name": "{time:%Y%m%dT%H%M%S%z}.dump",
    "retention": {"keep_last": 3},
    **LENIENT,
}


class Stage(AutomationStage[Settings]):
    """A local cloud with one bucket, and runs of `prune_backups` on it."""

    def __init__(self, *, bucket: Mapping[str, object] | None = None, **sets: Any) -> None:
        section = {"mode": "act", "sets": sets or {"shop": SHOP}}
        settings = parse({"prune_backups": section}, "prune_backups", Settings).section
        super().__init__(AUTOMATION, settings, now=NOW, world={})
        self.seconds = lambda: 0.0
        self.cloud.storage.add_bucket("my-product", BUCKET, dict(bucket or {}))

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
        return self.deliver(data, probe=probe)

    def requests_of(self, method: str) -> list[Any]:
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
