"""The parts that services, worker pools and jobs of Cloud Run share: versions, revisions, reconciliation.

A change is accepted at once and brought about later: its operation finishes ``operation_delay`` after the
call, on the Clock, and until then the resource is ``reconciling``. A change that arrives meanwhile is accepted
too and supersedes the one before (as a desired state does; ours to assume): ``reconciling`` ends with the
newest. What recorded answers of the real service show is done here too: until a reconciliation ends the newest
revision is that of the one before, and a new service has no address; its end changes neither etag nor update time; a
deletion is a generation of its own; an operation that is done carries the final resource as its metadata.
"""

import base64
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Generic, TypeVar

import grpc
from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from localcloud.core.clock import Clock
from localcloud.core.messages import merge, page
from localcloud.core.operations import Operations
from localcloud.core.server import ApiError
from localcloud.run import rules

MOST_IN_A_REGION = 1000
KEPT_AFTER_DELETION = timedelta(days=30)
CALLER = "caller@localcloud.iam.gserviceaccount.com"
"""Calls carry no identity here, so that everything is created and changed by one account."""
DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

ResourceT = TypeVar("ResourceT", run_v2.Service, run_v2.WorkerPool, run_v2.Job)
Template = run_v2.RevisionTemplate | run_v2.WorkerPoolRevisionTemplate


@dataclass(frozen=True)
class Kind(Generic[ResourceT]):
    """The properties of a kind of resource."""

    message: type[ResourceT]
    name: str
    """As requests have it: ``worker_pool``."""
    collection: str
    """As full names have it: ``workerPools``."""
    mutable: tuple[str, ...]
    """The fields that a caller may set."""
    fill_in: Callable[[ResourceT], None]
    """Sets what Cloud Run sets where the caller said nothing."""
    check: Callable[[ResourceT, str], None]
    """Raises INVALID_ARGUMENT for what Cloud Run would not take; the text is the field's path in the request."""
    instances: Callable[[ResourceT], int]
    """The number of instances that must run before it is ready."""


class Resources(Generic[ResourceT]):
    """All resources of a kind, by full name; what serves them calls the methods with one underscore."""

    def __init__(self, kind: Kind[ResourceT], clock: Clock, operations: Operations) -> None:
        self.operation_delay = timedelta(0)
        """The time a resource reconciles after a change; 0 finishes each change within its call."""
        self._kind: Kind[ResourceT] = kind
        self._clock = clock
        self._operations = operations
        self._resources: dict[str, ResourceT] = {}
        self._revisions: dict[str, dict[str, Template]] = {}
        self._pending: dict[str, str] = {}
        """By resource: the revision that becomes its newest when the reconciliation ends."""
        self._problems: dict[str, str] = {}
        self._version = 0
        self._lock = threading.RLock()

    def fail_instances(self, name: str, message: str | None) -> None:
        """Let every change of a resource that needs instances fail with this message, until that is None.

        Then a resource that has failed becomes ready. It need not exist yet.
        """
        self._split(name)
        with self._lock:
            if message is not None:
                self._problems[name] = message
                return
            self._problems.pop(name, None)
            resource = self._resources.get(name)
            failed = run_v2.Condition.State.CONDITION_FAILED
            if resource and resource.terminal_condition.state == failed and "delete_time" not in resource:
                self._settle(name)

    def regions(self, project: str) -> list[str]:
        """The regions in which a project has resources of this kind."""
        with self._lock:
            return sorted({name.split("/")[3] for name in self._resources if name.split("/")[1] == project})

    def _create(self, parent: str, resource_id: str, wanted: ResourceT, *, validate_only: bool) -> Operation:
        """Make a resource and its first revision."""
        rules.check_parent(parent)
        rules.check_id(resource_id, f"{self._request('Create')}.{self._kind.name}_id")
        name = f"{parent}/{self._kind.collection}/{resource_id}"
        with self._lock:
            if name in self._resources:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Resource '{resource_id}' already exists.")
            if len(self._inside(parent)) >= MOST_IN_A_REGION:
                raise ApiError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"Quota exceeded: at most {MOST_IN_A_REGION} {self._kind.collection} in {parent}.",
                )
            desired = self._desired(self._blank(name), wanted, ["*"], self._request("Create"))
            return self._change(None, desired, validate_only=validate_only)

    def _get(self, name: str) -> ResourceT:
        """One resource as it is now."""
        with self._lock:
            return self._kind.message(self._existing(name))

    def _list(self, parent: str, size: int, token: str, *, show_deleted: bool) -> tuple[list[ResourceT], str]:
        """A page of the resources of one region in order of name, and the token of the next; there is no filter."""
        rules.check_parent(parent)
        with self._lock:
            here = self._inside(parent)
            if not show_deleted:
                here = {name: resource for name, resource in here.items() if "delete_time" not in resource}
            return page(here, size, token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)

    def _update(
        self,
        wanted: ResourceT,
        paths: Iterable[str],
        *,
        allow_missing: bool,
        validate_only: bool,
        force_new_revision: bool = False,
    ) -> Operation:
        """Change the fields of the mask, or without one replace all that a caller may set."""
        parent, resource_id = self._split(wanted.name)
        with self._lock:
            if allow_missing and wanted.name not in self._resources:
                return self._create(parent, resource_id, wanted, validate_only=validate_only)
            current = self._existing(wanted.name)
            rules.check_etag(current, wanted.etag)
            if "delete_time" in current:
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, f"Resource '{resource_id}' is being deleted.")
            desired = self._desired(current, wanted, list(paths) or ["*"], self._request("Update"))
            return self._change(None if force_new_revision else current, desired, validate_only=validate_only)

    def _delete(self, name: str, etag: str, *, validate_only: bool) -> Operation:
        """Take a resource away; its name is free again when the operation is done."""
        with self._lock:
            resource = self._kind.message(self._existing(name))
            rules.check_etag(resource, etag)
            resource.delete_time = self._clock.now()
            resource.expire_time = self._clock.now() + KEPT_AFTER_DELETION
            resource.generation += 1
            _begin(resource)
            if validate_only:
                return self._operation(resource, timedelta(0), lambda: resource)
            self._store(resource)
            return self._operation(resource, self.operation_delay, lambda: self._removed(resource))

    def _request(self, verb: str) -> str:
        """The name of a request's message, as errors have it."""
        return f"{verb}{self._kind.message.__name__}Request"

    def _split(self, name: str) -> tuple[str, str]:
        return rules.split_name(name, self._kind.collection)

    def _inside(self, parent: str) -> dict[str, ResourceT]:
        prefix = f"{parent}/{self._kind.collection}/"
        return {name: resource for name, resource in self._resources.items() if name.startswith(prefix)}

    def _existing(self, name: str) -> ResourceT:
        parent, resource_id = self._split(name)
        if name not in self._resources:
            project, location = parent.split("/")[1::2]
            raise ApiError(
                grpc.StatusCode.NOT_FOUND,
                f"Resource '{resource_id}' of kind '{self._kind.message.__name__.upper()}' in region '{location}' "
                f"in project '{project}' does not exist.",
            )
        return self._resources[name]

    def _blank(self, name: str) -> ResourceT:
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{self._version}"))
        return self._kind.message(name=name, uid=uid, create_time=self._clock.now(), creator=CALLER)

    def _desired(self, current: ResourceT, wanted: ResourceT, paths: Iterable[str], request: str) -> ResourceT:
        """``current`` updated by ``paths`` of ``wanted``, with validation and defaults."""
        kind = self._kind
        desired = kind.message(current)
        chosen = [path for path in paths if path.split(".")[0] not in rules.OUTPUT_ONLY]
        merge(kind.message.pb(desired), kind.message.pb(wanted), kind.mutable if "*" in chosen else chosen)
        kind.fill_in(desired)
        kind.check(desired, f"{request}.{kind.name}")
        return desired

    def _change(self, current: ResourceT | None, desired: ResourceT, *, validate_only: bool) -> Operation:
        """Accept ``desired`` in the place of ``current`` and start bringing it about.

        Without ``current`` its template makes a revision in any case.
        """
        if desired == current:
            return self._operation(desired, timedelta(0), lambda: desired)
        desired.generation += 1
        revision = ""
        # A job has none: each of its executions uses the template at the time.
        if not isinstance(desired, run_v2.Job):
            revision = self._revision(current, desired)
        if validate_only:
            return self._operation(desired, timedelta(0), lambda: desired)
        if revision and not isinstance(desired, run_v2.Job):
            self._revisions.setdefault(desired.name, {})[revision] = _unnamed(desired.template)
            self._pending[desired.name] = f"{desired.name}/revisions/{revision}"
            self._made_revision(desired, self._pending[desired.name])
        _begin(desired)
        self._store(desired)
        name, uid, generation = desired.name, desired.uid, desired.generation
        return self._operation(desired, self.operation_delay, lambda: self._reconciled(name, uid, generation))

    def _made_revision(self, resource: ResourceT, revision: str) -> None:
        """Handle a resource's newest revision, named in full, as its kind does."""

    def _problem(self, resource: ResourceT) -> str:
        """Why a resource cannot be as it should; "" if it can."""
        return self._problems.get(resource.name, "") if self._kind.instances(resource) else ""

    def _settled(self, resource: ResourceT, problem: str) -> None:
        """Add the fields of a kind to a resource whose reconciliation ends."""

    def _revision(
        self, current: run_v2.Service | run_v2.WorkerPool | None, desired: run_v2.Service | run_v2.WorkerPool
    ) -> str:
        """The id of the revision that ``desired`` needs beyond those of ``current``; "" if none.

        A revision is made when the template changes, not by a change of the resource's own scaling, labels or
        traffic. Raises ALREADY_EXISTS for a template that has the name of a revision made from another.
        """
        if current is not None and desired.template == current.template:
            return ""
        template = _unnamed(desired.template)
        named = desired.template.revision
        if named:
            known = self._revisions.get(desired.name, {}).get(named)
            if known is not None and known != template:
                raise ApiError(
                    grpc.StatusCode.ALREADY_EXISTS,
                    f"Revision named '{named}' with different configuration already exists.",
                )
            return "" if known is not None else named
        if current is not None and template == _unnamed(current.template):
            return ""
        _, resource_id = self._split(desired.name)
        digest = sha256(f"{desired.uid}/{desired.generation}".encode()).digest()
        suffix = "".join(chr(ord("a") + byte % 26) for byte in digest[:3])
        return f"{resource_id}-{desired.generation:05}-{suffix}"

    def _store(self, resource: ResourceT) -> None:
        """Write what a caller changed, under a new etag: a version that only grows, and the name."""
        now = self._clock.now()
        self._version = max(self._version + 1, int(now.timestamp() * 1_000_000))
        name = base64.urlsafe_b64encode(resource.name.encode()).decode().rstrip("=")
        resource.etag = f'"{self._version}/{name}"'
        resource.update_time = now
        resource.last_modifier = CALLER
        self._resources[resource.name] = resource

    def _operation(self, resource: ResourceT, delay: timedelta, work: Callable[[], ResourceT]) -> Operation:
        parent, _ = self._split(resource.name)
        pb = self._kind.message.pb
        return self._operations.start(parent, lambda: pb(work()), metadata=pb(resource), after=delay)

    def _reconciled(self, name: str, uid: str, generation: int) -> ResourceT:
        """Finish the change that made ``generation``; a newer one, or a deletion, continues.

        Without its instances the operation fails, as a deployment does whose revision is not ready
        (transparency-dev/tesseract #413: code 9).
        """
        with self._lock:
            # Its name may meanwhile be another resource's.
            if name not in self._resources or self._resources[name].uid != uid:
                raise ApiError(grpc.StatusCode.ABORTED, f"Resource '{name}' was deleted meanwhile.")
            resource = self._resources[name]
            if resource.generation == generation and "delete_time" not in resource:
                resource = self._settle(name)
                if problem := resource.terminal_condition.message:
                    raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, problem)
            return self._kind.message(resource)

    def _settle(self, name: str) -> ResourceT:
        """End a resource's reconciliation: it is ready, or it failed and what it serves is as it was before."""
        resource = self._kind.message(self._resources[name])
        if not isinstance(resource, run_v2.Job):
            resource.latest_created_revision = self._pending.pop(name, resource.latest_created_revision)
        problem = self._problem(resource)
        resource.reconciling = False
        if not problem:
            resource.observed_generation = resource.generation
            if not isinstance(resource, run_v2.Job):
                resource.latest_ready_revision = resource.latest_created_revision
        self._settled(resource, problem)
        state = "CONDITION_FAILED" if problem else "CONDITION_SUCCEEDED"
        resource.terminal_condition = rules.condition(state, self._clock.now(), problem)
        self._resources[name] = resource
        return resource

    def _gone(self, name: str) -> None:
        """Handle the removal of a resource, as its kind does."""

    def _removed(self, resource: ResourceT) -> ResourceT:
        with self._lock:
            # Deleted twice, its name may meanwhile be another resource's.
            if resource.name in self._resources and self._resources[resource.name].uid == resource.uid:
                del self._resources[resource.name]
                self._revisions.pop(resource.name, None)
                self._pending.pop(resource.name, None)
                self._gone(resource.name)
            resource.reconciling = False
            resource.observed_generation = resource.generation
            resource.terminal_condition = rules.condition("CONDITION_SUCCEEDED", self._clock.now())
            return resource


def _begin(resource: run_v2.Service | run_v2.WorkerPool | run_v2.Job) -> None:
    """Mark a resource as reconciling: its condition is pending, since the time at which it was last settled."""
    resource.reconciling = True
    resource.terminal_condition.state = run_v2.Condition.State.CONDITION_PENDING
    resource.terminal_condition.message = ""


def _unnamed(template: Template) -> Template:
    """The template of a revision, without its name."""
    unnamed = type(template)(template)
    unnamed.revision = ""
    return unnamed
