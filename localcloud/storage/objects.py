"""Objects of a bucket: stored, read, changed, deleted and restored, each version by its generation."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from localcloud.core.clock import Clock
from localcloud.core.http import HttpRequest
from localcloud.storage.errors import StorageError, invalid, no_such_bucket, no_such_object
from localcloud.storage.request import flag_in, json_in, name_in, number_in
from localcloud.storage.rules import (
    check_conditions,
    check_no_hold,
    check_no_retention,
    check_object_name,
    check_own_retention,
    checked_metadata,
    checked_time,
)
from localcloud.storage.serializers import OBJECT_FIELDS, OBJECT_SETTINGS
from localcloud.storage.state import (
    EPOCH,
    MICROSECOND,
    Bucket,
    Checksums,
    Content,
    Json,
    Session,
    StoredObject,
    checksums_of,
)

DEFAULT_CONTENT_TYPE = "application/octet-stream"
HOLDS = {"temporaryHold": "temporary_hold", "eventBasedHold": "event_based_hold"}
SETTABLE = frozenset((*OBJECT_SETTINGS, *HOLDS, "metadata"))


class Objects:
    """All buckets, and what is in them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        """Held while a bucket is read or changed."""
        self.buckets: dict[str, Bucket] = {}
        self.sessions: dict[str, Session] = {}
        """Resumable uploads, by id."""
        self.most_kept: int | None = None
        """The number of bytes of each request that are kept; all of them by default."""
        self._last_generation = 0

    def bucket(self, name: str) -> Bucket:
        """A bucket. Raises StorageError (404)."""
        if name not in self.buckets:
            raise no_such_bucket()
        return self.buckets[name]

    def bucket_of(self, request: HttpRequest) -> Bucket:
        """The bucket that a request names, without the soft-deleted objects whose time is over."""
        bucket = self.bucket(name_in(request, "bucket"))
        bucket.purge(self.clock.now())
        return bucket

    def next_generation(self) -> int:
        """Generations are microseconds, and never the same twice."""
        now = (self.clock.now() - EPOCH) // MICROSECOND
        self._last_generation = max(now, self._last_generation + 1)
        return self._last_generation

    def find(self, bucket: Bucket, request: HttpRequest) -> StoredObject:
        """The version that a request names: the live one, if it has no generation. Raises StorageError (404)."""
        name, generation = name_in(request, "object"), number_in(request, "generation")
        is_soft_deleted = flag_in(request, "softDeleted")
        if is_soft_deleted and generation is None:
            raise invalid("A soft-deleted object is found by its generation.")
        if generation is None:
            found = bucket.live(name)
        else:
            kept = bucket.soft_deleted if is_soft_deleted else bucket.versions
            found = next((one for one in kept.get(name, ()) if one.generation == generation), None)
        if found is None:
            raise no_such_object(bucket.name, name)
        return found

    def store(
        self,
        bucket: Bucket,
        fields: Json,
        content: Content,
        request: HttpRequest | None,
        said: Checksums,
        *,
        computed: Checksums | None = None,
    ) -> StoredObject:
        """Make a new live version of what ``fields`` name, in the place of the one that there is.

        Checksums are what a client has ``said`` of its content, and of it, if they are ``computed`` already.
        Raises StorageError: 400 for invalid values, 403 if the present one is protected, 412 by preconditions.
        """
        name = str(fields.get("name", ""))
        check_object_name(name)
        present = bucket.live(name)
        if request:
            check_conditions(request, present)
        computed = computed or checksums_of(content)
        made = StoredObject(
            name=name,
            generation=self.next_generation(),
            content=content,
            created=self.clock.now(),
            updated=self.clock.now(),
            crc32c=computed.crc32c,
            md5_hash=computed.md5_hash,
        )
        for what, provided, is_so in (
            ("CRC32C", said.crc32c, computed.crc32c),
            ("MD5 hash", said.md5_hash, computed.md5_hash),
        ):
            if provided and provided != is_so:
                raise invalid(f'Provided {what} "{provided}" doesn\'t match calculated {what} "{is_so}".')
        defaults = {"contentType": DEFAULT_CONTENT_TYPE, "storageClass": bucket.fields.get("storageClass", "STANDARD")}
        if bucket.fields.get("defaultEventBasedHold"):
            defaults["eventBasedHold"] = True
        own = {key: value for key, value in fields.items() if key not in ("name", "bucket", "crc32c", "md5Hash")}
        self._change(bucket, made, defaults | own, may_override=False)
        if present:
            self.retire(bucket, present)
        bucket.add(made)
        return made

    def patch(self, bucket: Bucket, version: StoredObject, request: HttpRequest, fields: Json) -> None:
        """Change what is said of a version, and leave the rest. Raises StorageError, and then changes nothing."""
        check_conditions(request, version)
        metadata = fields.get("metadata")
        if isinstance(metadata, dict):
            merged = {**(version.metadata or {}), **metadata}
            fields = {**fields, "metadata": {key: value for key, value in merged.items() if value is not None}}
        self._change(bucket, version, fields, may_override=flag_in(request, "overrideUnlockedRetention"))
        version.metageneration += 1
        version.updated = self.clock.now()

    def update(self, bucket: Bucket, version: StoredObject, request: HttpRequest, fields: Json) -> None:
        """Change a version to just what is said; what is left out is cleared. Raises StorageError."""
        cleared: dict[str, object] = {name: None for name in version.fields if name != "storageClass"}
        cleared |= dict.fromkeys(HOLDS) | {"metadata": None}
        check_conditions(request, version)
        self._change(bucket, version, cleared | fields, may_override=flag_in(request, "overrideUnlockedRetention"))
        version.metageneration += 1
        version.updated = self.clock.now()

    def delete(self, bucket: Bucket, request: HttpRequest) -> None:
        """Delete the version that a request names. Raises StorageError: 403, 404, 412."""
        version = self.find(bucket, request)
        check_conditions(request, version)
        if "generation" in request.query:
            check_no_hold(bucket, version)
            check_no_retention(bucket, version, self.clock.now())
            self._delete(bucket, version)
        else:
            self.retire(bucket, version)

    def retire(self, bucket: Bucket, version: StoredObject) -> None:
        """Let a live version be live no more. Raises StorageError (403) if it is protected.

        A retention keeps a version, not its being live: where versions are kept, it can become noncurrent.
        """
        check_no_hold(bucket, version)
        if not bucket.is_versioned:
            check_no_retention(bucket, version, self.clock.now())
        if bucket.is_versioned:
            version.noncurrent_since = self.clock.now()
        else:
            self._delete(bucket, version)

    def restore(self, bucket: Bucket, request: HttpRequest) -> StoredObject:
        """Make a soft-deleted version live again: a copy, with a generation and a time of creation of its own.

        https://cloud.google.com/storage/docs/json_api/v1/objects/restore. Raises StorageError.
        """
        name, generation = name_in(request, "object"), number_in(request, "generation")
        if generation is None:
            raise StorageError(400, "Required parameter: generation", "required")
        if bucket.soft_delete_for == timedelta(0):
            raise invalid("The bucket has no soft delete policy.")
        deleted = next((one for one in bucket.soft_deleted.get(name, ()) if one.generation == generation), None)
        if deleted is None:
            raise no_such_object(bucket.name, name)
        fields: Json = {"name": name, **deleted.fields}
        fields |= {key: held for key, attribute in HOLDS.items() if (held := getattr(deleted, attribute)) is not None}
        fields |= {"metadata": dict(deleted.metadata)} if deleted.metadata else {}
        return self.store(bucket, fields, deleted.content, request, Checksums())

    def copy(self, source: Bucket, target: Bucket, request: HttpRequest) -> StoredObject:
        """Copy a version over a name: with a generation and a time of creation of its own.

        Metadata in the request's body take the place of the version's own. Raises StorageError.
        https://cloud.google.com/storage/docs/json_api/v1/objects/copy
        """
        said = {key: value for key, value in json_in(request.body).items() if key in SETTABLE}
        name, generation = name_in(request, "object"), number_in(request, "sourceGeneration")
        versions = [one for one in source.versions.get(name, ()) if one.generation == generation]
        found = source.live(name) if generation is None else next(iter(versions), None)
        if found is None:
            raise no_such_object(source.name, name)
        own: Json = {**found.fields, **({"metadata": dict(found.metadata)} if found.metadata else {})}
        fields: Json = {**(said or own), "name": name_in(request, "to_object")}
        return self.store(target, fields, found.content, request, Checksums())

    def _delete(self, bucket: Bucket, version: StoredObject) -> None:
        bucket.remove(version)
        if bucket.soft_delete_for > timedelta(0):
            bucket.soft_delete(version, self.clock.now())

    def _change(self, bucket: Bucket, version: StoredObject, fields: Json, *, may_override: bool) -> None:
        """Set fields of a version; None clears one. Server-only fields are ignored, as the API documents."""
        changed = {key: value for key, value in fields.items() if key in SETTABLE}
        for name in fields:
            if name not in OBJECT_FIELDS:
                raise invalid(f"The local cloud does not know the field '{name}' of an object.")
        _check_fields(bucket, version, changed, may_override=may_override)
        for name, value in changed.items():
            if name == "metadata":
                version.metadata = checked_metadata(value) if value is not None else None
            elif name in HOLDS:
                self._hold(version, name, value)
            elif value is None:
                version.fields.pop(name, None)
            else:
                version.fields[name] = value

    def _hold(self, version: StoredObject, name: str, value: object) -> None:
        attribute = HOLDS[name]
        if attribute == "event_based_hold" and version.event_based_hold and not value:
            version.released = self.clock.now()
        setattr(version, attribute, value)


def _check_fields(bucket: Bucket, version: StoredObject, changed: Mapping[str, object], *, may_override: bool) -> None:
    for name, value in changed.items():
        if name == "metadata":
            if value is not None:
                checked_metadata(value)
        elif name in HOLDS:
            if value is not None and not isinstance(value, bool):
                raise invalid(f"Invalid value for: {name}: it is true or false.")
        elif name == "retention":
            check_own_retention(bucket, version.fields.get("retention"), value, may_override=may_override)
        elif name == "customTime":
            _check_custom_time(version, value)
        elif value is not None and not isinstance(value, str):
            raise invalid(f"Invalid value for: {name}: a text is expected.")


def _check_custom_time(version: StoredObject, value: object) -> None:
    """It can be moved forward only: https://cloud.google.com/storage/docs/metadata#custom-time."""
    before = version.fields.get("customTime")
    after: datetime | None = checked_time("customTime", value) if value is not None else None
    if before is not None and (after is None or after < datetime.fromisoformat(str(before))):
        raise invalid("The customTime of an object can be neither removed nor set to an earlier time.")
