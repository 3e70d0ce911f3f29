"""Secret Manager: google.cloud.secretmanager.v1, whose rotation schedules and delays come true on the Clock.

Managed rotation is a state that can be set and seen; nothing rotates by itself. IAM policies are not enforced.
"""

from collections.abc import Iterable

from google.cloud import secretmanager_v1 as secretmanager
from google.iam.v1.iam_policy_pb2 import (
    GetIamPolicyRequest,
    SetIamPolicyRequest,
    TestIamPermissionsRequest,
    TestIamPermissionsResponse,
)
from google.iam.v1.policy_pb2 import Policy
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, merge, page
from localcloud.iam.policies import IamPolicies
from localcloud.logging.filter import Comparison, all_hold, parse_filter
from localcloud.secret_manager import rules
from localcloud.secret_manager.notices import Publisher
from localcloud.secret_manager.store import SecretStore, State, StoredSecret, StoredVersion, check_etag, in_state

LARGEST_PAGE = 25_000


class SecretManager:
    """Serves ``google.cloud.secretmanager_v1.SecretManagerServiceClient``."""

    def __init__(self, clock: Clock, pubsub: Publisher) -> None:
        self._clock = clock
        self._store = SecretStore(clock, pubsub)
        self.policies = IamPolicies()

    # Secrets

    def create_secret(self, request: secretmanager.CreateSecretRequest) -> secretmanager.Secret:
        """Make a secret, without any version."""
        rules.check_id(request.secret_id)
        secret = secretmanager.Secret(request.secret)
        secret.name = f"{rules.parent_name(request.parent)}/secrets/{request.secret_id}"
        secret.create_time = self._clock.now()
        del secret.rotation.managed_rotation_status
        self._complete(secret)
        rules.check_new(secret)
        rules.check_rotation_time(secret.rotation, self._clock.now())
        with self._store.lock:
            _check_aliases(secret, ())
            self._store.notices.greet(topic.name for topic in secret.topics)
            return self._store.create(secret)

    def get_secret(self, request: secretmanager.GetSecretRequest) -> secretmanager.Secret:
        """One secret, without what it holds."""
        with self._store.lock:
            return secretmanager.Secret(self._store.secret(request.name).secret)

    def list_secrets(self, request: secretmanager.ListSecretsRequest) -> secretmanager.ListSecretsResponse:
        """The secrets of a project that are in no region, or those of one region of it; newest first."""
        wanted = parse_filter(request.filter)
        with self._store.lock:
            here = {
                _newest_first(stored.place): stored.secret
                for stored in self._store.inside(request.parent)
                if _is_wanted(stored.secret, wanted)
            }
            shown, token = page(here, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
            return secretmanager.ListSecretsResponse(secrets=shown, next_page_token=token, total_size=len(here))

    def update_secret(self, request: secretmanager.UpdateSecretRequest) -> secretmanager.Secret:
        """Change the fields of the mask. An etag that is not the current one is refused; an empty one overwrites."""
        paths = list(request.update_mask.paths)
        if not paths:
            raise invalid("UpdateSecretRequest.update_mask must not be empty.")
        with self._store.lock:
            stored = self._store.secret(request.secret.name)
            check_etag(stored.secret, request.secret.etag)
            secret = self._desired(stored.secret, request.secret, paths)
            _check_aliases(secret, stored.versions)
            known = {topic.name for topic in stored.secret.topics}
            self._store.notices.greet(topic.name for topic in secret.topics if topic.name not in known)
            return self._store.keep(secret, "SECRET_UPDATE")

    def delete_secret(self, request: secretmanager.DeleteSecretRequest) -> Empty:
        """Take a secret and all its versions away."""
        with self._store.lock:
            secret = self._store.secret(request.name).secret
            check_etag(secret, request.etag)
            self._store.remove(secret, "REQUESTED")
        return Empty()

    def set_managed_rotation(self, name: str, state: secretmanager.Rotation.ManagedRotationStatus.State) -> None:
        """Let Google rotate a secret, or no longer: what EnableManagedRotation brings about in the real service."""
        with self._store.lock:
            self._store.secret(name).secret.rotation.managed_rotation_status.state = state

    def get_iam_policy(self, request: GetIamPolicyRequest) -> Policy:
        """The IAM policy of a secret. It is deleted with the secret: another one of its name has its own."""
        with self._store.lock:
            return self.policies.get(self._policy_key(request.resource))

    def set_iam_policy(self, request: SetIamPolicyRequest) -> Policy:
        """Replace that."""
        with self._store.lock:
            return self.policies.set(self._policy_key(request.resource), request)

    def test_iam_permissions(self, request: TestIamPermissionsRequest) -> TestIamPermissionsResponse:
        """All of the permissions: nothing is denied here."""
        with self._store.lock:
            self._store.secret(request.resource)
            return TestIamPermissionsResponse(permissions=request.permissions)

    def _policy_key(self, name: str) -> str:
        return str(self._store.secret(name).place)

    # Versions

    def add_secret_version(self, request: secretmanager.AddSecretVersionRequest) -> secretmanager.SecretVersion:
        """Add a version, which is enabled and the latest. A second call adds a second one: there is no request id."""
        rules.check_payload(request.payload)
        with self._store.lock:
            owner = self._store.secret(request.parent)
            number = max(owner.versions, default=0) + 1
            version = secretmanager.SecretVersion(
                name=f"{owner.secret.name}/versions/{number}",
                create_time=self._clock.now(),
                state=State.ENABLED,
                etag=self._store.next_etag(),
                client_specified_payload_checksum="data_crc32c" in request.payload,
                replication_status=_replication_status(owner.secret),
            )
            owner.versions[number] = StoredVersion(version, request.payload.data)
            self._store.notices.of_version("SECRET_VERSION_ADD", owner.secret, version)
            return secretmanager.SecretVersion(version)

    def get_secret_version(self, request: secretmanager.GetSecretVersionRequest) -> secretmanager.SecretVersion:
        """One version, by its number, an alias, or ``latest``."""
        with self._store.lock:
            return secretmanager.SecretVersion(self._store.version(request.name)[1].version)

    def list_secret_versions(
        self, request: secretmanager.ListSecretVersionsRequest
    ) -> secretmanager.ListSecretVersionsResponse:
        """The versions of a secret, newest first, the destroyed included."""
        wanted = parse_filter(request.filter)
        with self._store.lock:
            versions = self._store.secret(request.parent).versions
            here = {
                _newest_first(number): stored.version
                for number, stored in versions.items()
                if _is_wanted(stored.version, wanted)
            }
            shown, token = page(here, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
            return secretmanager.ListSecretVersionsResponse(versions=shown, next_page_token=token, total_size=len(here))

    def access_secret_version(
        self, request: secretmanager.AccessSecretVersionRequest
    ) -> secretmanager.AccessSecretVersionResponse:
        """The payload of an enabled version. ``latest`` is the newest version, refused if that is not enabled."""
        with self._store.lock:
            _, stored = self._store.version(request.name)
            if stored.version.state != State.ENABLED:
                raise in_state(stored.version)
            payload = secretmanager.SecretPayload(data=stored.payload, data_crc32c=rules.checksum(stored.payload))
            return secretmanager.AccessSecretVersionResponse(name=stored.version.name, payload=payload)

    def enable_secret_version(self, request: secretmanager.EnableSecretVersionRequest) -> secretmanager.SecretVersion:
        """Let a version be accessed again."""
        with self._store.lock:
            owner, stored = self._checked_version(request.name, request.etag)
            self._store.turn(owner, stored.version, State.ENABLED, "SECRET_VERSION_ENABLE")
            return secretmanager.SecretVersion(stored.version)

    def disable_secret_version(self, request: secretmanager.DisableSecretVersionRequest) -> secretmanager.SecretVersion:
        """Let a version not be accessed; what it holds is kept."""
        with self._store.lock:
            owner, stored = self._checked_version(request.name, request.etag)
            self._store.turn(owner, stored.version, State.DISABLED, "SECRET_VERSION_DISABLE")
            return secretmanager.SecretVersion(stored.version)

    def destroy_secret_version(self, request: secretmanager.DestroySecretVersionRequest) -> secretmanager.SecretVersion:
        """Forget what a version holds, now or later."""
        with self._store.lock:
            owner, stored = self._checked_version(request.name, request.etag)
            self._store.destroy(owner, stored)
            return secretmanager.SecretVersion(stored.version)

    def _checked_version(self, name: str, etag: str) -> tuple[StoredSecret, StoredVersion]:
        owner, stored = self._store.version(name)
        check_etag(stored.version, etag)
        return owner, stored

    def _desired(
        self, current: secretmanager.Secret, wanted: secretmanager.Secret, paths: list[str]
    ) -> secretmanager.Secret:
        """``current`` updated by the fields of a mask, with validation and defaults."""
        if given := sorted(rules.IMMUTABLE.intersection(path.split(".")[0] for path in paths)):
            raise invalid(f"Secret.{given[0]} cannot be changed.")
        secret = secretmanager.Secret(current)
        chosen = [path for path in paths if path.split(".")[0] not in rules.OUTPUT_ONLY]
        if "*" in chosen:
            chosen = list(rules.MUTABLE)
        merge(secretmanager.Secret.pb(secret), secretmanager.Secret.pb(wanted), chosen)
        if "managed_rotation_status" in current.rotation:
            secret.rotation.managed_rotation_status = current.rotation.managed_rotation_status
        else:
            del secret.rotation.managed_rotation_status
        self._complete(secret)
        rules.check(secret)
        if any(path.startswith("rotation") for path in chosen):
            rules.check_rotation_time(secret.rotation, self._clock.now())
        return secret

    def _complete(self, secret: secretmanager.Secret) -> None:
        """Turn a time to live into the time of the end, and an empty schedule into none."""
        if secret.rotation == secretmanager.Rotation():
            del secret.rotation
        if "ttl" in secret:
            secret.expire_time = self._clock.now() + secret.ttl


def _newest_first(number: int) -> str:
    """The sort key of a name in Secret Manager's lists: newest first."""
    return f"{10**12 - number:012}"


def _is_wanted(resource: secretmanager.Secret | secretmanager.SecretVersion, wanted: tuple[Comparison, ...]) -> bool:
    """Whether a filter lets it pass, by the fields' names in either spelling.

    https://docs.cloud.google.com/secret-manager/docs/filtering
    """
    if not wanted:
        return True
    message = type(resource).pb(resource)
    return all_hold(wanted, {**MessageToDict(message), **MessageToDict(message, preserving_proto_field_name=True)})


def _check_aliases(secret: secretmanager.Secret, versions: Iterable[int]) -> None:
    for alias, number in secret.version_aliases.items():
        if number not in versions:
            raise invalid(f"Secret.version_aliases: {alias!r}: there is no version {number}.")


def _replication_status(secret: secretmanager.Secret) -> secretmanager.ReplicationStatus | None:
    if "automatic" in secret.replication:
        automatic = secretmanager.ReplicationStatus.AutomaticStatus()
        return secretmanager.ReplicationStatus(automatic=automatic)
    replicas = [
        secretmanager.ReplicationStatus.UserManagedStatus.ReplicaStatus(location=replica.location)
        for replica in secret.replication.user_managed.replicas
    ]
    if not replicas:
        return None
    managed = secretmanager.ReplicationStatus.UserManagedStatus(replicas=replicas)
    return secretmanager.ReplicationStatus(user_managed=managed)
