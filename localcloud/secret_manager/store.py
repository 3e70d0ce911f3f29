"""The state of Secret Manager, and its changes over time: rotations due, secrets expired, versions destroyed."""

import itertools
import threading
from dataclasses import dataclass, field

import grpc
from google.cloud import secretmanager_v1 as secretmanager

from localcloud.core.clock import Clock
from localcloud.core.server import ApiError
from localcloud.secret_manager import rules
from localcloud.secret_manager.notices import Notices, Publisher

LATEST = "latest"

State = secretmanager.SecretVersion.State


@dataclass
class StoredVersion:
    """A version of a secret, and what it holds."""

    version: secretmanager.SecretVersion
    payload: bytes


@dataclass
class StoredSecret:
    """A secret and its versions, by number, in the order in which they were added."""

    place: int
    """Its place among all secrets in the order in which they were made."""
    secret: secretmanager.Secret
    versions: dict[int, StoredVersion] = field(default_factory=dict)


class SecretStore:
    """All secrets, by full name. Callers hold the ``lock``; timers take it themselves."""

    def __init__(self, clock: Clock, pubsub: Publisher) -> None:
        self.lock = threading.RLock()
        self.notices = Notices(clock, pubsub)
        self._clock = clock
        self._secrets: dict[str, StoredSecret] = {}
        self._places = itertools.count(1)
        self._changes = 0

    def secret(self, name: str) -> StoredSecret:
        """A secret by its full name, with its project's id or number. Raises NOT_FOUND, INVALID_ARGUMENT."""
        full = rules.secret_name(name)
        if full not in self._secrets:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Secret [{full}] not found.")
        return self._secrets[full]

    def version(self, name: str) -> tuple[StoredSecret, StoredVersion]:
        """A version by its number, an alias, or ``latest``, and the secret that it is of."""
        secret_name, said = rules.split_version(name)
        owner = self.secret(secret_name)
        if said == LATEST:
            number = max(owner.versions, default=0)
        else:
            number = int(said) if said.isdecimal() else owner.secret.version_aliases.get(said, 0)
        if number not in owner.versions:
            message = f"Secret Version [{owner.secret.name}/versions/{said}] not found."
            raise ApiError(grpc.StatusCode.NOT_FOUND, message)
        return owner, owner.versions[number]

    def inside(self, parent: str) -> list[StoredSecret]:
        """The secrets of a project that are in no region, or those of one region of it."""
        prefix = f"{rules.parent_name(parent)}/secrets/"
        return [stored for name, stored in self._secrets.items() if name.startswith(prefix)]

    def create(self, secret: secretmanager.Secret) -> secretmanager.Secret:
        """Keep a new secret. Raises ALREADY_EXISTS."""
        if secret.name in self._secrets:
            raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Secret [{secret.name}] already exists.")
        self._secrets[secret.name] = StoredSecret(next(self._places), secret)
        return self.keep(secret, "SECRET_CREATE")

    def keep(self, secret: secretmanager.Secret, event: str) -> secretmanager.Secret:
        """Keep a secret under a new etag, say so, and wait for what its times bring."""
        secret.etag = self.next_etag()
        self._secrets[secret.name].secret = secret
        name = secret.name
        if "next_rotation_time" in secret.rotation:
            self._clock.call_at(secret.rotation.next_rotation_time, lambda: self._rotate(name))
        if "expire_time" in secret:
            self._clock.call_at(secret.expire_time, lambda: self._expire(name))
        self.notices.of_secret(event, secret)
        return secretmanager.Secret(secret)

    def remove(self, secret: secretmanager.Secret, why: str) -> None:
        """Forget a secret and its versions."""
        del self._secrets[secret.name]
        self.notices.of_secret("SECRET_DELETE", secret, deleteType=why)

    def turn(self, owner: StoredSecret, version: secretmanager.SecretVersion, state: State, event: str) -> None:
        """Enable or disable a version; one that was to be destroyed later no longer is."""
        check_not_destroyed(version)
        if version.state != state or "scheduled_destroy_time" in version:
            version.state = state
            version.scheduled_destroy_time = None
            version.etag = self.next_etag()
            self.notices.of_version(event, owner.secret, version)

    def destroy(self, owner: StoredSecret, stored: StoredVersion) -> None:
        """Forget what a version holds, at once or after the secret's ``version_destroy_ttl``, disabled meanwhile."""
        version = stored.version
        check_not_destroyed(version)
        if "version_destroy_ttl" not in owner.secret:
            self._forget(owner, stored)
        elif "scheduled_destroy_time" not in version:
            version.state = State.DISABLED
            version.scheduled_destroy_time = self._clock.now() + owner.secret.version_destroy_ttl
            version.etag = self.next_etag()
            name = version.name
            self._clock.call_at(version.scheduled_destroy_time, lambda: self._destroy(name))
            self.notices.of_version("SECRET_VERSION_DESTROY_SCHEDULED", owner.secret, version)

    def next_etag(self) -> str:
        """An etag that nothing had before."""
        self._changes += 1
        return f'"{self._changes:013x}"'

    def _rotate(self, name: str) -> None:
        """Say that it is time to rotate, with the next time already set, as Secret Manager does."""
        with self.lock:
            stored = self._secrets.get(name)
            rotation = stored.secret.rotation if stored else secretmanager.Rotation()
            if not stored or "next_rotation_time" not in rotation or rotation.next_rotation_time > self._clock.now():
                return
            if "rotation_period" in rotation:
                rotation.next_rotation_time += rotation.rotation_period
                self._clock.call_at(rotation.next_rotation_time, lambda: self._rotate(name))
            else:
                rotation.next_rotation_time = None
            stored.secret.etag = self.next_etag()
            self.notices.of_secret("SECRET_ROTATE", stored.secret)

    def _expire(self, name: str) -> None:
        with self.lock:
            stored = self._secrets.get(name)
            if stored and "expire_time" in stored.secret and stored.secret.expire_time <= self._clock.now():
                self.remove(stored.secret, "EXPIRED")

    def _destroy(self, name: str) -> None:
        with self.lock:
            secret_name, number = rules.split_version(name)
            owner = self._secrets.get(secret_name)
            stored = owner.versions.get(int(number)) if owner else None
            if not owner or not stored or "scheduled_destroy_time" not in stored.version:
                return
            if stored.version.scheduled_destroy_time <= self._clock.now():
                self._forget(owner, stored)

    def _forget(self, owner: StoredSecret, stored: StoredVersion) -> None:
        stored.payload = b""
        stored.version.state = State.DESTROYED
        stored.version.destroy_time = self._clock.now()
        stored.version.scheduled_destroy_time = None
        stored.version.etag = self.next_etag()
        self.notices.of_version("SECRET_VERSION_DESTROY", owner.secret, stored.version)


def check_etag(resource: secretmanager.Secret | secretmanager.SecretVersion, given: str) -> None:
    """Refuse an etag that is not the current one, with FAILED_PRECONDITION; none is as good as the current one."""
    if given and given != resource.etag:
        message = f"Etag {given} does not match the current etag {resource.etag} of [{resource.name}]."
        raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, message)


def check_not_destroyed(version: secretmanager.SecretVersion) -> None:
    """Refuse a version that is destroyed."""
    if version.state == State.DESTROYED:
        raise in_state(version)


def in_state(version: secretmanager.SecretVersion) -> ApiError:
    """The error of a call that a version's state does not allow."""
    message = f"Secret Version [{version.name}] is in {State(version.state).name} state."
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, message)
