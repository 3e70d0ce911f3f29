"""The stage for `rotate_secrets`: a seeded local cloud, its runs, and what official clients see of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager

from functions.rotate_secrets.automation import AUTOMATION
from functions.rotate_secrets.rotation_state import ANNOTATION, RotationState, read_state
from functions.rotate_secrets.settings import Settings
from localcloud.core.calls import is_read
from localcloud.core.messages import project_number
from shared.report import Report
from shared.settings import parse
from tests.functions.stage import AutomationStage, last_part
from tests.laws.probe import Probe

PRODUCT = "projects/my-product"
REGION = f"{PRODUCT}/locations/europe-west1"
MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
DIGEST = "example.com/app@sha256:" + "1" * 64
NOTIFICATIONS = "caretaker-secret-notifications"
PLACES: list[dict[str, object]] = [{"project": "my-product", "region": "europe-west1"}]


def a_secret(secret_id: str = "key", **more: object) -> dict[str, object]:
    """One secret of the settings, as `caretaker.yaml` has it: a random text, every 30 days."""
    return {"secret": f"{PRODUCT}/secrets/{secret_id}", "every_days": 30, "value": {"kind": "random"}, **more}


def settings_of(secrets: Mapping[str, object] | None = None, **more: object) -> Settings:
    """Settings with these secrets, by key."""
    section = {"mode": "act", "secrets": secrets or {"key": a_secret()}, "dependents_in": PLACES, **more}
    return parse({"rotate_secrets": section}, "rotate_secrets", Settings).section


def a_service(*references: str, **more: object) -> dict[str, object]:
    """A service whose variables come from these versions: ``key:1``, or ``VARIABLE=key:1``."""
    named = [one.rpartition("=") for one in references]
    env = {name or f"SECRET_{place}": said for place, (name, _, said) in enumerate(named)}
    return {"image": DIGEST, "secret_env": env, **more}


def a_world(**project: object) -> dict[str, Any]:
    """A world with a project: by default a secret with one version, and a service that has it."""
    here = {"location": "europe-west1", "secrets": {"key": {"versions": ["first"]}}, **project}
    return {"projects": {"my-product": here}}


class Stage(AutomationStage[Settings]):
    """A local cloud, seeded, and runs of `rotate_secrets` on it."""

    def __init__(
        self, settings: Settings | None = None, world: Mapping[str, Any] | None = None, *, now: datetime = MONDAY
    ) -> None:
        chosen = world or a_world(services={"api": a_service("key:1")})
        super().__init__(AUTOMATION, settings or settings_of(), now=now, world=chosen)
        self.probe: Callable[[], Probe] | None = None
        """Makes what watches the calls of the next run."""
        self.methods: list[str] = []
        """The calls of the last run, without the test's own."""

    # What wakes it

    def tick(self, **after: float) -> Report:
        """Let time pass (``days=30``), and a tick come."""
        return self.push({"type": "tick", "every_seconds": 600}, **after)

    def command(self, type_: str, secret: str = "", **after: float) -> Report:
        """Let time pass, and a command come."""
        named = {"secret": secret} if secret else {}
        return self.push({"type": type_, **named}, **after)

    def push(self, data: dict[str, object], **after: float) -> Report:
        """Take a message through a run, and answer its report; raises what the run raises."""
        self.advance(**after)
        return self._run(data)

    def push_late(self, data: dict[str, object], published: datetime) -> Report:
        """Take a message through a run that was published before."""
        return self._run(data, published=published)

    def notify(self, secret_id: str = "key", **after: float) -> Report:
        """Secret Manager reports that it is time."""
        name = f"projects/{project_number('my-product')}/secrets/{secret_id}"
        return self.notified({"eventType": "SECRET_ROTATE", "secretId": name}, **after)

    def notified(self, attributes: dict[str, str], **after: float) -> Report:
        """Secret Manager reports something."""
        self.advance(**after)
        return self._run(
            {"name": attributes["secretId"]}, topic="caretaker-secret-notifications", attributes=attributes
        )

    def _run(self, data: Mapping[str, object], **event: Any) -> Report:
        probe = self.probe() if self.probe else Probe()
        self.methods = probe.methods
        return self.deliver(data, probe=probe, **event)

    # What there is

    @property
    def manager(self) -> secretmanager.SecretManagerServiceClient:
        """Secret Manager, for people."""
        return self.people.of(secretmanager.SecretManagerServiceClient)

    def versions(self, secret_id: str = "key") -> list[str]:
        """The states of the versions of a secret, the first one first."""
        listed = self.manager.list_secret_versions(request={"parent": f"{PRODUCT}/secrets/{secret_id}"})
        return [version.state.name for version in listed][::-1]

    def payload(self, version: int | str, secret_id: str = "key") -> str:
        """The payload of a version."""
        name = f"{PRODUCT}/secrets/{secret_id}/versions/{version}"
        return self.manager.access_secret_version(request={"name": name}).payload.data.decode()

    def state(self, secret_id: str = "key") -> RotationState:
        """The annotations of a secret."""
        secret = self.manager.get_secret(request={"name": f"{PRODUCT}/secrets/{secret_id}"})
        return read_state(secret.annotations[ANNOTATION])

    def service(self, service_id: str = "api") -> run_v2.Service:
        """A service as it is."""
        return self.people.of(run_v2.ServicesClient).get_service(request={"name": f"{REGION}/services/{service_id}"})

    def job(self, job_id: str) -> run_v2.Job:
        """A job as it is."""
        return self.people.of(run_v2.JobsClient).get_job(request={"name": f"{REGION}/jobs/{job_id}"})

    def said(self, service_id: str = "api") -> list[str]:
        """The versions that the template of a service refers to: variables first, then files."""
        return said_in(self.service(service_id).template)

    @property
    def calls(self) -> list[str]:
        """The methods of the last run's calls."""
        return last_part(self.methods)

    @property
    def writes(self) -> list[str]:
        """The calls that changed something in Google Cloud other than our own state."""
        return last_part([method for method in self.methods if not is_read(method) and "Firestore" not in method])


def said_in(template: Any) -> list[str]:
    """The versions that a template or a revision refers to: variables first, then files."""
    env = [one.value_source.secret_key_ref for container in template.containers for one in container.env]
    files = [item.version for volume in template.volumes for item in volume.secret.items or [None] if item]
    return [said.version for said in env if said.secret] + files


def kinds_of(report: Report) -> list[str]:
    """The changes of a report, by kind."""
    return [change.kind for change in report.changes]
