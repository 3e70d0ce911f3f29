"""Buckets of Cloud Storage, and what their owners set of them."""

from collections.abc import Mapping
from datetime import timedelta

from localcloud.core.http import NO_CONTENT, HttpAnswer, HttpRequest
from localcloud.storage.errors import StorageError, condition_not_met, invalid
from localcloud.storage.objects import Objects
from localcloud.storage.request import CONDITIONS, check_parameters, flag_in, json_in, number_in
from localcloud.storage.rules import check_bucket_name, is_locked
from localcloud.storage.serializers import bucket_resource, rfc3339
from localcloud.storage.state import Bucket, Json

SOFT_DELETE_SECONDS = 7 * 24 * 3600
"""The default retention of soft delete."""
UNIFORM_ACCESS_UNLOCKED = timedelta(days=90)
"""The time within which uniform access can be turned off again."""
SETTABLE = frozenset(
    (
        *("location", "storageClass", "labels", "versioning", "softDeletePolicy", "retentionPolicy", "lifecycle"),
        *("defaultEventBasedHold", "iamConfiguration", "autoclass", "objectRetention"),
    )
)
READ_ONLY = frozenset(
    (
        *("kind", "id", "name", "selfLink", "projectNumber", "metageneration", "etag", "timeCreated", "updated"),
        *("locationType", "acl", "defaultObjectAcl", "owner", "generation", "rpo", "satisfiesPZI"),
    )
)


def add_bucket(objects: Objects, project: str, name: str, fields: Json) -> Bucket:
    """Make a bucket. Raises StorageError: 400, or 409 if there is one of this name."""
    check_bucket_name(name)
    if name in objects.buckets:
        raise StorageError(409, "The requested bucket name is not available.")
    now = objects.clock.now()
    bucket = Bucket(name, project, created=now, updated=now)
    bucket.fields = {
        "location": "US",
        "storageClass": "STANDARD",
        "softDeletePolicy": _dated(objects, {"retentionDurationSeconds": str(SOFT_DELETE_SECONDS)}),
    }
    _set(objects, bucket, fields)
    objects.buckets[name] = bucket
    return bucket


def insert_bucket(objects: Objects, request: HttpRequest) -> object:
    """Make a bucket."""
    check_parameters(request, ("project", "enableObjectRetention"))
    project = request.query.get("project")
    if not project:
        raise StorageError(400, "Required parameter: project", "required")
    fields = json_in(request.body)
    if flag_in(request, "enableObjectRetention"):
        fields = {**fields, "objectRetention": {"mode": "Enabled"}}
    return bucket_resource(add_bucket(objects, project, str(fields.get("name", "")), fields))


def list_buckets(objects: Objects, request: HttpRequest) -> object:
    """The buckets of a project, all on one page."""
    check_parameters(request, ("project", "prefix", "maxResults"))
    project, prefix = request.query.get("project"), request.query.get("prefix", "")
    found = [
        bucket_resource(bucket)
        for name, bucket in sorted(objects.buckets.items())
        if bucket.project == project and name.startswith(prefix)
    ]
    return {"kind": "storage#buckets", **({"items": found} if found else {})}


def get_bucket(objects: Objects, request: HttpRequest) -> object:
    """A bucket."""
    check_parameters(request, CONDITIONS)
    return bucket_resource(objects.bucket_of(request))


def patch_bucket(objects: Objects, request: HttpRequest) -> object:
    """Change what is said, and leave the rest. That objects may have a retention of their own is said at the start."""
    check_parameters(request, CONDITIONS)
    bucket = objects.bucket_of(request)
    _check_conditions(request, bucket)
    fields = json_in(request.body)
    _set(objects, bucket, {name: value for name, value in fields.items() if name != "objectRetention"})
    return _changed(objects, bucket)


def delete_bucket(objects: Objects, request: HttpRequest) -> object:
    """Delete a bucket that is empty. What is soft-deleted does not count."""
    check_parameters(request, CONDITIONS)
    bucket = objects.bucket_of(request)
    _check_conditions(request, bucket)
    if bucket.versions:
        raise StorageError(409, "The bucket you tried to delete is not empty.")
    del objects.buckets[bucket.name]
    return HttpAnswer(NO_CONTENT, b"")


def lock_retention_policy(objects: Objects, request: HttpRequest) -> object:
    """Lock the retention policy, which cannot be taken back."""
    check_parameters(request, ("ifMetagenerationMatch",))
    bucket = objects.bucket_of(request)
    _check_conditions(request, bucket)
    policy = bucket.fields.get("retentionPolicy")
    if not isinstance(policy, dict) or is_locked(bucket.fields):
        raise invalid("The bucket has no retention policy that could be locked.")
    bucket.fields["retentionPolicy"] = {**policy, "isLocked": True}
    return _changed(objects, bucket)


def _changed(objects: Objects, bucket: Bucket) -> object:
    bucket.metageneration += 1
    bucket.updated = objects.clock.now()
    return bucket_resource(bucket)


def _set(objects: Objects, bucket: Bucket, fields: Json) -> None:
    for name in fields:
        if name not in SETTABLE | READ_ONLY:
            raise invalid(f"The local cloud does not know the field '{name}' of a bucket.")
    changed = {name: value for name, value in fields.items() if name in SETTABLE}
    if "retentionPolicy" in changed:
        changed["retentionPolicy"] = _retention(objects, bucket, changed["retentionPolicy"])
    if isinstance(policy := changed.get("softDeletePolicy"), Mapping):
        changed["softDeletePolicy"] = _dated(objects, {"retentionDurationSeconds": _soft_delete_seconds(policy)})
    elif "softDeletePolicy" in changed:  # null is no way to turn it off
        changed["softDeletePolicy"] = _dated(objects, {"retentionDurationSeconds": str(SOFT_DELETE_SECONDS)})
    bucket.fields |= changed
    bucket.fields["location"] = str(bucket.fields["location"]).upper()
    bucket.fields["iamConfiguration"] = _iam(bucket, bucket.fields.get("iamConfiguration"))
    if isinstance(autoclass := changed.get("autoclass"), Mapping):
        bucket.fields["autoclass"] = _autoclass(objects, autoclass)
    if isinstance(lifecycle := changed.get("lifecycle"), Mapping) and not lifecycle.get("rule"):
        del bucket.fields["lifecycle"]
    bucket.fields = {name: value for name, value in bucket.fields.items() if value is not None}


def _iam(bucket: Bucket, given: object) -> Json:
    """The access configuration. Uniform access can be turned off again for 90 days; its old name is returned too."""
    iam = given if isinstance(given, Mapping) else {}
    uniform = iam.get("uniformBucketLevelAccess", iam.get("bucketPolicyOnly"))
    is_uniform = isinstance(uniform, Mapping) and uniform.get("enabled") is True
    entry: Json = {"enabled": is_uniform}
    if is_uniform:
        entry["lockedTime"] = rfc3339(bucket.created + UNIFORM_ACCESS_UNLOCKED)
    return {
        "publicAccessPrevention": iam.get("publicAccessPrevention", "inherited"),
        "uniformBucketLevelAccess": entry,
        "bucketPolicyOnly": dict(entry),
    }


def _autoclass(objects: Objects, given: Mapping[str, object]) -> Json:
    """Autoclass with what is filled in when it is switched on."""
    now = rfc3339(objects.clock.now())
    if given.get("enabled") is not True:
        return {"enabled": False}
    filled = {"toggleTime": now, "terminalStorageClass": "NEARLINE", "terminalStorageClassUpdateTime": now}
    return {**filled, **given}


def _retention(objects: Objects, bucket: Bucket, policy: object) -> object:
    period = policy.get("retentionPeriod") if isinstance(policy, Mapping) else None
    if policy is not None and not str(period).isdecimal():
        raise invalid(f"Invalid value for: retentionPolicy.retentionPeriod: '{period}' is no number of seconds.")
    wanted = timedelta(seconds=int(str(period))) if policy is not None else timedelta(0)
    if is_locked(bucket.fields):
        if wanted < bucket.retention_period:
            raise StorageError(403, "Cannot reduce retention duration of a locked Retention Policy for the bucket.")
        return _dated(objects, {"retentionPeriod": str(period), "isLocked": True})
    return _dated(objects, {"retentionPeriod": str(period)}) if wanted else None


def _dated(objects: Objects, policy: Json) -> Json:
    return {**policy, "effectiveTime": rfc3339(objects.clock.now())}


def _soft_delete_seconds(policy: Mapping[str, object]) -> str:
    """0, or from 7 to 90 days. Raises StorageError (400)."""
    seconds = str(policy.get("retentionDurationSeconds", ""))
    if not seconds.isdecimal() or not (int(seconds) == 0 or SOFT_DELETE_SECONDS <= int(seconds) <= 90 * 24 * 3600):
        raise invalid(f"Invalid value for: softDeletePolicy.retentionDurationSeconds: '{seconds}'")
    return seconds


def _check_conditions(request: HttpRequest, bucket: Bucket) -> None:
    wanted = number_in(request, "ifMetagenerationMatch")
    unwanted = number_in(request, "ifMetagenerationNotMatch")
    if wanted not in (None, bucket.metageneration) or unwanted == bucket.metageneration:
        raise condition_not_met()
