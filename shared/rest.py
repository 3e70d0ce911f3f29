"""Google's REST APIs, where a client library is not worth its import: the same retries and errors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.clients import Clients
from shared.errors import CaretakerError, no_answer
from shared.events import MALFORMED

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from requests import Response

ValueT = TypeVar("ValueT")


class UnknownAnswer(CaretakerError):
    """An API answered with something that is not of the documented shape."""


def get(clients: Clients, address: str, parameters: Mapping[str, str], type_: type[ValueT]) -> ValueT:
    """What a GET of an ``https://`` address answers, as a value of a type.

    Raises ``GoogleAPIError`` for an answer that is an error, or none, as Google's clients do, or ``UnknownAnswer``.
    """
    answer = clients.repeated(lambda: _sent(clients, "GET", address, parameters=parameters))
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except MALFORMED as error:
        raise UnknownAnswer(f"GET {address}: {error}") from None


def post(clients: Clients, address: str, content: bytes, content_type: str) -> "Response":
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
    headers = {"Content-Type": "application/json"} if content else None
    _sent(clients, verb, address, parameters=parameters, content=content, headers=headers)


def _sent(
    clients: Clients,
    verb: str,
    address: str,
    *,
    parameters: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> "Response":
    with no_answer(f"{verb} {address}"):
        answer = clients.session.request(
            verb,
            clients.url(address),
            params=parameters,
            data=content,
            headers=headers,
            timeout=clients.reading["timeout"],
        )
    if not answer.ok:
        raise _error_of(answer)
    return answer


def _error_of(answer: "Response") -> "GoogleAPICallError":
    """An answer that is an error, as Google's clients raise it, even if its JSON is not of Google's shape."""
    from google.api_core import exceptions

    try:
        error: GoogleAPICallError = exceptions.from_http_response(answer)
    except AttributeError:
        error = exceptions.from_http_status(answer.status_code, answer.text)
    return error
