"""Many calls to Cloud Storage in one request: https://cloud.google.com/storage/docs/batch."""

from collections.abc import Iterator, Sequence
from email.message import Message
from http import HTTPStatus

import msgspec

from shared import rest
from shared.clients import Clients
from shared.decoding import decoded
from shared.events import MALFORMED
from shared.rest import UnknownAnswer

ADDRESS = "https://storage.googleapis.com/batch/storage/v1"
BOUNDARY = "caretaker_batch"
"""No call has it: paths are encoded, and none has a body."""


class PartError(msgspec.Struct, frozen=True):
    """One of the errors that an answer names."""

    reason: str = ""


class Refused(msgspec.Struct, frozen=True):
    """The message of an error response."""

    message: str = ""
    errors: tuple[PartError, ...] = ()


class _Body(msgspec.Struct, frozen=True):
    error: Refused = Refused()


class Part(msgspec.Struct, frozen=True):
    """The answer to one of the calls."""

    status: int
    refused: Refused = Refused()


def send(clients: Clients, calls: Sequence[str]) -> list[Part]:
    """Make calls, each as ``VERB /path?query``, and return their answers in the same order. They are sent once.

    Raises ``GoogleAPIError`` if the request as a whole fails, ``UnknownAnswer`` if not each call is answered.
    """
    content = "".join(
        f"--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n"
        f"{call} HTTP/1.1\r\nContent-Length: 0\r\n\r\n\r\n"
        for number, call in enumerate(calls)
    )
    answer = rest.post(
        clients, ADDRESS, f"{content}--{BOUNDARY}--\r\n".encode(), f"multipart/mixed; boundary={BOUNDARY}"
    )
    parts = dict(_parts(answer.headers.get("Content-Type", ""), answer.content))
    if sorted(parts) != list(range(len(calls))):
        raise UnknownAnswer(f"a batch of {len(calls)} calls was answered with {len(parts)} parts")
    return [parts[number] for number in range(len(calls))]


def _parts(content_type: str, content: bytes) -> Iterator[tuple[int, Part]]:
    """The answers by the number of the call: their order is not promised."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/mixed" or not isinstance(boundary, str):
        raise UnknownAnswer(f"a batch was answered with {content_type!r}")
    for piece in (b"\r\n" + content).split(f"\r\n--{boundary}".encode())[1:-1]:
        outer, _, inner = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        head, _, body = inner.partition(b"\r\n\r\n")
        yield _number(outer), _part(head, body)


def _number(head: bytes) -> int:
    """The number of the call, out of ``Content-ID: <response-N>``."""
    for line in head.decode(errors="replace").splitlines():
        name, _, value = line.partition(":")
        number = value.strip().strip("<>").removeprefix("response-")
        if name.strip().lower() == "content-id" and number.isascii() and number.isdecimal():
            return int(number)
    raise UnknownAnswer("a part of a batch's answer does not say which call it is for")


def _part(head: bytes, body: bytes) -> Part:
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[1].isdigit():
        raise UnknownAnswer("a part of a batch's answer has no status")
    status = int(words[1])
    if status < HTTPStatus.BAD_REQUEST:
        return Part(status)
    try:
        return Part(status, decoded(body, _Body).error)
    except MALFORMED:
        return Part(status, Refused(HTTPStatus(status).phrase if status in set(HTTPStatus) else ""))
