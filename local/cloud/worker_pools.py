"""Cloud Run worker pools: google.cloud.run.v2.WorkerPools. Changes come about as those of services do."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import grpc
from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from local.cloud import cloud_run_rules as rules
from local.cloud.clock import Clock
from local.cloud.cloud_run import DEFAULT_PAGE, LARGEST_PAGE, condition
from local.cloud.engine import ApiError
from local.cloud.messages import invalid, merge, page
from local.cloud.operations import Operations

COLLECTION = "workerPools"
OUTPUT_ONLY = rules.OUTPUT_ONLY | {"instance_split_statuses"}
MUTABLE = tuple(name for name in run_v2.WorkerPool.meta.fields if name not in OUTPUT_ONLY)


class WorkerPools:
    """Serves ``google.cloud.run_v2.WorkerPoolsClient``."""

    def __init__(self, clock: Clock, operations: Operations) -> None:
        self.operation_delay = timedelta(0)
        """How long a pool reconciles after a change; 0 finishes each change within its call."""
        self._clock = clock
        self._operations = operations
        self._pools: dict[str, run_v2.WorkerPool] = {}
        self._problems: dict[str, str] = {}
        self._version = 0
        self._lock = threading.RLock()

    def fail_instances(self, name: str, message: str = "") -> None:
        """From now on, changes of a pool end without its instances, for this reason; or with them, if none is given."""
        with self._lock:
            self._problems[name] = message
            pool = self._existing(name)
            if not pool.reconciling:
                self._reconciled(name, pool.generation)

    def create_worker_pool(self, request: run_v2.CreateWorkerPoolRequest) -> Operation:
        """Make a worker pool."""
        rules.check_parent(request.parent)
        rules.check_service_id(request.worker_pool_id)
        name = f"{request.parent}/{COLLECTION}/{request.worker_pool_id}"
        with self._lock:
            if name in self._pools:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Resource '{request.worker_pool_id}' already exists.")
            uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{self._version}"))
            blank = run_v2.WorkerPool(name=name, uid=uid, create_time=self._clock.now())
            desired = _desired(blank, request.worker_pool, ["*"], "CreateWorkerPoolRequest")
            return self._change(None, desired, validate_only=request.validate_only)

    def get_worker_pool(self, request: run_v2.GetWorkerPoolRequest) -> run_v2.WorkerPool:
        """One worker pool as it is now."""
        with self._lock:
            return run_v2.WorkerPool(self._existing(request.name))

    def list_worker_pools(self, request: run_v2.ListWorkerPoolsRequest) -> run_v2.ListWorkerPoolsResponse:
        """The worker pools of one region, in order of name."""
        rules.check_parent(request.parent)
        with self._lock:
            here = {name: pool for name, pool in self._pools.items() if name.startswith(f"{request.parent}/")}
            pools, token = page(here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)
            return run_v2.ListWorkerPoolsResponse(worker_pools=pools, next_page_token=token)

    def update_worker_pool(self, request: run_v2.UpdateWorkerPoolRequest) -> Operation:
        """Change the fields of the mask, or without one replace all that a caller may set."""
        with self._lock:
            current = self._existing(request.worker_pool.name)
            self._check_etag(current, request.worker_pool.etag)
            paths = list(request.update_mask.paths) or ["*"]
            desired = _desired(current, request.worker_pool, paths, "UpdateWorkerPoolRequest")
            return self._change(current, desired, validate_only=request.validate_only)

    def delete_worker_pool(self, request: run_v2.DeleteWorkerPoolRequest) -> Operation:
        """Take a worker pool away; its name is free again when the operation is done."""
        with self._lock:
            pool = run_v2.WorkerPool(self._existing(request.name))
            self._check_etag(pool, request.etag)
            if request.validate_only:
                return self._operation(pool, timedelta(0), lambda: pool)
            pool.delete_time = self._clock.now()
            pool.reconciling = True
            self._store(pool)
            return self._operation(pool, self.operation_delay, lambda: self._removed(pool))

    def _existing(self, name: str) -> run_v2.WorkerPool:
        parent, _, pool_id = name.partition(f"/{COLLECTION}/")
        rules.check_parent(parent)
        if name not in self._pools:
            project, location = parent.split("/")[1::2]
            raise ApiError(
                grpc.StatusCode.NOT_FOUND,
                f"Resource '{pool_id}' of kind 'WORKERPOOL' in region '{location}' in project '{project}' "
                "does not exist.",
            )
        return self._pools[name]

    @staticmethod
    def _check_etag(pool: run_v2.WorkerPool, etag: str) -> None:
        if etag and etag != pool.etag:
            pool_id = pool.name.rpartition("/")[2]
            raise ApiError(
                grpc.StatusCode.ABORTED,
                f"Conflict for resource '{pool_id}': version '{etag}' was specified but current version is "
                f"'{pool.etag}'.",
            )

    def _change(
        self, current: run_v2.WorkerPool | None, desired: run_v2.WorkerPool, *, validate_only: bool
    ) -> Operation:
        """Accept ``desired`` in the place of ``current`` and start bringing it about."""
        if desired == current or validate_only:
            return self._operation(desired, timedelta(0), lambda: desired)
        desired.generation += 1
        if current is None or desired.template != current.template:
            pool_id = desired.name.rpartition("/")[2]
            desired.latest_created_revision = f"{desired.name}/revisions/{pool_id}-{desired.generation:05}"
        desired.reconciling = True
        desired.terminal_condition = condition("CONDITION_RECONCILING", self._clock.now())
        self._store(desired)
        name, generation = desired.name, desired.generation
        return self._operation(desired, self.operation_delay, lambda: self._reconciled(name, generation))

    def _store(self, pool: run_v2.WorkerPool) -> None:
        """Write ``pool`` under a new etag, a version that only grows."""
        now = self._clock.now()
        self._version = max(self._version + 1, int(now.timestamp() * 1_000_000))
        pool.etag = f'"{self._version}"'
        pool.update_time = now
        self._pools[pool.name] = pool

    def _operation(self, pool: run_v2.WorkerPool, delay: timedelta, work: Callable[[], run_v2.WorkerPool]) -> Operation:
        pb = run_v2.WorkerPool.pb
        parent = pool.name.partition(f"/{COLLECTION}/")[0]
        return self._operations.start(parent, lambda: pb(work()), metadata=pb(pool), after=delay)

    def _reconciled(self, name: str, generation: int) -> run_v2.WorkerPool:
        """Finish the change that made ``generation``; a newer one, or a deletion, goes on."""
        with self._lock:
            if name not in self._pools:
                raise ApiError(grpc.StatusCode.ABORTED, f"Resource '{name}' was deleted meanwhile.")
            pool = run_v2.WorkerPool(self._pools[name])
            if pool.generation == generation and "delete_time" not in pool:
                problem = self._problems.get(name, "") if pool.scaling.manual_instance_count else ""
                state = "CONDITION_FAILED" if problem else "CONDITION_SUCCEEDED"
                pool.reconciling = False
                pool.observed_generation = generation
                pool.latest_ready_revision = pool.latest_created_revision
                pool.terminal_condition = condition(state, self._clock.now(), problem)
                self._store(pool)
            return run_v2.WorkerPool(pool)

    def _removed(self, pool: run_v2.WorkerPool) -> run_v2.WorkerPool:
        with self._lock:
            if pool.name in self._pools and self._pools[pool.name].uid == pool.uid:
                del self._pools[pool.name]
            return pool


def _desired(
    current: run_v2.WorkerPool, wanted: run_v2.WorkerPool, paths: list[str], request: str
) -> run_v2.WorkerPool:
    """What ``current`` becomes by taking over ``paths`` of ``wanted``, checked."""
    desired = run_v2.WorkerPool(current)
    chosen = [path for path in paths if path.split(".")[0] not in OUTPUT_ONLY]
    merge(run_v2.WorkerPool.pb(desired), run_v2.WorkerPool.pb(wanted), MUTABLE if "*" in chosen else chosen)
    where = f"{request}.worker_pool"
    rules.check_described(desired, where)
    if desired.scaling.manual_instance_count < 0:
        raise invalid(f"Violation in {where}.scaling.manual_instance_count: must not be negative.")
    run_v2.WorkerPool.pb(desired).scaling.SetInParent()
    return desired
