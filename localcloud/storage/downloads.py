"""The content of objects: all of it, or a range."""

import re

from localcloud.core.http import HttpAnswer, HttpRequest
from localcloud.storage.errors import StorageError
from localcloud.storage.state import StoredObject

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def content_answer(version: StoredObject, request: HttpRequest) -> HttpAnswer:
    """The answer to ``alt=media``. Raises StorageError (416) for a range behind the end."""
    headers = {
        "X-Goog-Generation": str(version.generation),
        "X-Goog-Metageneration": str(version.metageneration),
        "X-Goog-Stored-Content-Length": str(version.size),
        "X-Goog-Stored-Content-Encoding": str(version.fields.get("contentEncoding", "identity")),
        "X-Goog-Hash": f"crc32c={version.crc32c}" + (f",md5={version.md5_hash}" if version.md5_hash else ""),
        "ETag": version.etag,
    }
    for name, header in (("cacheControl", "Cache-Control"), ("contentDisposition", "Content-Disposition")):
        if name in version.fields:
            headers[header] = str(version.fields[name])
    content_type = str(version.fields.get("contentType", ""))
    found = RANGE.fullmatch(request.headers.get("range", ""))
    if not found or found.groups() == ("", ""):
        return HttpAnswer(200, version.content[:], content_type, headers)
    start, end = _bounds(found[1], found[2], version.size)
    if start >= version.size:
        raise StorageError(
            416, "The requested range cannot be satisfied.", headers={"Content-Range": f"bytes */{version.size}"}
        )
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{version.size}"
    return HttpAnswer(206, version.content[start:end], content_type, headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The start and end of a range: ``-500`` is the last 500 bytes."""
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size
