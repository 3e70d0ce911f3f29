"""Google's REST APIs, which automations call: with the retries and errors of Google's clients.

A method that is an RPC too is given by its name, ``package.Service/Method``, which is what watchers know it by.
"""

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from shared.clients import Clients
from shared.decoding import converted, decoded
from shared.errors import CaretakerError
from shared.events import MALFORMED

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

    from shared.connections import Answer

ERRORS = {
    "ABORTED": "Aborted",
    "ALREADY_EXISTS": "AlreadyExists",
    "CANCELLED": "Cancelled",
    "DATA_LOSS": "DataLoss",
    "DEADLINE_EXCEEDED": "DeadlineExceeded",
    "FAILED_PRECONDITION": "FailedPrecondition",
    "INTERNAL": "InternalServerError",
    "INVALID_ARGUMENT": "InvalidArgument",
    "NOT_FOUND": "NotFound",
    "OUT_OF_RANGE": "OutOfRange",
    "PERMISSION_DENIED": "PermissionDenied",
    "RESOURCE_EXHAUSTED": "ResourceExhausted",
    "UNAUTHENTICATED": "Unauthenticated",
    "UNAVAILABLE": "ServiceUnavailable",
    "UNIMPLEMENTED": "MethodNotImplemented",
    "UNKNOWN": "Unknown",
}
"""By the status in an error, the class of `google.api_core.exceptions` that gRPC would raise."""
JSON = {"Content-Type": "application/json"}

Int64 = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,19}$")]
"""A number of 64 bits, which Google's JSON has as text: https://protobuf.dev/programming-guides/json/."""

ValueT = TypeVar("ValueT")


class ApiMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message as Google's JSON has it: what is empty may be left out."""


class Page(ApiMessage, frozen=True):
    """One page of a list: each list adds the field with its items."""

    next_page_token: str = ""


PageT = TypeVar("PageT", bound=Page)


class UnknownAnswer(CaretakerError):
    """An API answered with something that is not of the documented shape."""


class _Status(msgspec.Struct, frozen=True):
    """Of an error of Google's: https://cloud.google.com/apis/design/errors#http_mapping."""

    message: str
    status: str = ""


class _Error(msgspec.Struct, frozen=True):
    error: _Status


def get(clients: Clients, address: str, parameters: Mapping[str, str], type_: type[ValueT], *, rpc: str = "") -> ValueT:
    """The answer to a GET of an ``https://`` address, as a value of a type.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do, or ``UnknownAnswer``.
    """
    answer = clients.repeated(lambda: _sent(clients, "GET", address, rpc=rpc, parameters=parameters))
    return _typed(answer, type_, rpc or f"GET {address}")


def pages(
    clients: Clients, address: str, parameters: Mapping[str, str], type_: type[PageT], *, rpc: str = ""
) -> Iterator[PageT]:
    """All pages of a list, each read when it is asked for. Raises as ``get`` does."""
    page = get(clients, address, parameters, type_, rpc=rpc)
    yield page
    while page.next_page_token:
        page = get(clients, address, {**parameters, "pageToken": page.next_page_token}, type_, rpc=rpc)
        yield page


def post(clients: Clients, address: str, content: bytes, content_type: str) -> "Answer":
    """The answer to a POST to an ``https://`` address. It is sent once, as every write is.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do.
    """
    return _sent(clients, "POST", address, content=content, headers={"Content-Type": content_type})


def send(
    clients: Clients,
    verb: str,
    address: str,
    value: object = None,
    parameters: Mapping[str, str] | None = None,
    *,
    rpc: str = "",
) -> None:
    """Make a change, with a value as JSON if there is one. It is sent once, as every write is.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do.
    """
    content = None if value is None else msgspec.json.encode(value)
    headers = JSON if content else None
    _sent(clients, verb, address, rpc=rpc, parameters=parameters, content=content, headers=headers)


def read(clients: Clients, rpc: str, address: str, request: object, type_: type[ValueT]) -> ValueT:
    """The answer of an RPC that only reads, to a request by POST.

    Raises as ``get`` does.
    """
    content = msgspec.json.encode(request)
    answer = clients.repeated(lambda: _sent(clients, "POST", address, rpc=rpc, content=content, headers=JSON))
    return _typed(answer, type_, rpc)


def write(clients: Clients, rpc: str, address: str, request: object, type_: type[ValueT]) -> ValueT:
    """The answer of a mutating RPC to a request by POST. It is sent once.

    Raises as ``get`` does.
    """
    answer = _sent(clients, "POST", address, rpc=rpc, content=msgspec.json.encode(request), headers=JSON)
    return _typed(answer, type_, rpc)


def said_by(error: Exception) -> str:
    """Google's words in an error that was raised here, without the name of the call."""
    return str(getattr(error, "message", error)).partition(": ")[2]


def typed(value: object, type_: type[ValueT], what: str) -> ValueT:
    """A part of an answer, which was read as plain values, as a value of a type. Raises ``UnknownAnswer``."""
    try:
        return converted(value, type_)
    except msgspec.ValidationError as error:
        raise UnknownAnswer(f"{what}: {error}") from None


def _typed(answer: "Answer", type_: type[ValueT], what: str) -> ValueT:
    try:
        return decoded(answer.content, type_)
    except MALFORMED as error:
        raise UnknownAnswer(f"{what}: {error}") from None


def _sent(
    clients: Clients,
    verb: str,
    address: str,
    *,
    rpc: str = "",
    parameters: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> "Answer":
    from urllib.parse import urlencode

    from urllib3.exceptions import HTTPError

    what = rpc or f"{verb} {address}"
    try:
        answer = clients.send(
            verb, address, call=rpc, query=urlencode(parameters or {}), content=content, headers=headers
        )
    except HTTPError as error:
        from google.api_core.exceptions import ServiceUnavailable

        # Its own message contains the whole address: only what it was is said.
        raise ServiceUnavailable(f"{what}: {type(error).__name__}") from None
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _error_of(answer, what)
    return answer


def _error_of(answer: "Answer", what: str) -> "GoogleAPICallError | UnknownAnswer":
    """An answer that is an error, as Google's clients raise it, even if its JSON is not of Google's shape.

    Only one that is of that shape says that a resource is not there: a wrong turn on the way is a 404 too.
    """
    from google.api_core import exceptions

    said = _said(answer.content)
    message = f"{what}: {said.message if said else answer.content.decode(errors='replace') or 'unknown error'}"
    if said is None and answer.status == HTTPStatus.NOT_FOUND:
        return UnknownAnswer(message)
    error: type[GoogleAPICallError] | None = getattr(exceptions, ERRORS.get(said.status, ""), None) if said else None
    return error(message) if error else exceptions.from_http_status(answer.status, message)


def _said(content: bytes) -> _Status | None:
    """The text of an error: Google's JSON, in a list if the answer would have been a stream; None if it is not that."""
    for in_a_list in (content, b"[" + content + b"]"):
        with contextlib.suppress(*MALFORMED):
            return decoded(in_a_list, tuple[_Error])[0].error
    return None
