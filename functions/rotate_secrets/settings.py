"""The settings of secrets: how old each may become, what kind of value it has, and where it is used."""

import math
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from shared.errors import SettingsError
from shared.github_access import GitHubAccess
from shared.github_events import Repository
from shared.hours import Hours
from shared.settings import Model, ProjectId, Region, SecretName, Section

ENOUGH_BITS = 128
"""A checksum of each value is recorded: shorter ones could be guessed from it."""
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class RotationStage(StrEnum):
    """The steps of a rotation, in the order that its kind declares."""

    CREATE = "create"
    """Add a version, after what is to be added was recorded."""
    SET = "set"
    """Have the system behind it accept the new value, and test that it does."""
    PROMOTE = "promote"
    """Make the new version the one that counts."""
    ROLL = "roll"
    """Move the dependents to it, and watch them until they serve with it."""


class Random(Model, frozen=True, kw_only=True, tag_field="kind", tag="random"):
    """A random text. Nothing but its dependents knows it, so every version is as good as the next."""

    stages: ClassVar[tuple[RotationStage, ...]] = (RotationStage.CREATE, RotationStage.PROMOTE, RotationStage.ROLL)
    is_outside: ClassVar[bool] = False
    """Whether a system outside accepts some versions, and not others."""
    can_be_tested: ClassVar[bool] = False
    """Whether that system tells which version it accepts."""
    replaces: ClassVar[bool] = False
    """Whether setting the new value takes the old one away."""
    needs_previous: ClassVar[bool] = False
    """Whether every dependent must take the version before as well."""
    follows_current: ClassVar[bool] = False
    """Whether a new value is made from the current one."""
    previous_secret: ClassVar[SecretName | None] = None
    """The secret that keeps the previous value, for users that cannot be moved."""
    other_addresses: ClassVar[tuple[SecretName, ...]] = ()
    """Secrets that rotate together with this one."""

    length: Annotated[int, Meta(ge=1, le=4096)] = 40
    alphabet: Annotated[str, Meta(min_length=2, max_length=256)] = ALPHABET

    def __post_init__(self) -> None:
        if len(set(self.alphabet)) != len(self.alphabet):
            raise SettingsError("alphabet", self.alphabet, "each character once")
        enough = math.ceil(ENOUGH_BITS / math.log2(len(self.alphabet)))
        if self.length < enough:
            raise SettingsError("length", self.length, f"at least {enough} characters of this alphabet")


class Postgres(Model, frozen=True, kw_only=True, tag_field="kind", tag="postgres"):
    """The address of a PostgreSQL database, with user and password: ``postgresql://user:password@host/database``."""

    stages: ClassVar[tuple[RotationStage, ...]] = (
        RotationStage.CREATE,
        RotationStage.SET,
        RotationStage.PROMOTE,
        RotationStage.ROLL,
    )
    is_outside: ClassVar[bool] = True
    can_be_tested: ClassVar[bool] = True
    needs_previous: ClassVar[bool] = False
    follows_current: ClassVar[bool] = True
    previous_secret: ClassVar[SecretName | None] = None

    users: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=63)], ...], Meta(min_length=1, max_length=2)]
    """Two, which take turns, or one, whose old password ends when the new one is set."""
    admin_secret: SecretName
    """Holds an address of the same database, with a user that may change the passwords of the others."""
    other_addresses: tuple[SecretName, ...] = ()
    """Secrets with other addresses for the same users, such as that of a pooler: all of them are rotated together."""
    require_tls: bool = True
    """Whether logins require TLS. The address decides how the server's certificate is verified (`sslmode`)."""
    accept_a_gap: bool = False
    """Accept that with one user, dependents cannot log in again until they have been redeployed."""

    def __post_init__(self) -> None:
        if len(set(self.users)) != len(self.users):
            raise SettingsError("users", list(self.users), "two users, or one")
        if len(self.users) == 1 and not self.accept_a_gap:
            raise SettingsError(
                "users",
                list(self.users),
                "two users who take turns; or `accept_a_gap: true`, because clients with the old password of a single "
                "user are locked out until they are redeployed",
            )

    @property
    def replaces(self) -> bool:
        """Whether setting the new value takes the old one away."""
        return len(self.users) == 1


class GithubWebhook(Model, frozen=True, kw_only=True, tag_field="kind", tag="github_webhook"):
    """The secret of a webhook at GitHub. Its receivers must accept the new secret before GitHub signs with it."""

    stages: ClassVar[tuple[RotationStage, ...]] = (
        RotationStage.CREATE,
        RotationStage.ROLL,
        RotationStage.SET,
        RotationStage.PROMOTE,
    )
    is_outside: ClassVar[bool] = True
    can_be_tested: ClassVar[bool] = False
    replaces: ClassVar[bool] = True
    needs_previous: ClassVar[bool] = True
    follows_current: ClassVar[bool] = False
    other_addresses: ClassVar[tuple[SecretName, ...]] = ()

    repository: Repository
    """As ``owner/name``."""
    hook: Annotated[int, Meta(ge=1)]
    """The webhook's id, the last part of its address in GitHub's settings."""
    github: GitHubAccess
    previous_secret: SecretName | None = None
    """For receivers that cannot be moved, such as functions: the value before is kept in this secret, and they read the
    newest version of both from files, at least once a minute."""
    length: Annotated[int, Meta(ge=32, le=128)] = 40


Value = Random | Postgres | GithubWebhook


class Location(Model, frozen=True, kw_only=True):
    """A location of Cloud Run in which the secrets may be used."""

    project: ProjectId
    region: Region

    @property
    def parent(self) -> str:
        """As the API calls it."""
        return f"projects/{self.project}/locations/{self.region}"


class Secret(Model, frozen=True, kw_only=True):
    """One secret that is rotated."""

    secret: SecretName
    value: Value
    every_days: Annotated[int, Meta(ge=1, le=3650)]
    """The maximum age of its value."""
    dependents_in: tuple[Location, ...] | None = None
    """The locations in which it may be used, instead of the section's: one that cannot be read delays only the
    secrets that may be used there."""
    grace_hours: Annotated[int, Meta(ge=1, le=24 * 90)] = 24
    """The time for which the previous version stays enabled."""
    overdue_after_days: Annotated[int, Meta(ge=1, le=365)] = 7
    """This many days past its due date it raises an alert, for any reason."""
    roll_pinned_traffic: bool = False
    """Whether to move services whose traffic is pinned to a revision: the new revision gets none until a person moves
    that."""
    roll_tags: bool = False
    """Whether to move services and jobs whose image is a tag and not a digest: a tag may bring new code with it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The full names of all secrets that rotate together: this one first."""
        return (self.secret, *self.value.other_addresses)

    @property
    def period(self) -> timedelta:
        """The maximum age of its value."""
        return timedelta(days=self.every_days)

    @property
    def grace(self) -> timedelta:
        """The time for which the previous version stays enabled."""
        return timedelta(hours=self.grace_hours)

    @property
    def overdue_after(self) -> timedelta:
        """Past its time by so much, it is overdue."""
        return timedelta(days=self.overdue_after_days)


class Settings(Section, frozen=True, kw_only=True):
    """The section `rotate_secrets` of ``caretaker.yaml``."""

    secrets: dict[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["my-key"])], Secret]
    """By a key of your own, which commands and reports use."""
    dependents_in: tuple[Location, ...] = ()
    """The locations in which the secrets may be used. Users anywhere else are neither found nor waited for."""
    at_once: Annotated[int, Meta(ge=1, le=50)] = 3
    """The number of dependents that may be moving to another version at a time."""
    hours: Hours | None = None
    """Maintenance windows: outside of them no rotation starts, rolls or retires; rollbacks still happen. Without them,
    at any time."""

    def __post_init__(self) -> None:
        _check_names(self.secrets)
        _check_administrators(self.secrets)
        _check_users(self.secrets)
        _check_locations("dependents_in", self.dependents_in)
        for key, secret in self.secrets.items():
            _check_locations(f"secrets.{key}.dependents_in", secret.dependents_in or ())


def _check_locations(field: str, locations: tuple[Location, ...]) -> None:
    for place, where in enumerate(locations):
        if where in locations[:place]:
            raise SettingsError(f"{field}[{place}]", where.parent, "each project and region once")


def _check_names(secrets: Mapping[str, Secret]) -> None:
    """A secret is rotated, or keeps a value, for one key."""
    seen: dict[str, str] = {}
    for key, secret in secrets.items():
        other = seen.setdefault(secret.secret, key)
        if other != key:
            raise SettingsError(
                f"secrets.{key}.secret", secret.secret, f"a secret that no other key has: `{other}` has it"
            )
    for key, secret in secrets.items():
        for place, name in enumerate(secret.value.other_addresses):
            if name in seen or name in secret.value.other_addresses[:place]:
                field = f"secrets.{key}.value.other_addresses[{place}]"
                raise SettingsError(field, name, f"a secret that no other key has: `{seen.get(name, key)}` has it")
            seen[name] = key
    for key, secret in secrets.items():
        previous = secret.value.previous_secret
        other = seen.setdefault(previous, key) if previous else key
        if other != key or previous == secret.secret:
            field = f"secrets.{key}.value.previous_secret"
            raise SettingsError(field, previous, f"a secret that no other key has: `{other}` has it")


def _check_administrators(secrets: Mapping[str, Secret]) -> None:
    """An administrator's address is read from the newest version, which may not be accepted during a rotation."""
    rotated = {name: key for key, secret in secrets.items() for name in secret.names}
    for key, secret in secrets.items():
        admin = secret.value.admin_secret if isinstance(secret.value, Postgres) else ""
        if admin in rotated:
            raise SettingsError(
                f"secrets.{key}.value.admin_secret",
                admin,
                f"a secret with an administrator's address that is not rotated here: `{rotated[admin]}` rotates this "
                "one",
            )


def _check_users(secrets: Mapping[str, Secret]) -> None:
    """Two rotations that set the password of one user would each end what the other has set."""
    seen: dict[tuple[str, str], str] = {}
    for key, secret in secrets.items():
        if not isinstance(secret.value, Postgres):
            continue
        for user in secret.value.users:
            other = seen.setdefault((secret.value.admin_secret, user), key)
            if other != key:
                raise SettingsError(
                    f"secrets.{key}.value.users",
                    list(secret.value.users),
                    f"users of its own, as `{other}` changes the password of {user!r} too: list the secret in "
                    f"`secrets.{other}.value.other_addresses` instead, so that both rotate together",
                )
