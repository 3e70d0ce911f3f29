"""A resumable upload whose end decides whether there is an object at all.

https://cloud.google.com/storage/docs/performing-resumable-uploads. Google's own client is not used for it: its writer
makes an object of what has been written so far when it is garbage-collected, cancels at the wrong address, and takes
for granted that Cloud Storage keeps all that it is sent (docs/decisions/0012-uploads.md).
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from jobs.bucket import Bucket, StoredObject
from jobs.job import JobFailed
from shared.decoding import decoded
from shared.errors import in_words
from shared.report import Severity, write_log

if TYPE_CHECKING:
    from requests import Response

CHUNK = 8 * 1024 * 1024
"""Bytes of each request but the last: a multiple of 256 KiB."""
RESUME_INCOMPLETE = 308
CANCELLED = 499
_RANGE = re.compile(r"bytes=0-(\d{1,18})")


class Upload:
    """One upload, from when its address is known."""

    def __init__(self, bucket: Bucket, address: str) -> None:
        self._bucket = bucket
        self._address = address
        self._kept = 0
        """The number of bytes that Cloud Storage has confirmed."""
        self._is_unsure = False
        """Whether a request has been sent, and its answer has not come."""

    def send(self, chunk: bytes) -> None:
        """Send a chunk that others follow; returns when Cloud Storage keeps all of it."""
        self._send(chunk, "*")

    def finish(self, rest: bytes, md5: bytes) -> StoredObject:
        """Send what is left, with the MD5 of the whole: only now it becomes an object.

        Raises ``JobFailed`` if what is stored is not what was sent.
        """
        total = self._kept + len(rest)
        digest = base64.b64encode(md5).decode()
        stored = self._send(rest, str(total), {"X-Goog-Hash": f"md5={digest}"})
        if stored is None or (int(stored.size), stored.md5_hash) != (total, digest):
            raise JobFailed("what Cloud Storage has stored is not what it was sent: it does not count as a backup")
        return stored

    def cancel(self) -> None:
        """Give it up: it never becomes an object."""
        from google.api_core.exceptions import GoogleAPICallError

        try:
            self._bucket.ask("DELETE", self._address)
        except GoogleAPICallError as error:
            if error.code != CANCELLED:  # which is what success is called
                write_log(
                    Severity.WARNING, f"an upload ends by itself in a week, as cancelling failed: {in_words(error)}"
                )

    def _send(self, chunk: bytes, total: str, headers: dict[str, str] | None = None) -> StoredObject | None:
        """Send until all of a chunk is kept; returns the object if that was the last of it."""
        start, end = self._kept, self._kept + len(chunk)

        def put(data: bytes, content_range: str) -> "Response":
            answer = self._put(data, content_range, headers)
            if self._kept < start:
                raise JobFailed(f"Cloud Storage has lost what it kept of the upload after {self._kept} bytes")
            return answer

        def attempt() -> "Response":
            if self._is_unsure:
                answer = put(b"", f"*/{total}")
                if answer.status_code != RESUME_INCOMPLETE or (total == "*" and self._kept == end):
                    return answer
            rest = chunk[self._kept - start :]
            self._is_unsure = True
            return put(rest, f"{self._kept}-{end - 1}/{total}" if rest else f"*/{total}")

        while True:
            kept, answer = self._kept, self._bucket.clients.repeated(attempt)
            if answer.status_code != RESUME_INCOMPLETE:
                return decoded(answer.content, StoredObject)
            if self._kept == end and total == "*":
                return None
            if self._kept == kept:
                raise JobFailed(f"Cloud Storage keeps no more than {kept} bytes of the upload")

    def _put(self, data: bytes, content_range: str, headers: dict[str, str] | None) -> "Response":
        headers = {"Content-Range": f"bytes {content_range}", **(headers or {})}
        answer = self._bucket.ask("PUT", self._address, data=data, headers=headers)
        self._is_unsure = False
        if answer.status_code == RESUME_INCOMPLETE:
            found = _RANGE.fullmatch(answer.headers.get("Range", ""))
            self._kept = int(found[1]) + 1 if found else 0
        return answer


@contextmanager
def uploading(bucket: Bucket, name: str) -> Iterator[Upload]:
    """An upload of a new object, cancelled unless it is finished within the ``with``.

    Raises ``JobFailed`` if there is an object of that name already.
    """
    from google.api_core.exceptions import PreconditionFailed  # takes long, and `pg_dump` runs already

    parameters = {"uploadType": "resumable", "name": name, "ifGenerationMatch": "0"}
    path = f"/upload/storage/v1/b/{quote(bucket.name, safe='')}/o"
    try:
        answer = bucket.clients.repeated(
            lambda: bucket.ask("POST", path, parameters=parameters, body={"contentType": "application/octet-stream"})
        )
    except PreconditionFailed:
        raise JobFailed(f"gs://{bucket.name}/{name} is there already, and is left as it is") from None
    upload = Upload(bucket, answer.headers["Location"])
    try:
        yield upload
    except BaseException:
        upload.cancel()
        raise
