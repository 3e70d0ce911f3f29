"""The changes that `rotate_secrets` makes."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict

import msgspec

from functions.rotate_secrets.rotation_state import RotationState
from functions.rotate_secrets.settings import Value
from functions.rotate_secrets.terms import Terms
from functions.rotate_secrets.world import ExistingSecret
from shared.decision import Change

Versions = Mapping[str, int]
"""By a secret's full name: a version, or 0 for none."""


class Edit(TypedDict):
    """The fields that every change of a secret has, typed, to be completed by its kind."""

    target: str
    field: str
    before: str
    after: str
    scope: str
    existing: ExistingSecret


class SecretChange(Change, frozen=True, kw_only=True):
    """Do something about a secret, and record that it was done, under the etag with which it was read."""

    existing: ExistingSecret
    state: RotationState
    """The new state."""


class Adopt(SecretChange, frozen=True, kw_only=True):
    """Record which version counts: of a secret that has not been rotated here, or that a person has changed."""


class AddVersion(SecretChange, frozen=True, kw_only=True):
    """Make up a value, record its checksum, and add it."""

    terms: Terms
    current: Versions
    """The versions that it follows."""


class SetValue(SecretChange, frozen=True, kw_only=True):
    """Have the system behind a secret accept a version, and test that it does."""

    value: Value
    versions: Versions
    """The versions to accept."""
    current: Versions
    """The versions to restore if that fails."""


class RestoreValue(SetValue, frozen=True, kw_only=True):
    """Have the system behind a secret accept the version from before again."""


class Promote(SecretChange, frozen=True, kw_only=True):
    """Make a version the one that counts."""


class Finish(SecretChange, frozen=True, kw_only=True):
    """Record that all dependents are served by the new version."""


class TakeBack(SecretChange, frozen=True, kw_only=True):
    """Record that a rotation is to be taken back."""


class GiveUp(SecretChange, frozen=True, kw_only=True):
    """Record that a rotation has been taken back."""


class Retire(SecretChange, frozen=True, kw_only=True):
    """Revoke versions in the system behind a secret, then disable them."""

    guard: ClassVar[str] = "still_in_use"
    value: Value
    versions: Mapping[str, tuple[int, ...]]
    """By a secret's full name, the versions to disable."""
    current: Versions


class Move(msgspec.Struct, frozen=True, order=True):
    """References of one secret that change from one version to another."""

    secret: str
    """Its full name."""
    numbered_name: str
    before: str
    after: str
    is_previous: bool


class Roll(Change, frozen=True, kw_only=True):
    """Let a dependent refer to other versions, all of them in one update."""

    moves: tuple[Move, ...]
    resource: Mapping[str, Any]
    """As it was read, with its etag."""


RotationChange = SecretChange | Roll
