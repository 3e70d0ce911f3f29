"""Secret Manager's validation of secrets, and the names of its resources.

Pure functions over messages: ``secret_manager.py`` keeps the state. Limits are from the message descriptions of
``google.cloud.secretmanager.v1``, https://cloud.google.com/secret-manager/quotas and
https://cloud.google.com/secret-manager/docs/delay-destruction-of-secret-versions.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import google_crc32c
from google.cloud import secretmanager_v1 as secretmanager

from localcloud.core.messages import invalid, project_number

LARGEST_PAYLOAD = 64 * 1024
MOST_TOPICS = 10
MOST_LABELS = 64
MOST_ALIASES = 50
LARGEST_ANNOTATIONS = 16 * 1024
CENTURY = timedelta(seconds=3_153_600_000)
ROTATION_PERIODS = (timedelta(hours=1), CENTURY)
EARLIEST_ROTATION = timedelta(minutes=5)
DESTROY_TTLS = (timedelta(days=1), timedelta(days=1000))

OUTPUT_ONLY = frozenset(("name", "create_time", "etag", "policy_member"))
IMMUTABLE = frozenset(("replication", "tags", "secret_type"))
MUTABLE = tuple(name for name in secretmanager.Secret.meta.fields if name not in OUTPUT_ONLY | IMMUTABLE)

_PARENT = re.compile(r"projects/(?P<project>[^/]+)(?P<location>/locations/[a-z][a-z0-9-]*)?")
_SECRET = re.compile(rf"(?P<parent>{_PARENT.pattern})/secrets/(?P<id>[A-Za-z0-9_-]{{1,255}})")
_VERSION = re.compile(rf"(?P<secret>{_SECRET.pattern})/versions/(?P<version>[A-Za-z0-9_-]{{1,63}})")
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LABEL_KEY = re.compile(r"[^\W\d_A-Z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ANNOTATION_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")


def parent_name(parent: str) -> str:
    """The parent by its project's number, as Secret Manager answers it; it takes the project's id as well."""
    match = _PARENT.fullmatch(parent)
    if not match:
        raise invalid(f"Invalid parent {parent!r}: expected projects/PROJECT or projects/PROJECT/locations/LOCATION.")
    project = match["project"]
    number = project if project.isdecimal() else project_number(project)
    return f"projects/{number}{match['location'] or ''}"


def secret_name(name: str) -> str:
    """The full name of a secret by its project's number. Raises INVALID_ARGUMENT."""
    match = _SECRET.fullmatch(name)
    if not match:
        raise invalid(f"Invalid resource name {name!r}: expected projects/PROJECT/secrets/SECRET.")
    return f"{parent_name(match['parent'])}/secrets/{match['id']}"


def split_version(name: str) -> tuple[str, str]:
    """The secret's full name, and the number or alias of the version. Raises INVALID_ARGUMENT."""
    match = _VERSION.fullmatch(name)
    if not match:
        raise invalid(f"Invalid resource name {name!r}: expected projects/PROJECT/secrets/SECRET/versions/VERSION.")
    return secret_name(match["secret"]), match["version"]


def check_id(secret_id: str) -> None:
    """Refuse an id that Secret Manager does not allow: 255 letters, digits, hyphens and underscores at most."""
    if not _ID.fullmatch(secret_id):
        raise invalid(f"Invalid secret_id {secret_id!r}: 1 to 255 letters, digits, hyphens and underscores.")


def check_new(secret: secretmanager.Secret) -> None:
    """Raise INVALID_ARGUMENT for a new secret without a replication policy, or a regional one with any."""
    is_regional = "/locations/" in secret.name
    has_policy = "automatic" in secret.replication or bool(secret.replication.user_managed.replicas)
    if is_regional == has_policy:
        wanted = "must not be set for a regional secret" if is_regional else "must be set"
        raise invalid(f"Secret.replication {wanted}.")
    check(secret)


def check(secret: secretmanager.Secret) -> None:
    """Raise INVALID_ARGUMENT for a secret that Secret Manager would not keep."""
    _check_labels(dict(secret.labels))
    _check_annotations(dict(secret.annotations))
    _check_aliases(dict(secret.version_aliases))
    if len(secret.topics) > MOST_TOPICS:
        raise invalid(f"Secret.topics: at most {MOST_TOPICS} are allowed, not {len(secret.topics)}.")
    for topic in secret.topics:
        if not _TOPIC.fullmatch(topic.name):
            raise invalid(f"Secret.topics: {topic.name!r} must be projects/PROJECT/topics/TOPIC.")
    if "version_destroy_ttl" in secret and not DESTROY_TTLS[0] <= secret.version_destroy_ttl <= DESTROY_TTLS[1]:
        raise invalid("Secret.version_destroy_ttl must be between 1 and 1000 days.")
    if "rotation" in secret:
        _check_rotation(secret.rotation, has_topics=bool(secret.topics))


def check_rotation_time(rotation: secretmanager.Rotation, now: datetime) -> None:
    """Raise INVALID_ARGUMENT for a next rotation that is too near or too far; asked only when it is set anew."""
    if "next_rotation_time" in rotation and not (
        now + EARLIEST_ROTATION <= rotation.next_rotation_time <= now + CENTURY
    ):
        raise invalid("Rotation.next_rotation_time must be at least 300 seconds and at most 100 years in the future.")


def checksum(data: bytes) -> int:
    """The CRC32C of a payload."""
    return int.from_bytes(google_crc32c.Checksum(data).digest())


def check_payload(payload: secretmanager.SecretPayload) -> None:
    """Raise INVALID_ARGUMENT for a payload that is too large, empty, or does not have the checksum that it brings."""
    if not payload.data:
        raise invalid("SecretPayload.data must not be empty.")
    if len(payload.data) > LARGEST_PAYLOAD:
        raise invalid(f"SecretPayload.data: {len(payload.data)} bytes are more than {LARGEST_PAYLOAD}.")
    if "data_crc32c" in payload and payload.data_crc32c != checksum(payload.data):
        raise invalid("SecretPayload.data_crc32c is not the checksum of SecretPayload.data.")


def _check_rotation(rotation: secretmanager.Rotation, *, has_topics: bool) -> None:
    if not has_topics and ("next_rotation_time" in rotation or "rotation_period" in rotation):
        raise invalid("Secret.topics must be set to configure Secret.rotation.")
    if "rotation_period" in rotation:
        if "next_rotation_time" not in rotation:
            raise invalid("Rotation.next_rotation_time must be set if Rotation.rotation_period is set.")
        if not ROTATION_PERIODS[0] <= rotation.rotation_period <= ROTATION_PERIODS[1]:
            raise invalid("Rotation.rotation_period must be at least 3600 seconds and at most 100 years.")


def _check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MOST_LABELS:
        raise invalid(f"Secret.labels: at most {MOST_LABELS} are allowed, not {len(labels)}.")
    for key, value in labels.items():
        is_lower = key == key.lower() and value == value.lower()
        if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value) and is_lower):
            raise invalid(
                f"Secret.labels: {key!r}: {value!r}: keys start with a letter; keys and values have at most 63 "
                "lowercase letters, digits, underscores and hyphens."
            )


def _check_annotations(annotations: Mapping[str, str]) -> None:
    for key in annotations:
        if not _ANNOTATION_KEY.fullmatch(key):
            raise invalid(
                f"Secret.annotations: {key!r}: a key has 1 to 63 letters, digits, hyphens, underscores and dots, and "
                "begins and ends with a letter or digit."
            )
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size >= LARGEST_ANNOTATIONS:
        raise invalid(f"Secret.annotations: {size} bytes are not less than {LARGEST_ANNOTATIONS}.")


def _check_aliases(aliases: Mapping[str, int]) -> None:
    if len(aliases) > MOST_ALIASES:
        raise invalid(f"Secret.version_aliases: at most {MOST_ALIASES} are allowed, not {len(aliases)}.")
    for alias in aliases:
        if not _ALIAS.fullmatch(alias) or alias in ("latest", "NEW"):
            raise invalid(
                f"Secret.version_aliases: {alias!r}: an alias has 1 to 63 letters, digits, hyphens and underscores, "
                "starts with a letter, and is not 'latest' or 'NEW'."
            )
