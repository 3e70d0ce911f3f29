"""Never a gap: what every revision that serves refers to is enabled, and accepted by the system behind it.

It is looked at after every API call of a run, by a probe that stands between the runs and the local cloud.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager

from localcloud.core.calls import is_read
from localcloud.core.server import ApiError
from localcloud.run.secrets import secret_versions
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.stage import REGION, Stage
from tests.laws.probe import CrashingProbe, Probe

Accepts = Callable[[str, list[str]], None]
"""Raises unless the values of one secret (by its id) that one revision or job has are accepted."""


class Gap(AssertionError):
    """A client is served with a value that is not accepted."""


def serving(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Every revision that has traffic or a tag, and what jobs would run with, by name."""
    cloud = stage.cloud
    for service in cloud.run.list_services(run_v2.ListServicesRequest(parent=REGION)).services:
        for status in service.traffic_statuses:
            pinned = f"{service.name}/revisions/{status.revision}" if status.revision else ""
            name = pinned or service.latest_ready_revision
            yield name, cloud.revisions.get_revision(run_v2.GetRevisionRequest(name=name))
    for job in cloud.run_jobs.list_jobs(run_v2.ListJobsRequest(parent=REGION)).jobs:
        yield job.name, job.template.template


def check(stage: Stage, accepts: Accepts) -> None:
    """Raise ``Gap`` if there is one. The local cloud is asked past its server: faults are for the runs."""
    for user, template in serving(stage):
        held: dict[str, list[str]] = {}
        for name in secret_versions(template, "my-product"):
            try:
                answer = stage.cloud.secrets.access_secret_version(secretmanager.AccessSecretVersionRequest(name=name))
            except ApiError as error:
                raise Gap(f"{user} serves with {name}, which cannot be read: {error}") from error
            held.setdefault(name.split("/")[3], []).append(answer.payload.data.decode())
        for secret_id, values in held.items():
            try:
                accepts(secret_id, values)
            except (psycopg.Error, AssertionError) as error:
                raise Gap(f"{user} serves with a value of {secret_id} that is not accepted: {error}") from error


@dataclass
class Applications:
    """Applications that log in with what their revisions hold, and a webhook that GitHub signs."""

    stage: Stage
    database: Database | None = None
    """The database whose address is in the secret ``db``."""
    webhook: tuple[str, int] | None = None
    """The repository and the hook that the secret ``webhook`` is of."""
    follows: bool = False
    """Whether the receiver reads the newest of ``webhook`` and ``webhook-previous``, and remembers it for a minute."""
    logins: int = 0
    _accepted: set[tuple[str, str]] = field(default_factory=set)
    """Addresses of successful logins, each with the server's passwords at that time."""
    _seen: str = ""
    _read: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list)
    """The versions that receivers of ``latest`` have read, and the latest time for each."""

    def accept(self, key: str, values: list[str]) -> None:
        """Log in, or see whether a receiver accepts what GitHub signs with."""
        if key == "db" and self.database:
            # While neither an address nor the server's passwords change, logging in once more would tell nothing new.
            passwords = self.database.passwords()
            for value in values:
                if (value, passwords) not in self._accepted:
                    self.database.log_in(value)
                    self.logins += 1
                    self._accepted.add((value, passwords))
        if key == "webhook" and self.webhook and not self.follows:
            assert self.stage.cloud.github.hook_secret(*self.webhook) in values

    def _check_followers(self) -> None:
        """A process that read the files within the last minute accepts GitHub's present signature."""
        if not (self.follows and self.webhook):
            return
        now = self.stage.cloud.clock.now()
        newest = tuple(self.stage.payload("latest", secret) for secret in ("webhook", "webhook-previous"))
        if self._read and self._read[-1][1] != newest:
            self._read[-1] = (now, self._read[-1][1])
        if not self._read or self._read[-1][1] != newest:
            self._read.append((now, newest))
        self._read[-1] = (now, newest)
        for until, pair in self._read:
            if until >= now - timedelta(minutes=1) and self.stage.cloud.github.hook_secret(*self.webhook) not in pair:
                raise Gap(f"a receiver that has read at {until} does not accept what GitHub signs with")

    def check(self) -> None:
        """Raise ``Gap`` if any of them is left without."""
        self._seen = self._passwords()
        check(self.stage, self.accept)
        self._check_followers()

    def check_after(self, method: str) -> None:
        """The same after an API call: one that only reads leaves all as it was, unless the database has changed."""
        if not is_read(method.removeprefix("/")) or self._passwords() != self._seen:
            self.check()

    def _passwords(self) -> str:
        return self.database.passwords() if self.database else ""


class GapProbe(Probe):
    """Looks for a gap after every API call."""

    def __init__(self, applications: Applications) -> None:
        super().__init__()
        self._applications = applications

    def after(self, method: str) -> None:
        """Look."""
        super().after(method)
        self._applications.check_after(method)


class CrashingGapProbe(CrashingProbe):
    """Looks for a gap after every API call, until the process dies at one."""

    def __init__(self, at: int, applications: Applications, *, answer_lost: bool) -> None:
        super().__init__(at, answer_lost=answer_lost)
        self._applications = applications

    def after(self, method: str) -> None:
        """Look, then die here if this is the call."""
        self._applications.check_after(method)
        super().after(method)
