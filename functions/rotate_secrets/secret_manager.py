"""The edge to Secret Manager: secrets by one list for each project, versions, and writing down what was done."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from functions.rotate_secrets.saga import ANNOTATION, CURRENT_ALIAS, PREVIOUS_ALIAS, Saga, read_saga, written
from functions.rotate_secrets.settings import Settings
from functions.rotate_secrets.world import ExistingSecret, Version
from shared.clients import Clients
from shared.errors import CaretakerError
from shared.events import MALFORMED

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import Secret, SecretManagerServiceClient

PAGE_SIZE = 1000


class DamagedPayload(CaretakerError):
    """What Secret Manager answered is not what it keeps, by the checksum that it sends along."""


def listed(settings: Settings, clients: Clients) -> dict[str, ExistingSecret]:
    """The secrets of the settings that exist, by the owner's key."""
    keys = {(secret.project, secret.secret_id): key for key, secret in settings.secrets.items()}
    projects = sorted({project for project, _ in keys})
    found = clients.in_parallel(lambda project: list(_secrets(project, clients)), projects)
    return {
        key: _existing(settings.secrets[key].secret, secret)
        for project, secrets in zip(projects, found, strict=True)
        for secret in secrets
        if (key := keys.get((project, secret.name.rpartition("/")[2])))
    }


def with_versions(existing: ExistingSecret, clients: Clients) -> ExistingSecret:
    """The secret with its versions, and with the one that holds what its attempt has recorded."""
    versions = _versions(existing.name, clients)
    return msgspec.structs.replace(existing, versions=versions, added=_added(existing, versions, clients))


def payload(secret: str, version: int, clients: Clients) -> bytes:
    """What a version holds; nothing for version 0. Raises ``GoogleAPIError``, or ``DamagedPayload``."""
    if not version:
        return b""
    request = {"name": f"{secret}/versions/{version}"}
    answer = _manager(clients).access_secret_version(request=request, **clients.reading)
    if answer.payload.data_crc32c != _crc32c(answer.payload.data):
        raise DamagedPayload(f"{secret}/versions/{version}: the payload does not have its checksum")
    return answer.payload.data


def add_version(existing: ExistingSecret, saga: Saga, value: bytes, clients: Clients) -> None:
    """Record what is about to be added, under the etag; then add it."""
    attempt = saga.attempt
    if attempt is None:
        raise TypeError("a version is added within an attempt")
    recorded = msgspec.structs.replace(attempt, sha256=hashlib.sha256(value).hexdigest())
    write_saga(existing, msgspec.structs.replace(saga, attempt=recorded), clients)
    _add(existing.name, value, clients)


def keep(secret: str, value: bytes, clients: Clients) -> None:
    """Let the newest version of a secret hold a value, and be the only one that is enabled."""
    versions = _versions(secret, clients)
    newest = next(iter(versions), None)
    is_held = newest is not None and newest.is_enabled and payload(secret, newest.number, clients) == value
    if not is_held:
        _add(secret, value, clients)
    for version in versions[1:] if is_held else versions:
        if version.is_enabled:
            _disable(f"{secret}/versions/{version.number}", clients)


def write_saga(existing: ExistingSecret, saga: Saga, clients: Clients) -> None:
    """Write down where a secret stands, and for people to read which version is which. Refused if it has changed."""
    from google.cloud.secretmanager_v1 import Secret

    secret = Secret(name=existing.name, etag=existing.etag)
    secret.annotations = {**existing.annotations, ANNOTATION: written(saga)}
    secret.version_aliases = _aliases(existing, saga)
    mask = {"paths": ["annotations", "version_aliases"]}
    _manager(clients).update_secret(request={"secret": secret, "update_mask": mask}, **clients.writing)


def disable(existing: ExistingSecret, versions: Iterable[int], clients: Clients) -> None:
    """Let versions not be accessed any more. One that is destroyed already is as good."""
    from google.api_core.exceptions import FailedPrecondition

    for version in versions:
        try:
            _disable(f"{existing.name}/versions/{version}", clients)
        except FailedPrecondition:
            if version in {one.number for one in _versions(existing.name, clients) if one.is_enabled}:
                raise


def _add(secret: str, value: bytes, clients: Clients) -> None:
    content = {"data": value, "data_crc32c": _crc32c(value)}
    _manager(clients).add_secret_version(request={"parent": secret, "payload": content}, **clients.writing)


def _disable(version: str, clients: Clients) -> None:
    _manager(clients).disable_secret_version(request={"name": version}, **clients.writing)


def _manager(clients: Clients) -> "SecretManagerServiceClient":
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    return clients.of(SecretManagerServiceClient)


def _secrets(project: str, clients: Clients) -> "Iterable[Secret]":
    request = {"parent": f"projects/{project}", "page_size": PAGE_SIZE}
    return _manager(clients).list_secrets(request=request, **clients.reading)


def _versions(secret: str, clients: Clients) -> tuple[Version, ...]:
    from google.cloud.secretmanager_v1 import SecretVersion

    request = {"parent": secret, "page_size": PAGE_SIZE}
    answers = _manager(clients).list_secret_versions(request=request, **clients.reading)
    return tuple(
        Version(
            number=int(version.name.rpartition("/")[2]),
            is_enabled=version.state == SecretVersion.State.ENABLED,
            created=_in_utc(version.create_time),
        )
        for version in answers
    )


def _existing(name: str, secret: "Secret") -> ExistingSecret:
    from google.cloud.secretmanager_v1 import Rotation

    text = secret.annotations.get(ANNOTATION)
    saga, problem = None, ""
    try:
        saga = read_saga(text) if text else None
    except MALFORMED:
        problem = f"the annotation {ANNOTATION} is not what was written: mend it, or take it away to begin anew"
    managed = Rotation.ManagedRotationStatus.State.ACTIVE
    return ExistingSecret(
        name=name,
        numbered_name=secret.name,
        etag=secret.etag,
        annotations=dict(secret.annotations),
        aliases=dict(secret.version_aliases),
        saga=saga,
        problem=problem,
        is_managed=secret.rotation.managed_rotation_status.state == managed,
    )


def _added(existing: ExistingSecret, versions: Iterable[Version], clients: Clients) -> int:
    """The version that holds what was recorded. Any other that came since is somebody else's."""
    attempt = existing.saga.attempt if existing.saga else None
    if attempt is None or not attempt.sha256:
        return 0
    for version in versions:
        if version.is_enabled and version.number > attempt.highest:
            held = payload(existing.name, version.number, clients)
            if hashlib.sha256(held).hexdigest() == attempt.sha256:
                return version.number
    return 0


def _in_utc(moment: datetime) -> datetime:
    """A moment as a plain one: Google's clients answer a kind of their own."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _aliases(existing: ExistingSecret, saga: Saga) -> dict[str, int]:
    kept = {alias: number for alias, number in existing.aliases.items() if alias not in (CURRENT_ALIAS, PREVIOUS_ALIAS)}
    ours = {CURRENT_ALIAS: saga.current, PREVIOUS_ALIAS: max(saga.older, default=0)}
    return kept | {alias: number for alias, number in ours.items() if number}


def _crc32c(data: bytes) -> int:
    import google_crc32c

    return int.from_bytes(google_crc32c.Checksum(data).digest())
