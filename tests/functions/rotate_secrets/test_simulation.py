"""Faults, restarts, commands and people in any order: never a gap, and in the end all is on one version."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager
from grpc import StatusCode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from psycopg.sql import SQL, Identifier

from functions.rotate_secrets.kinds.database_address import DatabaseAddress
from shared.errors import RunFailed
from shared.postgres_server import PostgresServer
from tests.functions.rotate_secrets.databases import Database, a_database
from tests.functions.rotate_secrets.gap import Applications, CrashingGapProbe, GapProbe
from tests.functions.rotate_secrets.stage import PRODUCT, REGION, Stage, a_secret, a_service, a_world, settings_of
from tests.laws.probe import Crash

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
SERVICES = ("api", "worker")


@dataclass(frozen=True)
class Act:
    """Something that happens: by a method of `Life`, with these arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


acts = some.one_of(
    some.builds(lambda hours: Act("tick", (hours,)), some.sampled_from([0.2, 2, 26])),
    some.sampled_from([Act("rotate"), Act("rotate"), Act("roll_back"), Act("pin"), Act("unpin"), Act("deploy")]),
    some.sampled_from([Act("reject"), Act("slow", (60,)), Act("slow", (0,)), Act("stranger")]),
    some.sampled_from([Act("change_by_hand"), Act("disable"), Act("leave"), Act("come_back"), Act("run_job")]),
    some.builds(lambda at, lost: Act("die", (at, lost)), some.integers(4, 34), some.booleans()),
    some.builds(
        lambda method, code, after: Act("fail", (method, code, after)),
        some.sampled_from(
            ["UpdateSecret", "AddSecretVersion", "UpdateService", "DisableSecretVersion", "List", "Access"]
        ),
        some.sampled_from([StatusCode.UNAVAILABLE, StatusCode.ABORTED, StatusCode.PERMISSION_DENIED]),
        some.booleans(),
    ),
)


class Life:
    """A secret and those that use it, and what happens to them."""

    def __init__(self, stage: Stage, applications: Applications, secret_id: str) -> None:
        self.stage = stage
        self.applications = applications
        self.secret_id = secret_id
        self._settings = stage.settings
        self._rejects = False
        self._execution = ""
        stage.probe = lambda: GapProbe(applications)

    def tick(self, hours: float) -> None:
        with contextlib.suppress(RunFailed):
            self.stage.tick(hours=hours)

    def rotate(self) -> None:
        with contextlib.suppress(RunFailed):
            self.stage.command("rotate", minutes=1)

    def roll_back(self) -> None:
        with contextlib.suppress(RunFailed):
            if self.stage.settings.secrets:
                self.stage.command("roll_back", self.stage_key, minutes=1)

    def die(self, at: int, lost: bool) -> None:  # noqa: FBT001 - as drawn
        self.stage.probe = lambda: CrashingGapProbe(at, self.applications, answer_lost=lost)
        with contextlib.suppress(RunFailed, Crash):
            self.stage.command("rotate", minutes=1)
        self.stage.probe = lambda: GapProbe(self.applications)

    def fail(self, method: str, code: StatusCode, after: bool) -> None:  # noqa: FBT001 - as drawn
        self.stage.cloud.server.fail(f"/{method}", code, times=2, after_effect=after)
        self.rotate()
        self.stage.cloud.server.clear_faults()

    def pin(self) -> None:
        """A person pins traffic to what is ready."""
        ready = self.stage.service("api").latest_ready_revision.rpartition("/")[2]
        self._route({"type_": REVISION, "revision": ready, "percent": 100})

    def unpin(self) -> None:
        self._route({"type_": LATEST, "percent": 100})

    def deploy(self) -> None:
        """A person deploys something else with the same references, as they are."""
        service = self.stage.service("worker")
        service.template.labels["deployed"] = str(service.generation)
        self._update(service, "template")

    def reject(self) -> None:
        """A service cannot make anything of the next version."""
        self._rejects = True
        newest = len(self.stage.versions(self.secret_id))
        version = f"{PRODUCT}/secrets/{self.secret_id}/versions/{newest + 1}"
        self.stage.cloud.run.reject_version(f"{REGION}/services/worker", version)

    def slow(self, seconds: int) -> None:
        self.stage.cloud.run.operation_delay = timedelta(seconds=seconds)

    def stranger(self) -> None:
        """A person adds a version by hand."""
        request = {"parent": f"{PRODUCT}/secrets/{self.secret_id}", "payload": {"data": b"by hand"}}
        self.stage.people.of(secretmanager.SecretManagerServiceClient).add_secret_version(request=request)

    def change_by_hand(self) -> None:
        """A person changes what the secret holds, adds a version with it, and serves everything with that."""
        services = [self.stage.service(name) for name in SERVICES]
        if self._execution:
            self.run_job()
        if (
            self._rejects
            or self.stage.cloud.run.operation_delay
            or any(service.reconciling or service.traffic[0].revision for service in services)
        ):
            return  # That would be a gap of the person's own.
        value = self.stage.payload(self.stage.said("api")[0], self.secret_id)
        if self.applications.database:
            value = self._change_password(self.applications.database, value)
            if any(value.partition(":")[0] != self._served(name).partition(":")[0] for name in SERVICES):
                return
        request = {"parent": f"{PRODUCT}/secrets/{self.secret_id}", "payload": {"data": value.encode()}}
        self.stage.manager.add_secret_version(request=request)
        newest = str(len(self.stage.versions(self.secret_id)))
        for name in SERVICES:
            service = self.stage.service(name)
            service.template.containers[0].env[0].value_source.secret_key_ref.version = newest
            self._update(service, "template")
        job = self.stage.job("nightly")
        job.template.template.containers[0].env[0].value_source.secret_key_ref.version = newest
        self.stage.people.of(run_v2.JobsClient).update_job(request={"job": job})

    def _served(self, name: str) -> str:
        return self.stage.payload(self.stage.said(name)[0], self.secret_id)

    def _change_password(self, database: Database, address: str) -> str:
        read = DatabaseAddress.read(address.encode())
        database.superuser.execute(SQL("ALTER ROLE {} PASSWORD 'by hand'").format(Identifier(read.user)))
        return read.with_user(read.user, "by hand")

    def disable(self) -> None:
        """A person disables the version from before, if nothing serves with it."""
        said = {version for name in SERVICES for version in self.stage.said(name)}
        for number in self.stage.state(self.secret_id).retiring:
            if str(number) not in said:
                name = f"{PRODUCT}/secrets/{self.secret_id}/versions/{number}"
                self.stage.manager.disable_secret_version(request={"name": name})

    def leave(self) -> None:
        """The secret leaves the settings, and a tick sees that."""
        self.stage.settings = msgspec.structs.replace(self._settings, secrets={})
        self.tick(0.2)

    def come_back(self) -> None:
        self.stage.settings = self._settings

    def run_job(self) -> None:
        """A job runs for good, or the one that runs ends."""
        if self._execution:
            self.stage.cloud.executions.end(self._execution)
            self._execution = ""
        else:
            self._execution = self.stage.cloud.executions.start(f"{REGION}/jobs/nightly").name

    def settle(self) -> None:
        """Nothing more happens but time."""
        self.come_back()
        if self._execution:
            self.run_job()
        self.slow(0)
        self.unpin()
        self.rotate()  # This adopts what a person has put in place.
        for _ in range(6):
            self.stage.tick(hours=26)
            state = self.stage.state(self.secret_id)
            if not state.attempt and not state.older and not state.failed:
                return

    @property
    def stage_key(self) -> str:
        return next(iter(self._settings.secrets))

    def _route(self, target: dict[str, object]) -> None:
        self._update(run_v2.Service(name=f"{REGION}/services/api", traffic=[target]), "traffic")

    def _update(self, service: run_v2.Service, path: str) -> None:
        wanted = run_v2.Service(service)
        wanted.etag = ""
        request = {"service": wanted, "update_mask": {"paths": [path]}}
        self.stage.people.of(run_v2.ServicesClient).update_service(request=request)


@contextlib.contextmanager
def a_life(kind: str, postgres: PostgresServer) -> Iterator[Life]:
    """A secret of a kind, with two services that have it."""
    services = {name: a_service(f"{'db' if kind == 'postgres' else 'key'}:1") for name in SERVICES}
    jobs = {"nightly": a_service(f"{'db' if kind == 'postgres' else 'key'}:1")}
    if kind == "random":
        with Stage(settings_of(), a_world(services=services, run_jobs=jobs)) as stage:
            yield Life(stage, Applications(stage), "key")
        return
    with a_database(postgres) as database:
        value = {"users": list(database.users), "admin_secret": f"{PRODUCT}/secrets/admin", "require_tls": False}
        secret = a_secret("db", value={"kind": "postgres", **value})
        secrets = {"db": {"versions": [database.address]}, "admin": {"versions": [database.admin]}}
        with Stage(
            settings_of({"db": secret}),
            a_world(secrets=secrets, services=services, run_jobs={"nightly": a_service("db:1")}),
        ) as stage:
            yield Life(stage, Applications(stage, database), "db")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=some.sampled_from(["postgres", "random"]), happens=some.lists(acts, min_size=2, max_size=6))
def test_whatever_happens(postgres: PostgresServer, kind: str, happens: list[Act]) -> None:
    with a_life(kind, postgres) as life:
        life.tick(1)
        for act in happens:
            getattr(life, act.name)(*act.arguments)
            life.applications.check()
        life.settle()
        state = life.stage.state(life.secret_id)
        states = life.stage.versions(life.secret_id)
        assert state.attempt is None
        assert states[state.current - 1] == "ENABLED"
        assert not state.older
        for name in SERVICES:
            service = life.stage.service(name)
            assert life.stage.said(name) == [str(state.current)]
            assert service.terminal_condition.state.name == "CONDITION_SUCCEEDED"
