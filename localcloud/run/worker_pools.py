"""Cloud Run worker pools: google.cloud.run.v2.WorkerPools, without instance splits of their own.

A revision that refers to a version of a secret which cannot be accessed does not become ready.
"""

from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from localcloud.core.clock import Clock
from localcloud.core.operations import Operations
from localcloud.run import defaults, rules
from localcloud.run.resources import Kind, Resources
from localcloud.run.revisions import Revisions
from localcloud.run.secrets import problem_with
from localcloud.secret_manager.service import SecretManager

WORKER_POOLS: Kind[run_v2.WorkerPool] = Kind(
    message=run_v2.WorkerPool,
    name="worker_pool",
    collection="workerPools",
    mutable=rules.mutable(run_v2.WorkerPool),
    fill_in=defaults.fill_in_worker_pool,
    check=rules.check_worker_pool,
    instances=lambda pool: pool.scaling.manual_instance_count,
)


class WorkerPools(Resources[run_v2.WorkerPool]):
    """Serves ``google.cloud.run_v2.WorkerPoolsClient``."""

    def __init__(self, clock: Clock, operations: Operations, secrets: SecretManager, revisions: Revisions) -> None:
        super().__init__(WORKER_POOLS, clock, operations)
        self._secrets = secrets
        self._made = revisions

    def create_worker_pool(self, request: run_v2.CreateWorkerPoolRequest) -> Operation:
        """Make a worker pool and its first revision."""
        return self._create(
            request.parent, request.worker_pool_id, request.worker_pool, validate_only=request.validate_only
        )

    def get_worker_pool(self, request: run_v2.GetWorkerPoolRequest) -> run_v2.WorkerPool:
        """One worker pool as it is now."""
        return self._get(request.name)

    def list_worker_pools(self, request: run_v2.ListWorkerPoolsRequest) -> run_v2.ListWorkerPoolsResponse:
        """The worker pools of one region, in order of name; there is no filter."""
        pools, token = self._list(
            request.parent, request.page_size, request.page_token, show_deleted=request.show_deleted
        )
        return run_v2.ListWorkerPoolsResponse(worker_pools=pools, next_page_token=token)

    def update_worker_pool(self, request: run_v2.UpdateWorkerPoolRequest) -> Operation:
        """Change the fields of the mask, or without one replace all that a caller may set."""
        return self._update(
            request.worker_pool,
            request.update_mask.paths,
            allow_missing=request.allow_missing,
            validate_only=request.validate_only,
            force_new_revision=request.force_new_revision,
        )

    def delete_worker_pool(self, request: run_v2.DeleteWorkerPoolRequest) -> Operation:
        """Take a worker pool away; its name is free again when the operation is done."""
        return self._delete(request.name, request.etag, validate_only=request.validate_only)

    def _made_revision(self, resource: run_v2.WorkerPool, revision: str) -> None:
        self._made.add(resource, revision)

    def _problem(self, resource: run_v2.WorkerPool) -> str:
        unreadable = problem_with(resource.template, resource.name.split("/")[1], self._secrets)
        return unreadable or super()._problem(resource)

    def _settled(self, resource: run_v2.WorkerPool, problem: str) -> None:
        self._made.settle(resource.latest_created_revision, problem)

    def _gone(self, name: str) -> None:
        self._made.remove(name)
