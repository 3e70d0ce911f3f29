"""Google's REST APIs, for calls that a cold start waits for: with the retries and errors of Google's clients."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.clients import Clients
from shared.errors import CaretakerError
from shared.events import MALFORMED

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

    from shared.connections import Answer

JSON = {"Content-Type": "application/json"}

ValueT = TypeVar("ValueT")


class UnknownAnswer(CaretakerError):
    """An API answered with something that is not of the documented shape."""


class _Status(msgspec.Struct, frozen=True):
    """Of an error of Google's: https://cloud.google.com/apis/design/errors#http_mapping."""

    message: str = ""
    status: str = ""


class _Error(msgspec.Struct, frozen=True):
    error: _Status = _Status()


def get(clients: Clients, address: str, parameters: Mapping[str, str], type_: type[ValueT]) -> ValueT:
    """What a GET of an ``https://`` address answers, as a value of a type.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do, or ``UnknownAnswer``.
    """
    answer = clients.repeated(lambda: _sent(clients, "GET", address, parameters=parameters))
    return _typed(answer, type_, f"GET {address}")


def post(clients: Clients, address: str, content: bytes, content_type: str) -> "Answer":
    """What a POST to an ``https://`` address answers. It is sent once, as every write is.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do.
    """
    return _sent(clients, "POST", address, content=content, headers={"Content-Type": content_type})


def send(
    clients: Clients, verb: str, address: str, value: object = None, parameters: Mapping[str, str] | None = None
) -> None:
    """Make a change, with a value as JSON if there is one. It is sent once, as every write is.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do.
    """
    content = None if value is None else msgspec.json.encode(value)
    headers = JSON if content else None
    _sent(clients, verb, address, parameters=parameters, content=content, headers=headers)


def read(clients: Clients, rpc: str, address: str, request: object, type_: type[ValueT]) -> ValueT:
    """What an RPC that only reads answers a request by POST; watchers know it by the name of the RPC.

    Raises as ``get`` does.
    """
    content = msgspec.json.encode(request)
    answer = clients.repeated(lambda: _sent(clients, "POST", address, call=rpc, content=content, headers=JSON))
    return _typed(answer, type_, rpc)


def write(clients: Clients, rpc: str, address: str, request: object, type_: type[ValueT]) -> ValueT:
    """What an RPC that changes something answers a request by POST. It is sent once.

    Raises as ``get`` does.
    """
    answer = _sent(clients, "POST", address, call=rpc, content=msgspec.json.encode(request), headers=JSON)
    return _typed(answer, type_, rpc)


def _typed(answer: "Answer", type_: type[ValueT], what: str) -> ValueT:
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except MALFORMED as error:
        raise UnknownAnswer(f"{what}: {error}") from None


def _sent(
    clients: Clients,
    verb: str,
    address: str,
    *,
    call: str = "",
    parameters: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> "Answer":
    from urllib.parse import urlencode

    from urllib3.exceptions import HTTPError

    what = call or f"{verb} {address}"
    try:
        answer = clients.send(
            verb, address, call=call, query=urlencode(parameters or {}), content=content, headers=headers
        )
    except HTTPError as error:
        from google.api_core.exceptions import ServiceUnavailable

        # Its own message contains the whole address: only what it was is said.
        raise ServiceUnavailable(f"{what}: {type(error).__name__}") from None
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _error_of(answer, what)
    return answer


def _error_of(answer: "Answer", what: str) -> "GoogleAPICallError":
    """An answer that is an error, as Google's clients raise it, even if its JSON is not of Google's shape."""
    from google.api_core import exceptions
    from grpc import StatusCode

    said = _said(answer.content)
    message = f"{what}: {said.message or 'unknown error'}"
    code = StatusCode.__members__.get(said.status)
    error: GoogleAPICallError = (
        exceptions.from_grpc_status(code, message) if code else exceptions.from_http_status(answer.status, message)
    )
    return error


def _said(content: bytes) -> _Status:
    """What an error says: Google's JSON, in a list if the answer would have been a stream, or all that was sent."""
    try:
        return msgspec.json.decode(content, type=_Error).error
    except MALFORMED:
        """It may be a list."""
    try:
        (refusal,) = msgspec.json.decode(content, type=list[_Error])
    except (*MALFORMED, ValueError):
        return _Status(content.decode(errors="replace"))
    return refusal.error
