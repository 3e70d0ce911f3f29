"""Serves any official gRPC client package on one plaintext port, records every call, and can fail any of them.

The packages register no service descriptors, so the method paths and message types are read off the official
transports themselves: a transport is built on a channel that only notes what it is asked for.
"""

import collections.abc
import functools
import inspect
import threading
import typing
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from local.cloud.clock import Clock

WORKERS = 32
OPERATIONS = "/google.longrunning.Operations/"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
READ_VERBS = (
    "Get",
    "List",
    "BatchGet",
    "RunQuery",
    "RunAggregation",
    "Search",
    "Pull",
    "Test",
    "Wait",
    "Access",
)

MessageT = TypeVar("MessageT")


class ApiError(Exception):
    """What a Google API answers instead of a result."""

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


@dataclass(frozen=True)
class Call:
    """One call as it was received and answered."""

    method: str
    request: Message
    mutating: bool
    at: datetime
    code: grpc.StatusCode


@dataclass
class Fault:
    """Calls that are to be answered with an error."""

    method: str
    code: grpc.StatusCode
    times: int
    skip: int
    after_effect: bool
    message: str


@dataclass(frozen=True)
class Method:
    """One RPC of an official transport."""

    path: str
    kind: str
    request: Any
    response: Any
    handle: Callable[[Any], Any] | None

    @property
    def name(self) -> str:
        """Service and method, such as ``google.cloud.run.v2.Services/UpdateService``."""
        return self.path.removeprefix("/")

    @property
    def is_mutating(self) -> bool:
        """Whether the method changes anything, by its verb."""
        return not self.path.rpartition("/")[2].startswith(READ_VERBS)


def protobuf(message: Any) -> Any:
    """The protobuf message behind a proto-plus one, or the message itself."""
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def copy_of(message: MessageT) -> MessageT:
    """A copy of a message, so that nobody holds what is stored."""
    plain = protobuf(message)
    fresh = type(plain)()
    fresh.CopyFrom(plain)
    return typing.cast("MessageT", type(message).wrap(fresh) if hasattr(type(message), "wrap") else fresh)


class Server(grpc.GenericRpcHandler):
    """The gRPC server on which all services of the local cloud are served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._operations: object = None
        self._calls: list[Call] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._server: grpc.Server | None = None

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order of their answers."""
        with self._lock:
            return list(self._calls)

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._calls.clear()

    def fail(
        self,
        method: str,
        code: grpc.StatusCode,
        *,
        times: int = 1,
        skip: int = 0,
        after_effect: bool = False,
        message: str = "",
    ) -> None:
        """Answer the next ``times`` calls whose name contains ``method`` with an error, after ``skip`` that go well.

        With ``after_effect`` the call does what it does, and only its answer is an error.
        """
        with self._lock:
            self._faults.append(Fault(method, code, times, skip, after_effect, message or f"injected {code.name}"))

    def clear_faults(self) -> None:
        """Fail nothing more."""
        with self._lock:
            self._faults.clear()

    def add(self, transport: type, service: object) -> None:
        """Serve an official transport's RPCs by the service's methods of the same names in snake case."""
        for snake, path, kind, request, response in methods_of(transport):
            # Every transport brings the operations' methods too, and all services share one implementation of them.
            owner = self._operations if path.startswith(OPERATIONS) else service
            self._handlers[path] = self._handler(Method(path, kind, request, response, getattr(owner, snake, None)))

    def add_operations(self, operations: object) -> None:
        """Serve long-running operations; to be called before any service is added."""
        self._operations = operations

    def start(self, port: int = 0) -> int:
        """Listen on loopback, and return the port."""
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ]
        pool = futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="grpc")
        self._server = grpc.server(pool, handlers=(self,), options=options)
        bound = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()
        return bound

    def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.stop(None).wait()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The handler of a method; None, so that gRPC answers UNIMPLEMENTED, for one that no client package has."""
        return self._handlers.get(handler_call_details.method)

    def _handler(self, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
        answer = functools.partial(self._answer, method)
        codecs = {"request_deserializer": _deserializer(method.request), "response_serializer": _serialize}
        match method.kind:
            case "unary_unary":
                return grpc.unary_unary_rpc_method_handler(answer, **codecs)
            case "unary_stream":
                return grpc.unary_stream_rpc_method_handler(answer, **codecs)
            case "stream_unary":
                return grpc.stream_unary_rpc_method_handler(answer, **codecs)
            case _:
                return grpc.stream_stream_rpc_method_handler(answer, **codecs)

    def _answer(self, method: Method, request: Any, context: grpc.ServicerContext) -> Any:
        streams = method.kind.startswith("stream")
        received = status_pb2.Status() if streams else copy_of(protobuf(request))
        code = grpc.StatusCode.OK
        try:
            if method.handle is None or streams:
                raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"{method.name} is not served by the local cloud")
            fault = self._fault(method)
            if fault and not fault.after_effect:
                raise ApiError(fault.code, fault.message)
            answer = method.handle(request)
            if isinstance(answer, Iterator):
                answer = list(answer)
            if fault:
                raise ApiError(fault.code, fault.message)
        except ApiError as error:
            code = error.code
            context.abort_with_status(rpc_status.to_status(_status(error)))
        finally:
            with self._lock:
                self._calls.append(Call(method.name, received, method.is_mutating, self._clock.now(), code))
        return iter(answer) if method.kind == "unary_stream" else answer

    def _fault(self, method: Method) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.method not in method.name or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


def _status(error: ApiError) -> status_pb2.Status:
    status = status_pb2.Status(code=error.code.value[0], message=error.message)
    if error.reason:
        detail = error_details_pb2.ErrorInfo(reason=error.reason, domain="googleapis.com", metadata=error.metadata)
        status.details.add().Pack(detail)
    return status


def _serialize(message: Any) -> bytes:
    serialized: bytes = protobuf(message).SerializeToString()
    return serialized


def _deserializer(message_type: Any) -> Callable[[bytes], Any]:
    return message_type.deserialize if hasattr(message_type, "deserialize") else message_type.FromString


class _NotingChannel(grpc.Channel):
    """Notes the last RPC that a transport asked a stub for."""

    def __init__(self) -> None:
        self.asked = ("", "")

    def _note(self, kind: str, path: str) -> Callable[..., None]:
        self.asked = (kind, path)
        return lambda *_, **__: None

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return self._note("unary_unary", method)

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return self._note("unary_stream", method)

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return self._note("stream_unary", method)

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return self._note("stream_stream", method)

    def subscribe(self, *_: Any, **__: Any) -> None:
        """A channel that is never connected has no state to tell of."""

    def unsubscribe(self, *_: Any, **__: Any) -> None:
        """See `subscribe`."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "_NotingChannel":
        return self

    def __exit__(self, *_: object) -> None:
        return None


@functools.cache
def methods_of(transport: Any) -> tuple[tuple[str, str, str, Any, Any], ...]:
    """Each RPC of an official transport: snake-case name, path, kind, and the types of request and response."""
    return tuple(_methods_of(transport))


def _methods_of(transport: Any) -> Iterator[tuple[str, str, str, Any, Any]]:
    noting = _NotingChannel()
    # Transports wrap the channel in an interceptor of their own, which makes stubs only when they are called.
    original = grpc.intercept_channel
    grpc.intercept_channel = lambda channel, *_: channel
    try:
        instance = transport(channel=noting)
    finally:
        grpc.intercept_channel = original
    for name, member in inspect.getmembers(transport, lambda one: isinstance(one, property)):
        returned = typing.get_type_hints(member.fget).get("return")
        if typing.get_origin(returned) is not collections.abc.Callable:
            continue
        (request,), response = typing.get_args(returned)
        noting.asked = ("", "")
        instance._stubs.clear()  # noqa: SLF001 - a transport asks for each stub only once
        getattr(instance, name)
        if noting.asked[1]:
            yield name, noting.asked[1], noting.asked[0], request, _message_type(response)


def _message_type(response: Any) -> Any:
    """The type itself, out of ``Union[T, Awaitable[T]]``."""
    arguments = typing.get_args(response)
    return arguments[0] if arguments else response
