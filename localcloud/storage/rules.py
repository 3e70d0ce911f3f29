"""Cloud Storage's rules: names, preconditions, holds, retention."""

import re
from datetime import datetime

from localcloud.core.http import HttpRequest
from localcloud.storage.errors import NOT_MODIFIED, StorageError, condition_not_met, invalid
from localcloud.storage.request import number_in
from localcloud.storage.state import Bucket, Json, StoredObject

LONGEST_NAME = 1024
LARGEST_METADATA = 8 * 1024
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def check_bucket_name(name: str) -> None:
    """Raises StorageError (400): https://cloud.google.com/storage/docs/buckets#naming."""
    is_right = (
        BUCKET_NAME.fullmatch(name)
        and not IP_ADDRESS.fullmatch(name)
        and not name.startswith("goog")
        and "google" not in name
        and ".." not in name
        and all(len(part) <= 63 for part in name.split("."))
    )
    if not is_right:
        raise invalid(f"Invalid bucket name: '{name}'")


def check_object_name(name: str) -> None:
    """Raises StorageError (400): https://cloud.google.com/storage/docs/objects#naming."""
    if not name:
        raise StorageError(400, "Required", "required")
    if len(name.encode(errors="surrogatepass")) > LONGEST_NAME:
        raise invalid(f"The maximum object length is {LONGEST_NAME} characters, but got a name with more.")
    is_right = (
        not any(sign in name for sign in "\r\n")
        and name not in (".", "..")
        and not name.startswith(".well-known/acme-challenge/")
        and not any("\ud800" <= sign <= "\udfff" for sign in name)
    )
    if not is_right:
        raise invalid("Disallowed unicode characters present in object name.")


def check_conditions(request: HttpRequest, found: StoredObject | None) -> None:
    """Hold a request's preconditions against the version that it is about, or against none.

    Raises StorageError: 412, or for what is read and has not changed, 304.
    """
    generation = found.generation if found else 0
    metageneration = found.metageneration if found else 0
    for name, current in (("ifGenerationMatch", generation), ("ifMetagenerationMatch", metageneration)):
        wanted = number_in(request, name)
        if wanted is not None and wanted != current:
            raise condition_not_met()
    for name, current in (("ifGenerationNotMatch", generation), ("ifMetagenerationNotMatch", metageneration)):
        unwanted = number_in(request, name)
        if unwanted is not None and unwanted == current:
            raise StorageError(NOT_MODIFIED, "Not Modified") if request.verb == "GET" else condition_not_met()


def retained_until(bucket: Bucket, version: StoredObject) -> datetime | None:
    """The end of the bucket's retention for a version; None if there is none or the version is on hold."""
    if not bucket.retention_period or version.event_based_hold:
        return None
    return (version.released or version.created) + bucket.retention_period


def own_retention(version: StoredObject) -> datetime | None:
    """Until when the object's own retention configuration keeps it."""
    retention = version.fields.get("retention")
    return datetime.fromisoformat(str(retention["retainUntilTime"])) if isinstance(retention, dict) else None


def check_no_hold(bucket: Bucket, version: StoredObject) -> None:
    """Raises StorageError (403) while a hold keeps a version from being deleted, replaced, or made noncurrent.

    Google documents the reason objectUnderActiveHold; what is answered is the one of a missing permission.
    """
    for held, kind in ((version.temporary_hold, "Temporary"), (version.event_based_hold, "Event-Based")):
        if held:
            raise StorageError(
                403,
                f"Object '{bucket.name}/{version.name}' is under active {kind} hold and cannot be deleted, overwritten "
                "or archived until hold is removed.",
            )


def check_no_retention(bucket: Bucket, version: StoredObject, now: datetime) -> None:
    """Raises StorageError (403) while the bucket's policy, or the object's own retention, keeps a version."""
    ends = [end for end in (retained_until(bucket, version), own_retention(version)) if end and end > now]
    if ends:
        raise StorageError(
            403,
            f"Object '{bucket.name}/{version.name}' is subject to bucket's retention policy or object retention and "
            f"cannot be deleted or overwritten until {max(ends).isoformat()}",
            "retentionPolicyNotMet",
        )


def checked_metadata(value: object) -> dict[str, str]:
    """Custom metadata. Raises StorageError (400) for any that is not of texts, or too large."""
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise invalid("Invalid value for metadata: a map of texts is expected.")
    if sum(len(key.encode()) + len(one.encode()) for key, one in value.items()) > LARGEST_METADATA:
        raise invalid("The total size of the custom metadata is more than 8 KiB.")
    return dict(value)


def checked_time(name: str, value: object) -> datetime:
    """A time in RFC 3339. Raises StorageError (400) for anything else."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise invalid(f"Invalid value for: {name}: '{value}' is not a valid time.") from error
    if moment.tzinfo is None:
        raise invalid(f"Invalid value for: {name}: '{value}' has no time zone.")
    return moment


def check_own_retention(bucket: Bucket, old: object, new: object, *, may_override: bool) -> None:
    """Whether an object's own retention may be set so: https://cloud.google.com/storage/docs/object-lock.

    Raises StorageError: 400 for one that is malformed, 403 for one that is shortened and may not be.
    """
    if new is not None:
        allowed = bucket.fields.get("objectRetention")
        if not isinstance(allowed, dict) or allowed.get("mode") != "Enabled":
            raise invalid("Object retention is not enabled for this bucket.")
        if not isinstance(new, dict) or new.get("mode") not in ("Locked", "Unlocked"):
            raise invalid("Invalid value for: retention.mode: it is Locked or Unlocked.")
    until = checked_time("retention.retainUntilTime", new.get("retainUntilTime")) if isinstance(new, dict) else None
    if not isinstance(old, dict):
        return
    is_longer = until is not None and until >= datetime.fromisoformat(str(old["retainUntilTime"]))
    is_still_locked = isinstance(new, dict) and new.get("mode") == "Locked"
    if old["mode"] == "Locked" and not (is_longer and is_still_locked):
        raise StorageError(403, "The object's retention is locked: it can only be prolonged.")
    if old["mode"] == "Unlocked" and not is_longer and not may_override:
        raise StorageError(403, "To shorten or remove the object's retention, set overrideUnlockedRetention.")


def is_locked(fields: Json) -> bool:
    """Whether a bucket's retention policy is locked."""
    policy = fields.get("retentionPolicy")
    return isinstance(policy, dict) and policy.get("isLocked") is True
