"""The edge to Secret Manager: secrets by one list for each project, versions, and writing down what was done."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from functions.rotate_secrets.questions import AddedVersion
from functions.rotate_secrets.rotation_state import (
    ANNOTATION,
    CURRENT_ALIAS,
    PREVIOUS_ALIAS,
    RotationState,
    UnreadableState,
    encoded,
    read_state,
)
from functions.rotate_secrets.world import ExistingSecret, Version
from shared.clients import Clients
from shared.errors import CaretakerError

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import Secret, SecretManagerServiceClient

PAGE_SIZE = 1000


class DamagedPayload(CaretakerError):
    """The payload from Secret Manager does not match the checksum that it sends along."""


def secrets_in(project: str, clients: Clients) -> Mapping[str, ExistingSecret]:
    """The secrets of a project, by full name with its id."""
    request = {"parent": f"projects/{project}", "page_size": PAGE_SIZE}
    listed = _manager(clients).list_secrets(request=request, **clients.reading)
    names = ((f"projects/{project}/secrets/{secret.name.rpartition('/')[2]}", secret) for secret in listed)
    return {name: _existing(name, secret) for name, secret in names}


def versions_of(secret: str, clients: Clients) -> tuple[Version, ...]:
    """The versions of a secret, the newest first."""
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


def added_version(need: AddedVersion, clients: Clients) -> int:
    """The version that holds what was recorded; 0 if none does. Any other added since is someone else's."""
    for version in versions_of(need.secret, clients):
        if version.is_enabled and version.number > need.highest:
            held = payload(need.secret, version.number, clients)
            if hashlib.sha256(held).hexdigest() == need.sha256:
                return version.number
    return 0


def payload(secret: str, version: int, clients: Clients) -> bytes:
    """The payload of a version; empty for version 0. Raises ``GoogleAPIError``, or ``DamagedPayload``."""
    if not version:
        return b""
    request = {"name": f"{secret}/versions/{version}"}
    answer = _manager(clients).access_secret_version(request=request, **clients.reading)
    if answer.payload.data_crc32c != _crc32c(answer.payload.data):
        raise DamagedPayload(f"{secret}/versions/{version}: the payload does not have its checksum")
    return answer.payload.data


def add_versions(existing: ExistingSecret, state: RotationState, values: Mapping[str, bytes], clients: Clients) -> None:
    """Record what is about to be added, under the etag; then add it. The values are by the secrets' full names."""
    attempt = state.attempt
    if attempt is None:
        raise TypeError("a version is added within an attempt")
    sums = {name: hashlib.sha256(value).hexdigest() for name, value in values.items()}
    others = {name: msgspec.structs.replace(new, sha256=sums[name]) for name, new in attempt.others.items()}
    recorded = msgspec.structs.replace(attempt, sha256=sums[existing.name], others=others)
    write_state(existing, msgspec.structs.replace(state, attempt=recorded), clients)
    for name, value in values.items():
        _add(name, value, clients)


def keep(secret: str, value: bytes, clients: Clients) -> None:
    """Let the newest version of a secret hold a value, and be the only one that is enabled."""
    versions = versions_of(secret, clients)
    newest = next(iter(versions), None)
    is_held = newest is not None and newest.is_enabled and payload(secret, newest.number, clients) == value
    if not is_held:
        _add(secret, value, clients)
    for version in versions[1:] if is_held else versions:
        if version.is_enabled:
            _disable(f"{secret}/versions/{version.number}", clients)


def write_state(existing: ExistingSecret, state: RotationState, clients: Clients) -> None:
    """Record the state of a secret, and for people which version is which. Refused if it has changed."""
    from google.cloud.secretmanager_v1 import Secret

    secret = Secret(name=existing.name, etag=existing.etag)
    known = existing.annotations.get(ANNOTATION, "")
    secret.annotations = {**existing.annotations, ANNOTATION: encoded(state, known)}
    secret.version_aliases = _aliases(existing, state)
    mask = {"paths": ["annotations", "version_aliases"]}
    _manager(clients).update_secret(request={"secret": secret, "update_mask": mask}, **clients.writing)


def disable(secret: str, versions: Iterable[int], clients: Clients) -> None:
    """Let versions of a secret not be accessed any more. One that is destroyed already is as good."""
    from google.api_core.exceptions import FailedPrecondition

    for version in versions:
        try:
            _disable(f"{secret}/versions/{version}", clients)
        except FailedPrecondition:
            if version in {one.number for one in versions_of(secret, clients) if one.is_enabled}:
                raise


def _add(secret: str, value: bytes, clients: Clients) -> None:
    content = {"data": value, "data_crc32c": _crc32c(value)}
    _manager(clients).add_secret_version(request={"parent": secret, "payload": content}, **clients.writing)


def _disable(version: str, clients: Clients) -> None:
    _manager(clients).disable_secret_version(request={"name": version}, **clients.writing)


def _manager(clients: Clients) -> "SecretManagerServiceClient":
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    return clients.of(SecretManagerServiceClient)


def _existing(name: str, secret: "Secret") -> ExistingSecret:
    from google.cloud.secretmanager_v1 import Rotation

    text = secret.annotations.get(ANNOTATION)
    state, problem = None, ""
    try:
        state = read_state(text) if text else None
    except UnreadableState as error:
        problem = str(error)
    unmanaged = Rotation.ManagedRotationStatus.State.STATE_UNSPECIFIED
    return ExistingSecret(
        name=name,
        numbered_name=secret.name,
        etag=secret.etag,
        annotations=dict(secret.annotations),
        aliases=dict(secret.version_aliases),
        state=state,
        problem=problem,
        is_managed=secret.rotation.managed_rotation_status.state != unmanaged,
    )


def _in_utc(moment: datetime) -> datetime:
    """A moment as a plain one: Google's clients answer a kind of their own."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _aliases(existing: ExistingSecret, state: RotationState) -> dict[str, int]:
    kept = {alias: number for alias, number in existing.aliases.items() if alias not in (CURRENT_ALIAS, PREVIOUS_ALIAS)}
    ours = {CURRENT_ALIAS: state.current, PREVIOUS_ALIAS: max(state.older, default=0)}
    return kept | {alias: number for alias, number in ours.items() if number}


def _crc32c(data: bytes) -> int:
    import google_crc32c

    return int.from_bytes(google_crc32c.Checksum(data).digest())
