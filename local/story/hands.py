"""The hands and eyes of people in the story, by Google's REST APIs: the official clients take long to import."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from local.suite import Suite
from shared.clients import Clients
from shared.rest import Page, get, pages, send

RUN = "https://run.googleapis.com/v2"
SCHEDULER = "https://cloudscheduler.googleapis.com/v1"
SECRETS = "https://secretmanager.googleapis.com/v1"


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an answer of Google's, which leaves out what is empty."""


class Scaling(_Part, frozen=True):
    """The scaling of a Cloud Run service."""

    max_instance_count: int = 0


class SecretKey(_Part, frozen=True):
    """The version of a secret that an environment variable refers to."""

    version: str


class Source(_Part, frozen=True):
    """The source of an environment variable."""

    secret_key_ref: SecretKey


class Variable(_Part, frozen=True):
    """An environment variable."""

    value_source: Source | None = None


class Container(_Part, frozen=True):
    """A container of a revision."""

    image: str = ""
    env: tuple[Variable, ...] = ()


class Revision(_Part, frozen=True):
    """A revision of a service, or its template."""

    containers: tuple[Container, ...]

    @property
    def secret_version(self) -> str:
        """The version that its first variable refers to."""
        source = self.containers[0].env[0].value_source
        return source.secret_key_ref.version if source else ""


class Service(_Part, frozen=True):
    """A Cloud Run service."""

    name: str
    template: Revision
    uri: str = ""
    scaling: Scaling = Scaling()
    latest_ready_revision: str = ""


class _Services(Page, frozen=True, rename="camel"):
    services: tuple[Service, ...] = ()


class Job(_Part, frozen=True):
    """A Cloud Scheduler job."""

    name: str
    state: str


class _Jobs(Page, frozen=True, rename="camel"):
    jobs: tuple[Job, ...] = ()


class Version(_Part, frozen=True):
    """A version of a secret."""

    name: str
    state: str


class _Versions(Page, frozen=True, rename="camel"):
    versions: tuple[Version, ...] = ()


class Autoscaling(_Part, frozen=True):
    """The autoscaling of a node pool."""

    enabled: bool = False
    min_node_count: int = 0
    max_node_count: int = 0


class _NodePool(_Part, frozen=True):
    autoscaling: Autoscaling = Autoscaling()


class _Object(_Part, frozen=True):
    metadata: dict[str, str] = {}


class _Objects(Page, frozen=True, rename="camel"):
    items: tuple[_Object, ...] = ()


class _BillingInfo(_Part, frozen=True):
    billing_account_name: str = ""


class _Payload(_Part, frozen=True):
    data: bytes


class _Accessed(_Part, frozen=True):
    payload: _Payload


def services(suite: Suite, parent: str) -> list[Service]:
    """The Cloud Run services of a location."""
    found = pages(suite.clients, f"{RUN}/{parent}/services", {}, _Services)
    return [service for page in found for service in page.services]


def service(suite: Suite, name: str) -> Service:
    """A Cloud Run service. Raises ``NotFound``."""
    return get(suite.clients, f"{RUN}/{name}", {}, Service)


def revision(suite: Suite, name: str) -> Revision:
    """A revision of a service."""
    return get(suite.clients, f"{RUN}/{name}", {}, Revision)


def set_max_instances(suite: Suite, name: str, count: int) -> None:
    """Change the maximum of a service."""
    value = {"scaling": {"maxInstanceCount": count}}
    send(suite.clients, "PATCH", f"{RUN}/{name}", value, {"updateMask": "scaling.maxInstanceCount"})


def jobs(suite: Suite, parent: str) -> list[Job]:
    """The Cloud Scheduler jobs of a location."""
    return [job for page in pages(suite.clients, f"{SCHEDULER}/{parent}/jobs", {}, _Jobs) for job in page.jobs]


def pause_job(suite: Suite, name: str) -> None:
    """Pause a Cloud Scheduler job."""
    send(suite.clients, "POST", f"{SCHEDULER}/{name}:pause", {})


def resume_job(suite: Suite, name: str) -> None:
    """Resume a Cloud Scheduler job."""
    send(suite.clients, "POST", f"{SCHEDULER}/{name}:resume", {})


def billing_account(suite: Suite, project: str) -> str:
    """The full name of the billing account of a project; "" if it has none."""
    address = f"https://cloudbilling.googleapis.com/v1/projects/{project}/billingInfo"
    return get(suite.clients, address, {}, _BillingInfo).billing_account_name


def autoscaling(suite: Suite, node_pool: str) -> Autoscaling:
    """The autoscaling of a node pool."""
    return get(suite.clients, f"https://container.googleapis.com/v1/{node_pool}", {}, _NodePool).autoscaling


def schedule_rotation(suite: Suite, secret: str, at: datetime, topics: Iterable[str]) -> None:
    """Have Secret Manager notify topics when a secret is due."""
    value = {"topics": [{"name": one} for one in topics], "rotation": {"nextRotationTime": at.isoformat()}}
    send(suite.clients, "PATCH", f"{SECRETS}/{secret}", value, {"updateMask": "topics,rotation"})


def object_metadata(clients: Clients, bucket: str) -> list[Mapping[str, str]]:
    """The metadata of each object in a bucket."""
    found = pages(clients, f"https://storage.googleapis.com/storage/v1/b/{bucket}/o", {}, _Objects)
    return [one.metadata for page in found for one in page.items]


def versions(suite: Suite, secret: str) -> list[Version]:
    """The versions of a secret."""
    found = pages(suite.clients, f"{SECRETS}/{secret}/versions", {}, _Versions)
    return [version for page in found for version in page.versions]


def access(suite: Suite, version: str) -> str:
    """The text of a secret's version."""
    return get(suite.clients, f"{SECRETS}/{version}:access", {}, _Accessed).payload.data.decode()
