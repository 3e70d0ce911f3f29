"""Long-running operations of every service on the port, which finish on the local cloud's clock."""

import itertools
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import grpc
from google.longrunning import operations_pb2
from google.protobuf.message import Message

from localcloud.core.clock import Clock
from localcloud.core.server import ApiError, copy_of


class Operations:
    """google.longrunning.Operations; cancelling, deleting and listing them is not served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._operations: dict[str, operations_pb2.Operation] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def start(
        self,
        parent: str,
        work: Callable[[], Message],
        *,
        metadata: Message | None = None,
        after: timedelta = timedelta(0),
    ) -> operations_pb2.Operation:
        """Start an operation of a parent, or of none, whose work is done after a while; with no delay within this call.

        An `ApiError` that ``work`` raises becomes the operation's error, whenever it is done. Metadata of the same kind
        as the result are the result when it is done.
        """
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"{parent}/operations/{next(self._numbers)}")
        operation = operations_pb2.Operation(name=f"{parent}/operations/{number}".lstrip("/"))
        if metadata is not None:
            operation.metadata.Pack(metadata)
        with self._lock:
            self._operations[operation.name] = operation
        if after > timedelta(0):
            self._clock.call_later(after, lambda: self._finish(operation, work))
        else:
            self._finish(operation, work)
        with self._lock:
            return copy_of(operation)

    def get_operation(self, request: operations_pb2.GetOperationRequest) -> operations_pb2.Operation:
        """The operation in its current state. NOT_FOUND if there is none of that name."""
        with self._lock:
            if request.name not in self._operations:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"Operation {request.name} was not found.")
            return copy_of(self._operations[request.name])

    def wait_operation(self, request: operations_pb2.WaitOperationRequest) -> operations_pb2.Operation:
        """The operation in its current state: the clock may be stopped, so waiting would not help."""
        return self.get_operation(operations_pb2.GetOperationRequest(name=request.name))

    def _finish(self, operation: operations_pb2.Operation, work: Callable[[], Message]) -> None:
        try:
            result = work()
        except ApiError as error:
            with self._lock:
                operation.error.CopyFrom(error.status())
                operation.done = True
            return
        with self._lock:
            operation.response.Pack(result)
            if operation.metadata.TypeName() == result.DESCRIPTOR.full_name:
                operation.metadata.Pack(result)
            operation.done = True
