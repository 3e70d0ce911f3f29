"""The part of a world that is Cloud Storage's: its types, and how they are created."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec

from localcloud.core.world_format import Count, Moment
from localcloud.core.world_place import Place
from localcloud.storage.buckets import SOFT_DELETE_SECONDS
from localcloud.storage.state import Content, Zeros

if TYPE_CHECKING:
    from localcloud.storage.service import CloudStorage

Fields = dict[str, object]


class StoredObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object: with some text as its content, or of a size, and then it is all zeros."""

    content: str = ""
    size: Count = 0
    created: Moment | None = None
    """By default now."""
    metadata: dict[str, str] = {}
    temporary_hold: bool = False
    event_based_hold: bool = False
    fields: Fields = {}
    """Further fields of the API's object resource, such as customTime."""


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Objects that were created one after the other, such as a backup each night."""

    name: str
    """With the time of creation in UTC as strftime has it: ``shop/%Y-%m-%dT%H%M%SZ.dump``."""
    first: Moment
    every_seconds: Annotated[int, msgspec.Meta(ge=1)] = 24 * 3600
    count: Annotated[int, msgspec.Meta(ge=1)]
    size: Count = 0
    metadata: dict[str, str] = {}


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bucket: single objects by name, and series of them."""

    soft_delete_seconds: Count = SOFT_DELETE_SECONDS
    retention_seconds: Count = 0
    versioning: bool = False
    objects: dict[str, StoredObject] = {}
    series: list[Series] = []
    fields: Fields = {}
    """Further fields of the API's bucket resource, such as defaultEventBasedHold."""


def add_buckets(storage: "CloudStorage", place: Place, buckets: Mapping[str, Bucket]) -> None:
    """Create buckets with their objects."""
    for name, bucket in buckets.items():
        with place.key(name):
            storage.add_bucket(place.owner, name, _bucket_fields(bucket))
        for object_name, stored in bucket.objects.items():
            with place.key(name, "objects", object_name):
                storage.add_object(name, object_name, _content(stored), _fields(stored), created=stored.created)
        for number, series in enumerate(bucket.series):
            with place.key(name, f"series[{number}]"):
                _add_series(storage, name, series)


def _add_series(storage: "CloudStorage", bucket: str, series: Series) -> None:
    fields: Fields = {"metadata": series.metadata} if series.metadata else {}
    for number in range(series.count):
        created = series.first.astimezone(UTC) + timedelta(seconds=number * series.every_seconds)
        storage.add_object(bucket, created.strftime(series.name), Zeros(series.size), fields, created=created)


def _content(stored: StoredObject) -> Content:
    if stored.content and stored.size:
        raise ValueError("content, size: say one of them; the size of some content is its own")
    return stored.content.encode() if stored.content else Zeros(stored.size)


def _fields(stored: StoredObject) -> Fields:
    holds = {"temporaryHold": stored.temporary_hold, "eventBasedHold": stored.event_based_hold}
    held: Fields = {name: value for name, value in holds.items() if value}
    return held | ({"metadata": stored.metadata} if stored.metadata else {}) | stored.fields


def _bucket_fields(bucket: Bucket) -> Fields:
    fields: Fields = {"softDeletePolicy": {"retentionDurationSeconds": str(bucket.soft_delete_seconds)}}
    if bucket.retention_seconds:
        fields["retentionPolicy"] = {"retentionPeriod": str(bucket.retention_seconds)}
    if bucket.versioning:
        fields["versioning"] = {"enabled": True}
    return fields | bucket.fields
