"""What `rotate_secrets` can change."""

from typing import ClassVar

import msgspec

from functions.rotate_secrets.saga import Saga
from functions.rotate_secrets.settings import Value
from functions.rotate_secrets.world import ExistingSecret
from shared.plan import Change


class SecretChange(Change, frozen=True, kw_only=True):
    """Do something about a secret, and write down that it was done, under the etag with which it was read."""

    existing: ExistingSecret
    saga: Saga
    """What is to be written."""


class Adopt(SecretChange, frozen=True, kw_only=True):
    """Write down which version counts, of a secret that has not been rotated here."""


class AddVersion(SecretChange, frozen=True, kw_only=True):
    """Make up a value, record its checksum, and add it."""

    value: Value
    current: int
    """The version that it follows; 0 if there is none."""


class SetValue(SecretChange, frozen=True, kw_only=True):
    """Have the system behind a secret accept a version, and test that it does."""

    value: Value
    version: int
    current: int


class RestoreValue(SetValue, frozen=True, kw_only=True):
    """Have the system behind a secret accept the version from before again."""


class Promote(SecretChange, frozen=True, kw_only=True):
    """Make a version the one that counts."""


class Finish(SecretChange, frozen=True, kw_only=True):
    """Write down that all dependents are served by the new version."""


class TakeBack(SecretChange, frozen=True, kw_only=True):
    """Write down that a rotation is to be taken back."""


class GiveUp(SecretChange, frozen=True, kw_only=True):
    """Write down that a rotation has been taken back."""


class Retire(SecretChange, frozen=True, kw_only=True):
    """Revoke versions in the system behind a secret, then disable them."""

    guard: ClassVar[str] = "still_in_use"
    value: Value
    versions: tuple[int, ...]
    current: int


class Move(msgspec.Struct, frozen=True, order=True):
    """References of one secret that go from one version to another."""

    secret: str
    """Its full name."""
    numbered_name: str
    before: str
    after: str
    is_previous: bool


class Roll(Change, frozen=True, kw_only=True):
    """Let a service or a job refer to other versions, all of them in one update."""

    moves: tuple[Move, ...]
    resource: object
    """As it was read, with its etag."""


RotationChange = SecretChange | Roll
