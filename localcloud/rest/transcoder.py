"""Answers REST requests by the handlers of the RPCs that they stand for."""

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import proto
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from localcloud.core.http import HttpAnswer, HttpRequest, google_refusal
from localcloud.core.messages import invalid
from localcloud.core.partial_response import Selection, select, selection
from localcloud.core.server import ApiError, Server, copy_of, protobuf
from localcloud.core.transports import REQUEST_STREAM
from localcloud.firestore import plain_json
from localcloud.rest.requests import message_from, system_parameters
from localcloud.rest.rules import api_of, rule_of, rules

NOT_ALLOWED = 405
REMEMBERED = 256
REMEMBERED_BYTES = 16_384
"""The number of answers that are remembered as JSON, and the length that each may have."""

if TYPE_CHECKING:
    from localcloud.core.cloud import Cloud


class Transcoder:
    """Serves all RPCs of a server over REST: calls are recorded, and failed, by the names of the RPCs."""

    def __init__(self, cloud: "Cloud") -> None:
        self._server = cloud.server

    def serves(self, host: str) -> bool:
        """Whether an API is at this host."""
        return api_of(host) in rules()

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer of the RPC that a request maps to; None if it maps to none."""
        host, _, path = request.path.partition("/")
        verb = "GET" if request.verb == "HEAD" else request.verb
        found = rule_of(host, verb, f"/{path}")
        if found is None:
            return None
        rule, captured = found
        system = system_parameters(request.arguments)
        try:
            try:
                message = plain_json.request_of(rule.rpc, captured, request)
            except plain_json.NotPlain:
                kind = request_type(self._server, rule.rpc)
                message = message_from(kind, rule, captured, request.arguments, request.body)
            return HttpAnswer(200, msgspec.json.encode(self._answer(rule.rpc, message, system)))
        except ApiError as error:
            return _refusal(error)

    def _answer(self, rpc: str, message: Message, system: Mapping[str, str]) -> object:
        what, _, options = system.get("alt", "json").partition(";")
        if what != "json":
            raise invalid(f"Invalid value for the query parameter 'alt': {what!r} is not served here, json is.")
        answer = perform(self._server, rpc, message)
        as_numbers = options == "enum-encoding=int"
        if not system and rpc in plain_json.ANSWERS:
            # Kept as it is, an iterator would be used up by the first attempt.
            answers = list(answer) if isinstance(answer, Iterator) else answer
            with contextlib.suppress(plain_json.NotPlain):
                return _plain(rpc, answers)
            answer = iter(answers) if isinstance(answers, list) else answers
        if isinstance(answer, Iterator):
            return [_json(one, "", as_numbers=as_numbers) for one in answer]
        return _json(answer, system.get("fields", ""), as_numbers=as_numbers)


def _refusal(error: ApiError) -> HttpAnswer:
    """An error; of what is not served the status is 405, since clients repeat a 501: gcloud for half a minute."""
    if error.code is not grpc.StatusCode.UNIMPLEMENTED:
        return google_refusal(error)
    body = {"error": {"code": NOT_ALLOWED, "message": error.message, "status": error.code.name}}
    return HttpAnswer(NOT_ALLOWED, json.dumps(body).encode())


def request_type(server: Server, rpc: str) -> type[Message]:
    """The protobuf type of an RPC's requests. Raises UNIMPLEMENTED for what no package of the local cloud's knows."""
    served = server.find(f"/{rpc}")
    kind: Any = served.rpc.request
    return kind.pb() if issubclass(kind, proto.Message) else kind  # type: ignore[no-any-return] # proto is untyped


def perform(server: Server, rpc: str, message: Message) -> Any:  # noqa: ANN401 - a message, or an iterator of messages
    """The RPC's answer to a request, recorded and failed like one over gRPC. Raises ApiError."""
    served = server.find(f"/{rpc}")
    if served.rpc.kind == REQUEST_STREAM:
        raise invalid(f"{rpc} takes a stream of requests: it is served by gRPC alone.")
    kind: Any = served.rpc.request
    request = kind.wrap(message) if issubclass(kind, proto.Message) else message
    return server.perform(served.method, request, copy_of(message))


def _plain(rpc: str, answer: Any) -> object:  # noqa: ANN401 - an answer, or a list of them
    if isinstance(answer, list):
        return [plain_json.answer_of(rpc, one) for one in answer]
    return plain_json.answer_of(rpc, answer)


def _json(answer: Any, fields: str, *, as_numbers: bool) -> msgspec.Raw:  # noqa: ANN401 - proto-plus or protobuf
    message: Any = protobuf(answer)
    content = message.SerializeToString(deterministic=True)
    encode = _encoded if len(content) <= REMEMBERED_BYTES else _encoded.__wrapped__
    return encode(message.__class__, content, fields, as_numbers=as_numbers)


@functools.lru_cache(maxsize=REMEMBERED)
def _encoded(kind: Any, content: bytes, fields: str, *, as_numbers: bool) -> msgspec.Raw:  # noqa: ANN401 - a class of messages
    """A message as JSON. To make that takes several times as long as to find it, and most is asked again and again."""
    found = json_format.MessageToDict(kind.FromString(content), use_integers_for_enums=as_numbers)
    wanted = selection(fields, _Known(kind.DESCRIPTOR)) if fields else None
    return msgspec.Raw(msgspec.json.encode(select(found, wanted)))


class _Known(Mapping[str, Selection | None]):
    """The fields of a message, as far as they are looked at: there are messages that contain themselves."""

    def __init__(self, kind: Descriptor) -> None:
        self._kind = kind

    def __getitem__(self, name: str) -> Selection | None:
        if self._kind.full_name in {"google.protobuf.Struct", "google.protobuf.Any", "google.protobuf.Value"}:
            return None if name == "@type" else self
        if self._kind.GetOptions().map_entry:
            value = self._kind.fields_by_name["value"].message_type
            return _Known(value) if value else None
        field = next((one for one in self._kind.fields if name in (one.json_name, one.name)), None)
        if field is None:
            raise KeyError(name)
        return _Known(field.message_type) if field.message_type else None

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return (field.json_name for field in self._kind.fields)

    def __len__(self) -> int:
        return len(self._kind.fields)
