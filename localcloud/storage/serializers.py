"""Buckets and objects as Cloud Storage's JSON API tells them.

https://cloud.google.com/storage/docs/json_api/v1/objects#resource and .../buckets#resource
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from localcloud.core.http import HttpRequest
from localcloud.core.messages import project_number
from localcloud.core.partial_response import Selection, select, selection
from localcloud.storage.rules import retained_until
from localcloud.storage.state import Bucket, Json, StoredObject

API = "https://www.googleapis.com/storage/v1"
"""The URL in resources' self links, wherever a client reached them."""
MULTI_REGION = {"locationType": "multi-region", "rpo": "DEFAULT"}
OBJECT_SETTINGS = (
    *("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "customTime"),
    *("retention", "storageClass"),
)
"""The fields of an object that a client may set, besides holds and custom metadata."""


def rfc3339(moment: datetime) -> str:
    """A time as the API returns it: in UTC, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """A version of an object to serialize, and the URL at which the client finds the API."""

    version: StoredObject
    bucket: Bucket
    api: str

    @property
    def path(self) -> str:
        """The object below the API's path."""
        return f"storage/v1/b/{self.bucket.name}/o/{quote(self.version.name, safe='')}"


FieldSerializer = Callable[[ObjectSource], object]


def _setting(name: str) -> FieldSerializer:
    return lambda source: source.version.fields.get(name)


OBJECT_FIELDS: Mapping[str, FieldSerializer] = {
    "kind": lambda _: "storage#object",
    "id": lambda source: f"{source.bucket.name}/{source.version.name}/{source.version.generation}",
    "selfLink": lambda source: f"{API}/{source.path.removeprefix('storage/v1/')}",
    "mediaLink": lambda source: f"{source.api}/download/{source.path}?generation={source.version.generation}&alt=media",
    "name": lambda source: source.version.name,
    "bucket": lambda source: source.bucket.name,
    "generation": lambda source: str(source.version.generation),
    "metageneration": lambda source: str(source.version.metageneration),
    **{name: _setting(name) for name in OBJECT_SETTINGS},
    "size": lambda source: str(source.version.size),
    "md5Hash": lambda source: source.version.md5_hash or None,
    "crc32c": lambda source: source.version.crc32c,
    "etag": lambda source: source.version.etag,
    "timeCreated": lambda source: _time(source.version.created),
    "updated": lambda source: _time(source.version.updated),
    "timeStorageClassUpdated": lambda source: _time(source.version.created),
    "timeFinalized": lambda source: _time(source.version.created),
    "timeDeleted": lambda source: _time(source.version.noncurrent_since),
    "softDeleteTime": lambda source: _time(source.version.soft_deleted),
    "hardDeleteTime": lambda source: _time(source.version.hard_deleted),
    "temporaryHold": lambda source: source.version.temporary_hold,
    "eventBasedHold": lambda source: source.version.event_based_hold,
    "retentionExpirationTime": lambda source: _time(retained_until(source.bucket, source.version)),
    "metadata": lambda source: dict(source.version.metadata) if source.version.metadata else None,
    **dict.fromkeys(("acl", "owner", "componentCount", "kmsKeyName", "contexts"), lambda _: None),
}
"""Each field of an object, and its serializer; None is left out."""

_INNER: Selection = {"metadata": {"*": None}, "retention": {"mode": None, "retainUntilTime": None}}
NEVER_THERE = ("acl", "customerEncryption", "contexts", "owner")
"""Fields of objects that clients select, and no object has here."""
KNOWN_OBJECT: Selection = {name: _INNER.get(name) for name in (*OBJECT_FIELDS, *NEVER_THERE)}
KNOWN_LIST: Selection = {"kind": None, "nextPageToken": None, "prefixes": None, "items": KNOWN_OBJECT}


def selected(request: HttpRequest, known: Selection) -> Selection | None:
    """The fields that are wanted, None for all. Raises INVALID_ARGUMENT if they are malformed or not known."""
    fields = request.query.get("fields", "*")
    return None if fields == "*" else selection(fields, known)


def object_resource(source: ObjectSource, wanted: Selection | None = None) -> Json:
    """A version of an object, or the part of it that is wanted. Only that is made: lists are long."""
    found: Json = {
        name: value
        for name in (OBJECT_FIELDS if wanted is None or "*" in wanted else wanted)
        if name not in NEVER_THERE and (value := OBJECT_FIELDS[name](source)) is not None
    }
    if wanted is None or all(inner is None for inner in wanted.values()):
        return found
    return {name: select(value, wanted.get(name)) for name, value in found.items()}


def object_list(items: Iterable[ObjectSource], prefixes: list[str], token: str, wanted: Selection | None) -> Json:
    """One page of a list. What is empty is left out."""
    of_each = None if wanted is None else wanted.get("items", wanted.get("*"))
    answer: Json = {"kind": "storage#objects"}
    if wanted is None or "items" in wanted or "*" in wanted:
        answer["items"] = [object_resource(source, of_each) for source in items]
    answer |= {"prefixes": prefixes, "nextPageToken": token}
    return {
        name: value for name, value in answer.items() if value and (wanted is None or name in wanted or "*" in wanted)
    }


def bucket_resource(bucket: Bucket) -> Json:
    """A bucket."""
    is_region = "-" in str(bucket.fields.get("location"))
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "name": bucket.name,
        "selfLink": f"{API}/b/{bucket.name}",
        "generation": str(int(bucket.created.timestamp() * 10**6)),
        "projectNumber": project_number(bucket.project),
        "metageneration": str(bucket.metageneration),
        "etag": f"{bucket.metageneration:04x}",
        "timeCreated": rfc3339(bucket.created),
        "updated": rfc3339(bucket.updated),
        **({"locationType": "region", "satisfiesPZI": True} if is_region else MULTI_REGION),
        **bucket.fields,
    }
