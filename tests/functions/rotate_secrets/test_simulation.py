"""Faults, restarts, commands and people in any order: never a gap, and in the end all is on one version."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager
from grpc import StatusCode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from shared.errors import RunFailed
from shared.postgres_server import PostgresServer
from tests.functions.rotate_secrets.databases import a_database
from tests.functions.rotate_secrets.gap import Applications, CrashingGapProbe, GapProbe
from tests.functions.rotate_secrets.stage import PRODUCT, REGION, Stage, a_secret, a_service, a_world, settings_of
from tests.laws.probe import Crash

pytestmark = pytest.mark.one_python

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
        stage.probe = lambda: GapProbe(applications)

    def tick(self, hours: float) -> None:
        with contextlib.suppress(RunFailed):
            self.stage.tick(hours=hours)

    def rotate(self) -> None:
        with contextlib.suppress(RunFailed):
            self.stage.command("rotate", minutes=1)

    def roll_back(self) -> None:
        with contextlib.suppress(RunFailed):
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
        newest = len(self.stage.versions(self.secret_id))
        version = f"{PRODUCT}/secrets/{self.secret_id}/versions/{newest + 1}"
        self.stage.cloud.run.reject_version(f"{REGION}/services/worker", version)

    def slow(self, seconds: int) -> None:
        self.stage.cloud.run.operation_delay = timedelta(seconds=seconds)

    def stranger(self) -> None:
        """Somebody adds a version by hand."""
        request = {"parent": f"{PRODUCT}/secrets/{self.secret_id}", "payload": {"data": b"by hand"}}
        self.stage.people.of(secretmanager.SecretManagerServiceClient).add_secret_version(request=request)

    def settle(self) -> None:
        """Nothing more happens but time."""
        self.slow(0)
        self.unpin()
        for _ in range(6):
            self.stage.tick(hours=26)
            state = self.stage.state(self.secret_id)
            if not state.attempt and not state.older and not state.failed:
                return

    @property
    def stage_key(self) -> str:
        return next(iter(self.stage.settings.secrets))

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
    if kind == "random":
        with Stage(settings_of(), a_world(services=services)) as stage:
            yield Life(stage, Applications(stage), "key")
        return
    with a_database(postgres) as database:
        value = {"users": list(database.users), "admin_secret": f"{PRODUCT}/secrets/admin", "require_tls": False}
        secret = a_secret("db", value={"kind": "postgres", **value})
        secrets = {"db": {"versions": [database.address]}, "admin": {"versions": [database.admin]}}
        with Stage(settings_of({"db": secret}), a_world(secrets=secrets, services=services)) as stage:
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
