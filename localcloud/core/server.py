"""Serves any official gRPC client package on one plaintext port, records every call, and can fail any of them."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

import grpc
import proto
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from localcloud.core.calls import Method, Recorder
from localcloud.core.clock import Clock
from localcloud.core.rpcs import Api, rpcs
from localcloud.core.transports import REQUEST_STREAM, RESPONSE_STREAM, Rpc

WORKERS = 32
OPERATIONS = "/google.longrunning.Operations/"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MessageT = TypeVar("MessageT")


class ApiError(Exception):
    """The error that a Google API returns; its ``reason`` is sent as ``google.rpc.ErrorInfo``."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})

    def status(self) -> status_pb2.Status:
        """The error as sent over the wire."""
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        if self.reason:
            status.details.add().Pack(
                error_details_pb2.ErrorInfo(reason=self.reason, domain="googleapis.com", metadata=self.metadata)
            )
        return status


@dataclass(frozen=True)
class Served:
    """An RPC of a transport that was added, and its method here."""

    rpc: Rpc
    method: Method


def protobuf(message: Any) -> Any:
    """The protobuf message behind a proto-plus one, or the message itself."""
    return type(message).pb(message) if isinstance(message, proto.Message) else message


def copy_of(message: MessageT) -> MessageT:
    """A copy of a message (protobuf or proto-plus), so that callers cannot change what is stored."""
    raw = protobuf(message)
    fresh = type(raw)()
    fresh.CopyFrom(raw)
    kind: Any = type(message)
    # The constructor of proto-plus copies by `copy.deepcopy`, which takes twice as long.
    return cast("MessageT", kind.wrap(fresh) if isinstance(message, proto.Message) else fresh)


class Server(Recorder, grpc.GenericRpcHandler):
    """The gRPC server on which all services of the local cloud are served."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._operations: object = None
        self.authorize: Callable[[str, Message], None] | None = None
        """Is asked about each call, by its name and request, and raises ``ApiError`` to refuse it; None allows all."""
        self._served: dict[str, Served] = {}
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._server: grpc.Server | None = None
        self.port = 0
        """The address it listens on, as soon as it does."""

    def add_operations(self, operations: object) -> None:
        """Serve long-running operations; to be called before any service is added."""
        self._operations = operations

    def add(self, transport: type | Api, service: object, *, check: Callable[[Any], None] | None = None) -> None:
        """Serve the RPCs of an official transport, or of an API, by the service's methods of their names in snake case.

        A method takes the request as the official package has it, and returns the response (proto-plus or protobuf), or
        for a stream of responses an iterator of them. What it lacks is answered with UNIMPLEMENTED. Before any of them,
        but for those of long-running operations, ``check`` may refuse the request: it raises what is to be answered.
        """
        for rpc in rpcs(transport):
            # Every transport brings the operations' methods too, and all services share one implementation of them.
            is_shared = rpc.path.startswith(OPERATIONS)
            handle = getattr(self._operations if is_shared else service, rpc.snake_name, None)
            if handle and check and not is_shared:
                handle = functools.partial(_checked, check, handle)
            if handle is None and rpc.path in self._served:
                continue  # a mixin, such as google.iam.v1.IAMPolicy, that another transport has brought and serves
            self._served[rpc.path] = Served(rpc, Method(rpc.path[1:], handle))
            self._handlers.pop(rpc.path, None)

    def start(self, port: int = 0) -> int:
        """Listen on loopback, and return the port. Raises ``RuntimeError`` if it is taken."""
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ]
        pool = futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="grpc")
        self._server = grpc.server(pool, handlers=[self], options=options)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()
        return self.port

    def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.stop(None).wait()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """The handler of a method; for one that no added transport has, a refusal that names it."""
        path = handler_call_details.method
        if path not in self._handlers and path in self._served:
            self._handlers[path] = self._handler(self._served[path])
        return self._handlers.get(path) or self._refusal(path)

    def find(self, path: str) -> Served:
        """An RPC by its path on the wire. Raises UNIMPLEMENTED if no added transport has it."""
        if path not in self._served:
            raise _unserved(Method(path[1:], None))
        return self._served[path]

    def _handler(self, served: Served) -> "grpc.RpcMethodHandler[Any, Any]":
        rpc = served.rpc
        if rpc.kind == REQUEST_STREAM:
            return self._stream(served) if served.method.handle else self._refusal(rpc.path)
        answer = functools.partial(self._answer, served.method)
        request: Any = rpc.request
        make = (
            grpc.unary_stream_rpc_method_handler if rpc.kind == RESPONSE_STREAM else grpc.unary_unary_rpc_method_handler
        )
        return make(
            answer,
            request_deserializer=request.deserialize if issubclass(request, proto.Message) else request.FromString,
            response_serializer=_serialize,
        )

    def _stream(self, served: Served) -> "grpc.RpcMethodHandler[Any, Any]":
        """A method that answers while requests arrive: it is recorded when it begins, with the first of them."""
        method: Any = served.method
        request: Any = served.rpc.request

        def answer(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            first = next(requests, None)
            if first is None:
                return
            try:
                self._begin(method, copy_of(protobuf(first)))
                yield from method.handle(itertools.chain([first], requests))
            except ApiError as error:
                context.abort_with_status(rpc_status.to_status(error.status()))

        return grpc.stream_stream_rpc_method_handler(
            answer, request_deserializer=request.deserialize, response_serializer=_serialize
        )

    def _begin(self, method: Method, first: Message) -> None:
        """Record a stream with its first request. Raises ApiError if it may not be, or is to fail."""
        code = grpc.StatusCode.OK
        try:
            if self.authorize:
                self.authorize(method.name, first)
            if fault := self.next_fault(method):
                raise ApiError(fault.code, fault.message)
        except ApiError as error:
            code = error.code
            raise
        finally:
            self.record(method, first, code)

    def _refusal(self, path: str) -> "grpc.RpcMethodHandler[Any, Any]":
        method = Method(path[1:], None)

        def refuse(_: object, context: grpc.ServicerContext) -> NoReturn:
            error = _unserved(method)
            self.record(method, empty_pb2.Empty(), error.code)
            context.abort_with_status(rpc_status.to_status(error.status()))

        # To a client that does not stream, this looks no different.
        return grpc.stream_stream_rpc_method_handler(refuse)

    def perform(self, method: Method, request: Any, received: Message) -> Any:
        """Answer a method with its configured faults, and record the call with ``received``.

        Raises ``ApiError``.
        """
        # If the service has a fault of its own, this is what gRPC answers.
        code = grpc.StatusCode.UNKNOWN
        try:
            if self.authorize:
                self.authorize(method.name, received)
            answer = self._perform(method, request)
            code = grpc.StatusCode.OK
        except ApiError as error:
            code = error.code
            raise
        finally:
            self.record(method, received, code)
        return answer

    def _answer(self, method: Method, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return self.perform(method, request, copy_of(protobuf(request)))
        except ApiError as error:
            context.abort_with_status(rpc_status.to_status(error.status()))

    def _perform(self, method: Method, request: Any) -> Any:
        if method.handle is None:
            raise _unserved(method)
        fault = self.next_fault(method)
        if fault and not fault.after_effect:
            raise ApiError(fault.code, fault.message)
        answer = method.handle(request)
        if isinstance(answer, Iterator):
            answer = iter(list(answer))
        if fault:
            raise ApiError(fault.code, fault.message)
        return answer


def _checked(check: Callable[[Any], None], handle: Callable[[Any], Any], request: Any) -> Any:
    check(request)
    return handle(request)


def _unserved(method: Method) -> ApiError:
    return ApiError(grpc.StatusCode.UNIMPLEMENTED, f"{method.name} is not served by the local cloud")


def _serialize(message: Any) -> bytes:
    serialized: bytes = protobuf(message).SerializeToString()
    return serialized
