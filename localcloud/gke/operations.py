"""GKE's operations: its own type, one at a time in each cluster, listed for a day after they are done."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import grpc
from google.cloud import container_v1
from google.rpc.status_pb2 import Status

from localcloud.core.clock import Clock
from localcloud.core.server import ApiError
from localcloud.gke import rules

KEPT_WHEN_DONE = timedelta(days=1)  # ours to assume
PENDING = timedelta(seconds=1)
"""The time an operation on a node pool waits before it runs (our assumption). One on a cluster runs at once."""

NO_NODES: Mapping[str, int] = {"NODES_TOTAL": 0}
"""The progress of a change of a node pool that replaces no node."""


def creation_progress(cluster: str) -> Mapping[str, int]:
    """The progress of a completed creation of a cluster, as in most recordings of 2026."""
    is_zonal = rules.ZONE.fullmatch(rules.split_cluster(cluster)[0].rpartition("/")[2])
    return {
        **dict.fromkeys(("CLUSTER_CONFIGURING", "CLUSTER_CONFIGURING_TOTAL"), 8 if is_zonal else 9),
        **dict.fromkeys(("CLUSTER_DEPLOYING", "CLUSTER_DEPLOYING_TOTAL"), 12),
        "CLUSTER_HEALTHCHECKING": 1,
        "CLUSTER_HEALTHCHECKING_TOTAL": 2,
    }


def upgrade_progress(nodes: int) -> Mapping[str, int]:
    """The progress of a completed operation that replaces a pool's nodes, as recorded in 2025 and 2026."""
    done = dict.fromkeys(("NODES_TOTAL", "NODES_COMPLETE", "NODES_DONE"), nodes)
    return {**done, "NODES_FAILED": 0, "NODE_PDB_DELAY_SECONDS": 0} if nodes else NO_NODES


class ClusterOperations:
    """The operations on clusters, by full name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._operations: dict[str, container_v1.Operation] = {}
        self._ends: dict[str, datetime] = {}
        self._running: dict[str, str] = {}
        """The operation of each cluster that has one."""
        self._progress: dict[str, container_v1.OperationProgress] = {}
        self._started = 0

    def is_running(self, cluster: str) -> bool:
        """Whether anything is being done to a cluster."""
        return cluster in self._running

    def check_idle(self, cluster: str) -> None:
        """Refuse (FAILED_PRECONDITION) to begin anything in a cluster to which something is being done."""
        if cluster in self._running:
            operation_id = rules.split_operation(self._running[cluster])[1]
            raise ApiError(
                grpc.StatusCode.FAILED_PRECONDITION, f"Cluster is running incompatible operation {operation_id}."
            )

    def start(
        self, kind: container_v1.Operation.Type, cluster: str, target: str, progress: Mapping[str, int] | None = None
    ) -> str:
        """Begin an operation on ``target``, a cluster or what is in it, and return its full name.

        ``progress`` is what it tells when it is done.
        """
        location, _ = rules.split_cluster(cluster)
        now = self._clock.now()
        self._started += 1
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"{target}/{self._started}")
        operation_id = f"operation-{int(now.timestamp() * 1000)}-{number}"
        name = f"{location}/operations/{operation_id}"
        self._operations[name] = container_v1.Operation(
            name=operation_id,
            operation_type=kind,
            status=container_v1.Operation.Status.RUNNING,
            zone=location.rpartition("/")[2],
            self_link=rules.link(name, by_number=True),
            target_link=rules.link(target, by_number=True),
            start_time=_text(now),
        )
        self._running[cluster] = name
        if progress:
            metrics = [{"name": metric, "int_value": value} for metric, value in progress.items()]
            self._progress[name] = container_v1.OperationProgress({"metrics": metrics})
        return name

    def finish(self, name: str, cluster: str, *, errors: Iterable[container_v1.StatusCondition] = ()) -> None:
        """End an operation: well, or with these conditions of a node pool as its error."""
        operation = self._operations[name]
        conditions = list(errors)
        operation.status = container_v1.Operation.Status.DONE
        operation.end_time = _text(self._clock.now())
        if name in self._progress:
            operation.progress = self._progress.pop(name)
        if conditions:
            operation.nodepool_conditions = conditions
            operation.status_message = conditions[0].message
            code: int = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
            operation.error = Status(code=code, message=conditions[0].message)
        self._ends[name] = self._clock.now()
        del self._running[cluster]

    def get(self, name: str) -> container_v1.Operation:
        """An operation in its current state. Raises NOT_FOUND."""
        rules.split_operation(name)
        self._forget_old_ones()
        if name not in self._operations:
            raise rules.not_found(name)
        return self._shown(self._operations[name])

    def list(self, location: str) -> list[container_v1.Operation]:
        """The operations in a location, those that are done included."""
        prefix = rules.prefix_of(location)
        self._forget_old_ones()
        return [self._shown(one) for name, one in self._operations.items() if name.startswith(prefix)]

    def _shown(self, operation: container_v1.Operation) -> container_v1.Operation:
        """An operation as it is given out: one on a node pool is pending before it runs."""
        shown = container_v1.Operation(operation)
        began = datetime.fromisoformat(operation.start_time)
        is_running = operation.status == container_v1.Operation.Status.RUNNING
        if is_running and "/nodePools/" in operation.target_link and self._clock.now() - began < PENDING:
            shown.status = container_v1.Operation.Status.PENDING
        return shown

    def _forget_old_ones(self) -> None:
        for name, end in list(self._ends.items()):
            if self._clock.now() - end > KEPT_WHEN_DONE:
                del self._operations[name], self._ends[name]


def _text(moment: datetime) -> str:
    """A time in RFC 3339, as operations have it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
