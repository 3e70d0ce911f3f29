"""The state of Cloud Storage: buckets, and in each the versions of every object."""

import base64
import functools
import hashlib
import io
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import google_crc32c

from localcloud.core.http import HttpRequest

Json = dict[str, object]

CHUNK = 1 << 20
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Zeros:
    """Content that is nothing but zeros, so that a backup of many gigabytes takes no memory here."""

    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        return bytes(len(range(*part.indices(self.size))))


Content = bytes | Zeros


@dataclass(frozen=True)
class Checksums:
    """The checksums of some content, as the API tells them, or a client: base64, and empty if it does not."""

    crc32c: str = ""
    md5_hash: str = ""


class Hashing:
    """Computes the checksums of content that arrives in pieces."""

    def __init__(self) -> None:
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, piece: bytes) -> None:
        """Add the next piece."""
        self._crc32c = google_crc32c.extend(self._crc32c, piece)
        self._md5.update(piece)

    @property
    def checksums(self) -> Checksums:
        """Of all pieces so far."""
        return Checksums(_crc32c_text(self._crc32c), base64.b64encode(self._md5.digest()).decode())


@dataclass(slots=True)
class StoredObject:
    """One version of an object: live, noncurrent, or soft-deleted."""

    name: str
    generation: int
    content: Content
    created: datetime
    crc32c: str
    """As the API tells it: base64 of the big-endian checksum."""
    md5_hash: str = ""
    """Empty for zeros, as it is for objects that the real service has composed."""
    metageneration: int = 1
    updated: datetime = EPOCH
    fields: Json = field(default_factory=dict)
    """Further fields that a client may set, in the API's words: contentType, customTime, storageClass, retention."""
    metadata: dict[str, str] | None = None
    temporary_hold: bool | None = None
    event_based_hold: bool | None = None
    released: datetime | None = None
    """The end of an event-based hold: the bucket's retention period counts from then."""
    noncurrent_since: datetime | None = None
    soft_deleted: datetime | None = None
    hard_deleted: datetime | None = None
    """The time at which a soft-deleted version is deleted permanently."""

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return len(self.content)

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()


@dataclass
class Bucket:
    """A bucket, and the versions of its objects by name, oldest first. A live one is the last of its name."""

    name: str
    project: str
    created: datetime
    updated: datetime
    metageneration: int = 1
    fields: Json = field(default_factory=dict)
    """The fields that a client may set, in the API's words."""
    versions: dict[str, list[StoredObject]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """The names of all versions, sorted as UTF-8 is."""
    soft_deleted: dict[str, list[StoredObject]] = field(default_factory=dict)
    next_purge: datetime | None = None
    """The time at which the first of them is deleted permanently."""

    def number(self, outer: str, inner: str) -> int:
        """A number in its settings, 0 if there is none, such as softDeletePolicy.retentionDurationSeconds."""
        group = self.fields.get(outer)
        return int(str(group.get(inner, 0))) if isinstance(group, dict) else 0

    @property
    def soft_delete_for(self) -> timedelta:
        """The time for which deleted objects can be restored; 0 is not at all."""
        return timedelta(seconds=self.number("softDeletePolicy", "retentionDurationSeconds"))

    @property
    def retention_period(self) -> timedelta:
        """The minimum retention of each object."""
        return timedelta(seconds=self.number("retentionPolicy", "retentionPeriod"))

    @property
    def is_versioned(self) -> bool:
        """Whether what is overwritten or deleted stays as a noncurrent version."""
        versioning = self.fields.get("versioning")
        return isinstance(versioning, dict) and versioning.get("enabled") is True

    def live(self, name: str) -> StoredObject | None:
        """The live version of an object."""
        versions = self.versions.get(name)
        return versions[-1] if versions and versions[-1].noncurrent_since is None else None

    def add(self, version: StoredObject) -> None:
        """Keep a new version; it is the newest of its name."""
        if version.name not in self.versions:
            if self.names and version.name > self.names[-1]:
                self.names.append(version.name)
            else:
                insort(self.names, version.name)
        self.versions.setdefault(version.name, []).append(version)

    def remove(self, version: StoredObject) -> None:
        """Take a version away."""
        left = self.versions[version.name]
        left.remove(version)
        if not left:
            del self.versions[version.name]
            del self.names[bisect_left(self.names, version.name)]

    def soft_delete(self, version: StoredObject, now: datetime) -> None:
        """Keep a version that has been taken away, for as long as the bucket's policy requires."""
        version.soft_deleted, version.hard_deleted = now, now + self.soft_delete_for
        self.soft_deleted.setdefault(version.name, []).append(version)
        self.next_purge = min(self.next_purge or version.hard_deleted, version.hard_deleted)

    def purge(self, now: datetime) -> None:
        """Let go of the soft-deleted versions whose time is over."""
        if self.next_purge is None or self.next_purge > now:
            return
        for name, versions in list(self.soft_deleted.items()):
            left = [version for version in versions if version.hard_deleted and version.hard_deleted > now]
            if not left:
                del self.soft_deleted[name]
            elif len(left) < len(versions):
                self.soft_deleted[name] = left
        ends = [one.hard_deleted for versions in self.soft_deleted.values() for one in versions if one.hard_deleted]
        self.next_purge = min(ends, default=None)


@dataclass
class Session:
    """A resumable upload in progress: the data received so far is no object yet."""

    bucket: str
    fields: Json
    request: HttpRequest
    """The one that began it, whose preconditions hold at the end as well."""
    total: int | None
    begun: datetime
    content: io.BytesIO = field(default_factory=io.BytesIO)
    hashing: Hashing = field(default_factory=Hashing)
    """As Cloud Storage does, so that the end of a large upload need not wait for it."""
    received: int = 0
    made: StoredObject | None = None
    """The object, once the upload is complete: a client that missed the response may ask again."""


def chunks_of(content: Content) -> Iterator[bytes]:
    """The content, a piece at a time."""
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def checksums_of(content: Content) -> Checksums:
    """The checksums of some content; of zeros, of which there may be many, no MD5."""
    if isinstance(content, Zeros):
        return Checksums(_crc32c_of_zeros(content.size))
    hashing = Hashing()
    hashing.update(content)
    return hashing.checksums


@functools.lru_cache(maxsize=256)
def _crc32c_of_zeros(size: int) -> str:
    crc32c = 0
    for chunk in chunks_of(Zeros(size)):
        crc32c = google_crc32c.extend(crc32c, chunk)
    return _crc32c_text(crc32c)


def _crc32c_text(crc32c: int) -> str:
    return base64.b64encode(crc32c.to_bytes(4, "big")).decode()
