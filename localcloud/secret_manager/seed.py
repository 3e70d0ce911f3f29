"""The secrets of a world: how they are written, and how they are made."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
from google.cloud import secretmanager_v1 as secretmanager

from localcloud.core.world_place import Place
from localcloud.core.world_proto import Proto, complete

if TYPE_CHECKING:
    from localcloud.secret_manager.service import SecretManager


class VersionState(StrEnum):
    """Whether a version may be accessed, and whether it still holds anything."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    DESTROYED = "DESTROYED"


class SecretVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a secret; a bare text is one that is enabled."""

    payload: str
    state: VersionState = VersionState.ENABLED


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret of Secret Manager: its versions, the first one first, and what is known about it."""

    versions: list[str | SecretVersion] = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    version_aliases: dict[str, int] = {}
    topics: list[str] = []
    """In full: projects/PROJECT/topics/TOPIC."""
    rotation_period: Annotated[int, msgspec.Meta(ge=0)] = 0
    """In seconds; 0 means that it is never due."""
    next_rotation_time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    version_destroy_ttl: Annotated[int, msgspec.Meta(ge=0)] = 0
    """In seconds; 0 means that what is destroyed is gone at once."""
    managed_rotation: bool = False
    """Whether Google rotates it."""
    proto: Proto = {}


def add_secrets(service: "SecretManager", place: Place, secrets: Mapping[str, Secret]) -> None:
    """Create secrets with their versions."""
    for key, secret in secrets.items():
        with place.key(key):
            location, _, secret_id = key.rpartition("/")
            parent = f"projects/{place.owner}/locations/{location}" if location else f"projects/{place.owner}"
            _add_secret(service, parent, secret_id, secret)


def _add_secret(service: "SecretManager", parent: str, secret_id: str, spec: Secret) -> None:
    request = secretmanager.CreateSecretRequest(parent=parent, secret_id=secret_id, secret=_secret(spec))
    if "/locations/" not in parent and not request.secret.replication.user_managed.replicas:
        request.secret.replication.automatic = secretmanager.Replication.Automatic()
    made = service.create_secret(request)
    for version in spec.versions:
        _add_version(service, made.name, version if isinstance(version, SecretVersion) else SecretVersion(version))
    if spec.version_aliases:
        made.version_aliases = spec.version_aliases
        service.update_secret(
            secretmanager.UpdateSecretRequest(secret=made, update_mask={"paths": ["version_aliases"]})
        )
    if spec.managed_rotation:
        service.set_managed_rotation(made.name, secretmanager.Rotation.ManagedRotationStatus.State.ACTIVE)


def _secret(spec: Secret) -> secretmanager.Secret:
    secret = secretmanager.Secret(labels=spec.labels, annotations=spec.annotations)
    secret.topics = [secretmanager.Topic(name=topic) for topic in spec.topics]
    if spec.rotation_period:
        secret.rotation.rotation_period = {"seconds": spec.rotation_period}
    if spec.next_rotation_time:
        secret.rotation.next_rotation_time = spec.next_rotation_time
    if spec.version_destroy_ttl:
        secret.version_destroy_ttl = {"seconds": spec.version_destroy_ttl}
    complete(secretmanager.Secret.pb(secret), spec.proto)
    return secret


def _add_version(service: "SecretManager", parent: str, spec: SecretVersion) -> None:
    payload = secretmanager.SecretPayload(data=spec.payload.encode())
    made = service.add_secret_version(secretmanager.AddSecretVersionRequest(parent=parent, payload=payload))
    if spec.state is VersionState.DISABLED:
        service.disable_secret_version(secretmanager.DisableSecretVersionRequest(name=made.name))
    elif spec.state is VersionState.DESTROYED:
        service.destroy_secret_version(secretmanager.DestroySecretVersionRequest(name=made.name))
