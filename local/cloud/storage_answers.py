"""Buckets and objects as Cloud Storage's JSON API tells them.

https://cloud.google.com/storage/docs/json_api/v1/objects#resource and .../buckets#resource
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from local.cloud.http import HttpRequest
from local.cloud.partial_response import Selection, select, selection
from local.cloud.storage_request import HOST
from local.cloud.storage_rules import retained_until
from local.cloud.storage_state import Bucket, Json, StoredObject

API = f"https://{HOST}"
OBJECT_SETTINGS = (
    *("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "customTime"),
    *("retention", "storageClass"),
)
"""What a client may set of an object, besides holds and custom metadata."""


def rfc3339(moment: datetime) -> str:
    """A time as the API tells it: in UTC, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def object_url(bucket: Bucket, version: StoredObject) -> str:
    """Where an object's metadata is."""
    return f"{API}/storage/v1/b/{bucket.name}/o/{quote(version.name, safe='')}"


Teller = Callable[[Bucket, StoredObject], object]


def _setting(name: str) -> Teller:
    return lambda _, version: version.fields.get(name)


OBJECT_FIELDS: Mapping[str, Teller] = {
    "kind": lambda *_: "storage#object",
    "id": lambda bucket, version: f"{bucket.name}/{version.name}/{version.generation}",
    "selfLink": object_url,
    "mediaLink": lambda bucket, version: (
        f"{API}/download/storage/v1/b/{bucket.name}/o/{quote(version.name, safe='')}"
        f"?generation={version.generation}&alt=media"
    ),
    "name": lambda _, version: version.name,
    "bucket": lambda bucket, _: bucket.name,
    "generation": lambda _, version: str(version.generation),
    "metageneration": lambda _, version: str(version.metageneration),
    **{name: _setting(name) for name in OBJECT_SETTINGS},
    "size": lambda _, version: str(version.size),
    "md5Hash": lambda _, version: version.md5_hash or None,
    "crc32c": lambda _, version: version.crc32c,
    "etag": lambda _, version: version.etag,
    "timeCreated": lambda _, version: _time(version.created),
    "updated": lambda _, version: _time(version.updated),
    "timeStorageClassUpdated": lambda _, version: _time(version.created),
    "timeFinalized": lambda _, version: _time(version.created),
    "timeDeleted": lambda _, version: _time(version.noncurrent_since),
    "softDeleteTime": lambda _, version: _time(version.soft_deleted),
    "hardDeleteTime": lambda _, version: _time(version.hard_deleted),
    "temporaryHold": lambda _, version: version.temporary_hold,
    "eventBasedHold": lambda _, version: version.event_based_hold,
    "retentionExpirationTime": lambda bucket, version: _time(retained_until(bucket, version)),
    "metadata": lambda _, version: dict(version.metadata) if version.metadata else None,
    **dict.fromkeys(("acl", "owner", "componentCount", "kmsKeyName", "contexts"), lambda *_: None),
}
"""Each field of an object, and how it is told; None is left out."""

_INNER: Selection = {"metadata": {"*": None}, "retention": {"mode": None, "retainUntilTime": None}}
KNOWN_OBJECT: Selection = {name: _INNER.get(name) for name in OBJECT_FIELDS}
KNOWN_LIST: Selection = {"kind": None, "nextPageToken": None, "prefixes": None, "items": KNOWN_OBJECT}


def selected(request: HttpRequest, known: Selection) -> Selection | None:
    """The fields that are wanted, None for all. Raises INVALID_ARGUMENT if they are malformed or not known."""
    fields = request.query.get("fields", "*")
    return None if fields == "*" else selection(fields, known)


def object_resource(bucket: Bucket, version: StoredObject, wanted: Selection | None = None) -> Json:
    """A version of an object, or the part of it that is wanted. Only that is made: lists are long."""
    told: Json = {
        name: value
        for name in (OBJECT_FIELDS if wanted is None or "*" in wanted else wanted)
        if (value := OBJECT_FIELDS[name](bucket, version)) is not None
    }
    if wanted is None or all(inner is None for inner in wanted.values()):
        return told
    return {name: select(value, wanted.get(name)) for name, value in told.items()}


def object_list(
    bucket: Bucket, items: Iterable[StoredObject], prefixes: list[str], token: str, wanted: Selection | None
) -> Json:
    """One page of a list. What is empty is left out."""
    of_each = None if wanted is None else wanted.get("items", wanted.get("*"))
    answer: Json = {"kind": "storage#objects"}
    if wanted is None or "items" in wanted or "*" in wanted:
        answer["items"] = [object_resource(bucket, version, of_each) for version in items]
    answer |= {"prefixes": prefixes, "nextPageToken": token}
    return {
        name: value for name, value in answer.items() if value and (wanted is None or name in wanted or "*" in wanted)
    }


def bucket_resource(bucket: Bucket) -> Json:
    """A bucket."""
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "name": bucket.name,
        "selfLink": f"{API}/storage/v1/b/{bucket.name}",
        "projectNumber": "0",
        "metageneration": str(bucket.metageneration),
        "etag": f"{bucket.metageneration:04x}",
        "timeCreated": rfc3339(bucket.created),
        "updated": rfc3339(bucket.updated),
        "locationType": "region" if "-" in str(bucket.fields.get("location")) else "multi-region",
        **bucket.fields,
    }
