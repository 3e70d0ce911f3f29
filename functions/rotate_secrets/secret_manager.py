"""The edge to Secret Manager: secrets by one list for each project, versions, and writing down what was done.

By REST (https://cloud.google.com/secret-manager/docs/reference/rest), as every tick lists the secrets.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

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
from shared import rest
from shared.clients import Clients
from shared.rest import ApiMessage
from shared.secret_values import API, RPC, crc32c, payload_of

PAGE_SIZE = {"pageSize": "1000"}
ENABLED, NOT_MANAGED = "ENABLED", "STATE_UNSPECIFIED"


class _ManagedRotation(ApiMessage, frozen=True):
    state: str = ""


class _Rotation(ApiMessage, frozen=True):
    managed_rotation_status: _ManagedRotation = _ManagedRotation()


class _Secret(ApiMessage, frozen=True):
    name: str
    etag: str = ""
    annotations: dict[str, str] = {}
    version_aliases: dict[str, rest.Int64] = {}
    rotation: _Rotation = _Rotation()


class _Secrets(rest.Page, frozen=True):
    secrets: tuple[_Secret, ...] = ()


class _Version(ApiMessage, frozen=True):
    name: str
    create_time: datetime
    state: str = ""


class _Versions(rest.Page, frozen=True):
    versions: tuple[_Version, ...] = ()


def secrets_in(project: str, clients: Clients) -> Mapping[str, ExistingSecret]:
    """The secrets of a project, by full name with its id."""
    listed = rest.pages(clients, f"{API}/projects/{project}/secrets", PAGE_SIZE, _Secrets, rpc=f"{RPC}/ListSecrets")
    secrets = (secret for page in listed for secret in page.secrets)
    names = ((f"projects/{project}/secrets/{secret.name.rpartition('/')[2]}", secret) for secret in secrets)
    return {name: _existing(name, secret) for name, secret in names}


def versions_of(secret: str, clients: Clients) -> tuple[Version, ...]:
    """The versions of a secret, the newest first."""
    listed = rest.pages(clients, f"{API}/{secret}/versions", PAGE_SIZE, _Versions, rpc=f"{RPC}/ListSecretVersions")
    return tuple(
        Version(
            number=int(version.name.rpartition("/")[2]),
            is_enabled=version.state == ENABLED,
            created=version.create_time,
        )
        for page in listed
        for version in page.versions
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
    """The payload of a version; empty for version 0. Raises as ``payload_of`` does."""
    return payload_of(f"{secret}/versions/{version}", clients) if version else b""


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
    known = existing.annotations.get(ANNOTATION, "")
    secret = {
        "name": existing.name,
        "etag": existing.etag,
        "annotations": {**existing.annotations, ANNOTATION: encoded(state, known)},
        "versionAliases": {alias: str(number) for alias, number in _aliases(existing, state).items()},
    }
    mask = {"updateMask": "annotations,versionAliases"}
    rest.send(clients, "PATCH", f"{API}/{existing.name}", secret, mask, rpc=f"{RPC}/UpdateSecret")


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
    content = {"data": base64.b64encode(value).decode(), "dataCrc32c": str(crc32c(value))}
    rest.send(clients, "POST", f"{API}/{secret}:addVersion", {"payload": content}, rpc=f"{RPC}/AddSecretVersion")


def _disable(version: str, clients: Clients) -> None:
    rest.send(clients, "POST", f"{API}/{version}:disable", {}, rpc=f"{RPC}/DisableSecretVersion")


def _existing(name: str, secret: _Secret) -> ExistingSecret:
    text = secret.annotations.get(ANNOTATION)
    state, problem = None, ""
    try:
        state = read_state(text) if text else None
    except UnreadableState as error:
        problem = str(error)
    return ExistingSecret(
        name=name,
        numbered_name=secret.name,
        etag=secret.etag,
        annotations=secret.annotations,
        aliases={alias: int(number) for alias, number in secret.version_aliases.items()},
        state=state,
        problem=problem,
        is_managed=secret.rotation.managed_rotation_status.state not in ("", NOT_MANAGED),
    )


def _aliases(existing: ExistingSecret, state: RotationState) -> dict[str, int]:
    kept = {alias: number for alias, number in existing.aliases.items() if alias not in (CURRENT_ALIAS, PREVIOUS_ALIAS)}
    ours = {CURRENT_ALIAS: state.current, PREVIOUS_ALIAS: max(state.older, default=0)}
    return kept | {alias: number for alias, number in ours.items() if number}
