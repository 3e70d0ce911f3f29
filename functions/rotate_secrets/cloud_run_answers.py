"""The resources of Cloud Run, as far as references to secrets matter.

https://cloud.google.com/run/docs/reference/rest
"""

from functions.rotate_secrets.world import LATEST
from shared.cloud_run import Condition
from shared.rest import ApiMessage, Int64


class _SecretKey(ApiMessage, frozen=True):
    secret: str
    version: str = LATEST


class _Source(ApiMessage, frozen=True):
    secret_key_ref: _SecretKey | None = None


class _Variable(ApiMessage, frozen=True):
    name: str
    value_source: _Source = _Source()


class _Container(ApiMessage, frozen=True):
    image: str = ""
    env: tuple[_Variable, ...] = ()


class File(ApiMessage, frozen=True):
    """A version of a secret as a file."""

    path: str = ""
    version: str = LATEST


class _Secret(ApiMessage, frozen=True):
    secret: str
    items: tuple[File, ...] = ()


class _Volume(ApiMessage, frozen=True):
    secret: _Secret | None = None


class Template(ApiMessage, frozen=True):
    """The containers of a revision, a task or an instance."""

    containers: tuple[_Container, ...] = ()
    volumes: tuple[_Volume, ...] = ()


class Instance(Template, frozen=True, kw_only=True):
    """An instance of no service."""

    name: str
    reconciling: bool = False


class _Target(ApiMessage, frozen=True):
    revision: str = ""


class Changeable(ApiMessage, frozen=True, kw_only=True):
    """A service, a worker pool or a job."""

    name: str
    reconciling: bool = False
    terminal_condition: Condition = Condition()


class Serving(Changeable, frozen=True, kw_only=True):
    """A service or a worker pool, which revisions serve for."""

    template: Template = Template()
    generation: Int64 = "0"
    observed_generation: Int64 = "0"
    latest_ready_revision: str = ""
    latest_created_revision: str = ""


class Service(Serving, frozen=True, kw_only=True):
    """A service."""

    labels: dict[str, str] = {}
    traffic: tuple[_Target, ...] = ()
    traffic_statuses: tuple[_Target, ...] = ()


class WorkerPool(Serving, frozen=True, kw_only=True):
    """A worker pool."""

    instance_splits: tuple[_Target, ...] = ()
    instance_split_statuses: tuple[_Target, ...] = ()


class _Task(ApiMessage, frozen=True):
    template: Template = Template()


class Job(Changeable, frozen=True, kw_only=True):
    """A job."""

    template: _Task = _Task()


class Execution(ApiMessage, frozen=True, kw_only=True):
    """An execution of a job."""

    name: str
    template: Template = Template()
    completion_time: str = ""
