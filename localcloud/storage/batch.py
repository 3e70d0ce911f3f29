"""Batches: up to 100 calls to Cloud Storage in one request, each with an answer of its own.

https://cloud.google.com/storage/docs/batch
"""

import re
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from localcloud.core.http import NO_CONTENT, HttpAnswer, HttpRequest
from localcloud.storage.errors import invalid
from localcloud.storage.request import HOST
from localcloud.storage.uploads import EMPTY_LINE, content_parts, headers_in

MOST_CALLS = 100
LARGEST_BATCH = 10 * 1024 * 1024
REQUEST_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/[\d.]+)?")
UNBATCHED = ("upload", "download", "batch")

AnswerOne = Callable[[str, str, bytes, Mapping[str, str]], HttpAnswer]
"""Answers one call: verb, target, body, headers."""


def batch_answer(request: HttpRequest, answer_one: AnswerOne) -> HttpAnswer:
    """Make the calls in their order. Raises StorageError (400) for a batch that is malformed or too large."""
    if len(request.body) > LARGEST_BATCH:
        raise invalid("The batch request is too large: at most 10 MB are allowed.")
    parts = content_parts(request.headers.get("content-type", ""), request.body)
    if len(parts) > MOST_CALLS:
        raise invalid(f"The batch request has {len(parts)} calls: at most {MOST_CALLS} are allowed.")
    boundary = f"batch_{uuid.uuid4().hex}"
    answers = [_answer_part(headers["Content-ID"] or "", content, answer_one) for headers, content in parts]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + answer + b"\r\n" for answer in answers)
    return HttpAnswer(200, body + f"--{boundary}--\r\n".encode(), f"multipart/mixed; boundary={boundary}")


def _answer_part(content_id: str, content: bytes, answer_one: AnswerOne) -> bytes:
    head, *rest = EMPTY_LINE.split(content, maxsplit=1)
    line, _, headers = head.partition(b"\n")
    found = REQUEST_LINE.fullmatch(line.decode(errors="replace").strip())
    if not found:
        raise invalid("Failed to parse batch request: a part is no HTTP request.")
    fields = {name.lower(): value for name, value in headers_in(headers).items()}
    answer = answer_one(found[1], _target(found[2]), rest[0].rstrip(b"\r\n") if rest else b"", fields)
    text = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
    text += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    if answer.status != NO_CONTENT:
        text += f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
    own_id = f"<response-{content_id.strip('<>')}>"
    return f"Content-Type: application/http\r\nContent-ID: {own_id}\r\n\r\n{text}\r\n".encode() + answer.body


def _target(address: str) -> str:
    """The target as the local cloud routes it; clients send a path, or a whole address."""
    parts = urlsplit(address)
    path = parts.path.lstrip("/").removeprefix(f"{HOST}/")
    if path.split("/", 1)[0] in UNBATCHED:
        raise invalid("Uploads, downloads and batches cannot be part of a batch.")
    return f"/{HOST}/{path}" + (f"?{parts.query}" if parts.query else "")
