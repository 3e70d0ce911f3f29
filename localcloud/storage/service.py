"""Cloud Storage's JSON API, for the official client, `gcloud storage`, `gsutil` and plain requests.

It is served as storage.googleapis.com (see `localcloud.core.http`). Buckets and objects come from the world, from
clients, or from `add_bucket` and `add_object`.
"""

import re
from collections.abc import Callable
from datetime import datetime

from localcloud.core.clock import Clock
from localcloud.core.http import NO_CONTENT, HttpAnswer, HttpRequest, HttpServer, Route
from localcloud.storage.batch import batch_answer
from localcloud.storage.buckets import (
    add_bucket,
    delete_bucket,
    get_bucket,
    insert_bucket,
    list_buckets,
    lock_retention_policy,
    patch_bucket,
)
from localcloud.storage.downloads import content_answer
from localcloud.storage.errors import invalid, refusal
from localcloud.storage.listing import list_objects
from localcloud.storage.objects import Objects
from localcloud.storage.request import CONDITIONS, HOST, api_url, check_parameters, flag_in, json_in, name_in
from localcloud.storage.rules import check_conditions
from localcloud.storage.serializers import KNOWN_OBJECT, ObjectSource, object_resource, selected
from localcloud.storage.state import Bucket, Checksums, Content, Json, StoredObject, Zeros
from localcloud.storage.uploads import begin_upload, cancel_upload, go_on_with_upload

BUCKET = r"(?P<bucket>[^/]+)"
OBJECT = rf"{BUCKET}/o/(?P<object>[^/]+)"
TARGET = r"(?P<to_bucket>[^/]+)/o/(?P<to_object>[^/]+)"
OF_ONE = CONDITIONS | {"generation"}

Operation = Callable[[Objects, HttpRequest], object]


class CloudStorage:
    """All buckets."""

    def __init__(self, clock: Clock, http: HttpServer) -> None:
        self._clock = clock
        self._http = http
        self._objects = Objects(clock)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return (
            self._route("POST", "/storage/v1/b", insert_bucket),
            self._route("GET", "/storage/v1/b", list_buckets),
            self._route("GET", f"/storage/v1/b/{BUCKET}", get_bucket),
            self._route("PATCH", f"/storage/v1/b/{BUCKET}", patch_bucket),
            self._route("DELETE", f"/storage/v1/b/{BUCKET}", delete_bucket),
            self._route("GET", f"/storage/v1/b/{BUCKET}/storageLayout", _layout),
            self._route("POST", f"/storage/v1/b/{BUCKET}/lockRetentionPolicy", lock_retention_policy),
            self._route("GET", f"/storage/v1/b/{BUCKET}/o", _list),
            self._route("GET", f"/storage/v1/b/{OBJECT}", _get),
            self._route("PATCH", f"/storage/v1/b/{OBJECT}", _patch),
            self._route("PUT", f"/storage/v1/b/{OBJECT}", _update),
            self._route("DELETE", f"/storage/v1/b/{OBJECT}", _delete),
            self._route("POST", f"/storage/v1/b/{OBJECT}/restore", _restore),
            self._route("POST", f"/storage/v1/b/{OBJECT}/copyTo/b/{TARGET}", _copy),
            self._route("POST", f"/storage/v1/b/{OBJECT}/rewriteTo/b/{TARGET}", _rewrite),
            self._route("GET", f"/download/storage/v1/b/{OBJECT}", _download),
            self._route("POST", f"/upload/storage/v1/b/{BUCKET}/o", _begin_upload),
            self._route("PUT", f"/upload/storage/v1/b/{BUCKET}/o", _go_on_with_upload),
            self._route("DELETE", f"/upload/storage/v1/b/{BUCKET}/o", cancel_upload),
            # Its calls take the lock one by one.
            Route("POST", re.compile(re.escape(f"{HOST}/batch/storage/v1")), self._batch, refusal),
        )

    def add_bucket(self, project: str, name: str, fields: Json | None = None) -> Bucket:
        """Make a bucket, with fields in the API's words. Raises StorageError."""
        with self._objects.lock:
            return add_bucket(self._objects, project, name, fields or {})

    def add_object(
        self, bucket: str, name: str, content: Content, fields: Json | None = None, *, created: datetime | None = None
    ) -> StoredObject:
        """Store an object, as if it had been created then. Raises StorageError."""
        with self._objects.lock:
            kept = self._objects.bucket(bucket)
            made = self._objects.store(kept, {**(fields or {}), "name": name}, content, None, Checksums())
            if created:
                made.created = made.updated = created
            return made

    def write(self, bucket: str, name: str, size: int, metadata: dict[str, str] | None = None) -> None:
        """Write an object of that many zeros, as someone would, perhaps over another. Raises StorageError."""
        self.add_object(bucket, name, Zeros(size), {"metadata": metadata} if metadata else None)

    def size(self, bucket: str, name: str) -> int | None:
        """The size of a live object in bytes, None if it does not exist. Raises StorageError (404) for the bucket."""
        with self._objects.lock:
            found = self._objects.bucket(bucket).live(name)
            return found.size if found else None

    def keep_at_most(self, count: int | None) -> None:
        """Keep at most so many bytes of each request of a resumable upload, as the real service may; None for all."""
        self._objects.most_kept = count

    def names(self, bucket: str) -> list[str]:
        """The names of the live objects of a bucket, sorted. Raises StorageError (404)."""
        with self._objects.lock:
            kept = self._objects.bucket(bucket)
            return [name for name in kept.names if kept.live(name)]

    def _route(self, verb: str, path: str, operation: Operation) -> Route:
        def locked(request: HttpRequest) -> object:
            with self._objects.lock:
                return operation(self._objects, request)

        return Route(verb, re.compile(re.escape(HOST) + path), locked, refusal)

    def _batch(self, request: HttpRequest) -> object:
        return batch_answer(request, self._http.answer)


def _layout(objects: Objects, request: HttpRequest) -> object:
    """Whether folders are resources of a bucket: here they are names with slashes."""
    check_parameters(request, {"prefix"})
    bucket = objects.bucket_of(request)
    return {
        "kind": "storage#storageLayout",
        "bucket": bucket.name,
        "hierarchicalNamespace": {"enabled": False},
        "locationType": "multi-region",
    }


def _tell(objects: Objects, request: HttpRequest, answer: StoredObject | HttpAnswer) -> object:
    if isinstance(answer, HttpAnswer):
        return answer
    source = ObjectSource(answer, objects.bucket_of(request), api_url(request))
    return object_resource(source, selected(request, KNOWN_OBJECT))


def _begin_upload(objects: Objects, request: HttpRequest) -> object:
    return _tell(objects, request, begin_upload(objects, request))


def _go_on_with_upload(objects: Objects, request: HttpRequest) -> object:
    return _tell(objects, request, go_on_with_upload(objects, request))


def _list(objects: Objects, request: HttpRequest) -> object:
    return list_objects(objects.bucket_of(request), request)


def _get(objects: Objects, request: HttpRequest) -> object:
    if request.query.get("alt") == "media":
        return _download(objects, request)
    return _tell(objects, request, _read(objects, request))


def _download(objects: Objects, request: HttpRequest) -> object:
    if flag_in(request, "softDeleted"):
        raise invalid("The content of a soft-deleted object cannot be read: restore it first.")
    return content_answer(_read(objects, request), request)


def _read(objects: Objects, request: HttpRequest) -> StoredObject:
    check_parameters(request, OF_ONE | {"softDeleted"})
    version = objects.find(objects.bucket_of(request), request)
    check_conditions(request, version)
    return version


def _patch(objects: Objects, request: HttpRequest) -> object:
    check_parameters(request, OF_ONE | {"overrideUnlockedRetention"})
    bucket = objects.bucket_of(request)
    version = objects.find(bucket, request)
    objects.patch(bucket, version, request, json_in(request.body))
    return _tell(objects, request, version)


def _update(objects: Objects, request: HttpRequest) -> object:
    check_parameters(request, OF_ONE | {"overrideUnlockedRetention"})
    bucket = objects.bucket_of(request)
    version = objects.find(bucket, request)
    objects.update(bucket, version, request, json_in(request.body))
    return _tell(objects, request, version)


def _delete(objects: Objects, request: HttpRequest) -> object:
    check_parameters(request, OF_ONE)
    objects.delete(objects.bucket_of(request), request)
    return HttpAnswer(NO_CONTENT, b"")


def _restore(objects: Objects, request: HttpRequest) -> object:
    check_parameters(request, OF_ONE | {"copySourceAcl"})
    return _tell(objects, request, objects.restore(objects.bucket_of(request), request))


def _copy(objects: Objects, request: HttpRequest) -> object:
    made, target = _copied(objects, request)
    return object_resource(ObjectSource(made, target, api_url(request)), selected(request, KNOWN_OBJECT))


def _rewrite(objects: Objects, request: HttpRequest) -> object:
    """A copy that the real service may make in several calls; here it is whole after the first."""
    made, target = _copied(objects, request)
    size = str(made.size)
    resource = object_resource(ObjectSource(made, target, api_url(request)))
    answer = {"kind": "storage#rewriteResponse", "done": True, "objectSize": size, "totalBytesRewritten": size}
    return answer | {"resource": resource}


def _copied(objects: Objects, request: HttpRequest) -> tuple[StoredObject, Bucket]:
    check_parameters(request, CONDITIONS | {"sourceGeneration", "maxBytesRewrittenPerCall"})
    target = objects.bucket(name_in(request, "to_bucket"))
    return objects.copy(objects.bucket_of(request), target, request), target
