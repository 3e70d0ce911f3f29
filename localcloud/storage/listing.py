"""Lists of objects: by prefix, folded at a delimiter, between offsets, page by page."""

import base64
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from localcloud.core.http import HttpRequest
from localcloud.storage.errors import invalid
from localcloud.storage.request import api_url, check_parameters, flag_in, number_in
from localcloud.storage.serializers import KNOWN_LIST, ObjectSource, object_list, selected
from localcloud.storage.state import Bucket, Json, StoredObject

LARGEST_PAGE = 1000
LAST_SIGN = "\U0010ffff"
PARAMETERS = frozenset(
    (
        *("prefix", "delimiter", "includeTrailingDelimiter", "startOffset", "endOffset", "pageToken", "maxResults"),
        *("versions", "softDeleted", "includeFoldersAsPrefixes"),  # there are no managed folders
    )
)


@dataclass(frozen=True)
class Entry:
    """One entry of a list: a version, or a prefix in place of all names that begin with it."""

    version: StoredObject | None
    prefix: str

    @property
    def token(self) -> str:
        """The token of a page that ends here; later deletions do not affect where the next page starts."""
        version = self.version
        text = f"o{version.generation} {version.name}" if version else f"p {self.prefix}"
        return base64.urlsafe_b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Position:
    """The position at which a list continues: after a prefix, or after a generation of a name."""

    name: str = ""
    generation: int = 0
    prefix: str = ""

    @classmethod
    def of(cls, token: str) -> "Position":
        """Read a page token. Raises StorageError (400) for one that no earlier page gave."""
        if not token:
            return cls()
        try:
            kind, _, name = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(" ")
            return cls(prefix=name) if kind == "p" else cls(name=name, generation=int(kind[1:]))
        except ValueError as error:
            raise invalid("Invalid page token.") from error


def list_objects(bucket: Bucket, request: HttpRequest) -> Json:
    """The answer of ``objects.list``. A page has at most 1000 entries, even if the request asks for more."""
    check_parameters(request, PARAMETERS)
    wanted = selected(request, KNOWN_LIST)
    size = number_in(request, "maxResults")
    limit = LARGEST_PAGE if size is None else min(size, LARGEST_PAGE)
    if limit < 1:
        raise invalid("Invalid value for: maxResults: it must be 1 or more.")
    entries = _entries(bucket, request, Position.of(request.query.get("pageToken", "")))
    page: list[Entry] = []
    token = ""
    for entry in entries:
        if len(page) == limit:
            token = page[-1].token
            break
        page.append(entry)
    api = api_url(request)
    items = [ObjectSource(entry.version, bucket, api) for entry in page if entry.version]
    return object_list(items, [entry.prefix for entry in page if not entry.version], token, wanted)


def _entries(bucket: Bucket, request: HttpRequest, after: Position) -> Iterator[Entry]:
    is_soft_deleted, with_versions = flag_in(request, "softDeleted"), flag_in(request, "versions")
    if is_soft_deleted and with_versions:
        raise invalid("The parameters softDeleted and versions exclude each other.")
    if is_soft_deleted and not bucket.soft_delete_for:
        raise invalid("The bucket has no soft delete policy.")
    kept = bucket.soft_deleted if is_soft_deleted else bucket.versions
    names = sorted(bucket.soft_deleted) if is_soft_deleted else bucket.names
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    end = request.query.get("endOffset", "")
    begin = max(prefix, request.query.get("startOffset", ""), after.name, after.prefix and after.prefix + LAST_SIGN)
    place = bisect_left(names, begin)
    while place < len(names):
        name = names[place]
        if not name.startswith(prefix) or (end and name >= end):
            return
        place += 1
        shown = [one for one in kept[name] if is_soft_deleted or with_versions or one.noncurrent_since is None]
        shown = [one for one in shown if name != after.name or one.generation > after.generation]
        if not shown:
            continue
        folded = _folded(name, prefix, delimiter)
        if folded:
            yield Entry(None, folded)
            place = bisect_left(names, folded + LAST_SIGN)
        if not folded or (folded == name and flag_in(request, "includeTrailingDelimiter")):
            yield from (Entry(one, "") for one in shown)


def _folded(name: str, prefix: str, delimiter: str) -> str:
    """The prefix that an object's name is folded to; "" if it is listed itself."""
    head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
    return prefix + head + found if found else ""
