"""Uploads to Cloud Storage: at once, with metadata, or in pieces that can be resumed.

https://cloud.google.com/storage/docs/uploads-downloads and .../performing-resumable-uploads
"""

import io
import re
import uuid
from datetime import timedelta
from email.message import Message
from urllib.parse import urlencode

from localcloud.core.http import HttpAnswer, HttpRequest
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.objects import Objects
from localcloud.storage.request import CONDITIONS, api_url, check_parameters, json_in
from localcloud.storage.rules import check_conditions, check_object_name
from localcloud.storage.state import Bucket, Checksums, Json, Session, StoredObject

PARAMETERS = CONDITIONS | {"name", "upload_id", "contentEncoding"}
PIECE = 256 * 1024
"""Every piece but the last has a multiple of so many bytes."""
SESSION_DAYS = 7
RESUME_INCOMPLETE = 308
EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+|\*)|\*)/(\d+|\*)")
"""With ``*`` as its end a request brings all that is left, as Node's client sends it."""


def content_parts(content_type: str, body: bytes) -> list[tuple[Message, bytes]]:
    """The parts of a multipart body: headers and content of each. Raises StorageError (400) if it is none."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise invalid("Missing multipart boundary.")
    # gcloud and gsutil quote it so, which no RFC knows and the real service takes.
    boundary = boundary.strip("'")
    # The boundary's lines end with CRLF; some clients send LF.
    pieces = re.split(rb"\r?\n--" + re.escape(boundary.encode()), b"\n" + body)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise invalid("Malformed multipart body.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> tuple[Message, bytes]:
    head, *rest = EMPTY_LINE.split(piece, maxsplit=1)
    return headers_in(head), rest[0] if rest else b""


def headers_in(head: bytes) -> Message:
    """The header fields of some lines."""
    headers = Message()
    for line in head.decode(errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers


def begin_upload(objects: Objects, request: HttpRequest) -> StoredObject | HttpAnswer:
    """A POST: a complete object, or the start of a session."""
    check_parameters(request, PARAMETERS)
    bucket = objects.bucket_of(request)
    kind = request.query.get("uploadType", "")
    if kind == "media":
        content_type = request.headers.get("content-type")
        fields: Json = {"contentType": content_type} if content_type else {}
        return _store(objects, bucket, fields, request.body, request)
    if kind == "multipart":
        parts = content_parts(request.headers.get("content-type", ""), request.body)
        if len(parts) != 2:
            raise invalid("A multipart upload has two parts: metadata and content.")
        (_, said), (headers, content) = parts
        fields = json_in(said)
        if "Content-Type" in headers:
            fields = {"contentType": headers["Content-Type"], **fields}
        return _store(objects, bucket, fields, content, request)
    if kind == "resumable":
        return _begin_session(objects, bucket, request)
    raise invalid(f"Invalid value for: uploadType: '{kind}' is none of media, multipart, resumable.")


def go_on_with_upload(objects: Objects, request: HttpRequest) -> StoredObject | HttpAnswer:
    """A PUT: a piece of a session's content, or the question how much has come."""
    session = _session(objects, request)
    if session.made:
        return session.made
    said = request.headers.get("content-range", "")
    found = CONTENT_RANGE.fullmatch(said)
    if said and not found:
        raise invalid(f"Failed to parse Content-Range header: {said}")
    if found:
        first, last, total = found.groups()
        if last == "*":
            last = str(int(first) + len(request.body) - 1)
            total = str(int(last) + 1)
        if total != "*":
            _set_total(session, int(total))
        if first is not None:
            _receive(session, request.body, int(first), int(last), objects.most_kept)
    else:
        _set_total(session, len(request.body))
        _receive(session, request.body, 0, len(request.body) - 1, objects.most_kept)
    if session.received != session.total:
        return _incomplete(session)
    session.made = _complete(objects, session, request)
    session.content = io.BytesIO()
    return session.made


def cancel_upload(objects: Objects, request: HttpRequest) -> HttpAnswer:
    """A DELETE: the session is over, and leaves nothing."""
    del objects.sessions[_id(objects, request)]
    return HttpAnswer(499, b"")


def _begin_session(objects: Objects, bucket: Bucket, request: HttpRequest) -> HttpAnswer:
    fields = _named(json_in(request.body), request)
    if content_type := request.headers.get("x-upload-content-type"):
        fields = {"contentType": content_type, **fields}
    check_object_name(str(fields.get("name", "")))
    check_conditions(request, bucket.live(str(fields["name"])))
    length = request.headers.get("x-upload-content-length", "")
    session_id = uuid.uuid4().hex
    objects.sessions[session_id] = Session(
        bucket=bucket.name,
        fields=fields,
        request=request,
        total=int(length) if length.isdecimal() else None,
        begun=objects.clock.now(),
    )
    query = urlencode({"uploadType": "resumable", "name": fields["name"], "upload_id": session_id})
    location = f"{api_url(request)}/upload/storage/v1/b/{bucket.name}/o?{query}"
    return HttpAnswer(200, b"", headers={"Location": location, "X-GUploader-UploadID": session_id})


def _id(objects: Objects, request: HttpRequest) -> str:
    session_id = request.query.get("upload_id", "")
    session = objects.sessions.get(session_id)
    if session is None:
        raise StorageError(404, "There is no such upload session.")
    if objects.clock.now() - session.begun >= timedelta(days=SESSION_DAYS):
        del objects.sessions[session_id]
        raise StorageError(410, "The upload session has expired: begin again.")
    return session_id


def _session(objects: Objects, request: HttpRequest) -> Session:
    return objects.sessions[_id(objects, request)]


def _set_total(session: Session, total: int) -> None:
    if session.total is not None and session.total != total:
        raise invalid(f"The upload was to have {session.total} bytes, not {total}.")
    session.total = total


def _receive(session: Session, body: bytes, first: int, last: int, most: int | None) -> None:
    """Take a piece in, or as much of it as is kept. What has come is not taken twice; a gap is not taken at all."""
    if last - first + 1 != len(body) or (session.total is not None and last >= session.total):
        raise invalid(f"Invalid request. Content-Range {first}-{last} does not fit {len(body)} bytes.")
    is_last = session.total is not None and last + 1 == session.total
    if not is_last and len(body) % PIECE:
        raise invalid(
            f"Invalid request. The number of bytes uploaded is required to be a multiple of {PIECE}, except for the "
            f"final request. The received request contained {len(body)} bytes."
        )
    if first > session.received:
        raise StorageError(416, f"The upload goes on at byte {session.received}, not {first}.")
    fresh = body[session.received - first :][:most]
    if fresh:
        session.content.write(fresh)
        session.hashing.update(fresh)
        session.received += len(fresh)


def _complete(objects: Objects, session: Session, request: HttpRequest) -> StoredObject:
    bucket = objects.bucket(session.bucket)
    content, said = session.content.getvalue(), _checksums(session.fields, request)
    return objects.store(bucket, session.fields, content, session.request, said, computed=session.hashing.checksums)


def _store(objects: Objects, bucket: Bucket, fields: Json, content: bytes, request: HttpRequest) -> StoredObject:
    fields = _named(fields, request)
    return objects.store(bucket, fields, content, request, _checksums(fields, request))


def _named(fields: Json, request: HttpRequest) -> Json:
    """The fields with the name, which may be a parameter instead, as the content's encoding may."""
    names = {"name": request.query.get("name"), "contentEncoding": request.query.get("contentEncoding")}
    return {**{key: value for key, value in names.items() if value is not None}, **fields}


def _checksums(fields: Json, request: HttpRequest) -> Checksums:
    """The client's checksums of the content: in the metadata, or in ``X-Goog-Hash``."""
    hashes = dict(one.strip().split("=", 1) for one in request.headers.get("x-goog-hash", "").split(",") if "=" in one)
    return Checksums(
        crc32c=str(fields.get("crc32c") or hashes.get("crc32c", "")),
        md5_hash=str(fields.get("md5Hash") or hashes.get("md5", "")),
    )


def _incomplete(session: Session) -> HttpAnswer:
    headers = {"Range": f"bytes=0-{session.received - 1}"} if session.received else {}
    return HttpAnswer(RESUME_INCOMPLETE, b"", headers=headers)
