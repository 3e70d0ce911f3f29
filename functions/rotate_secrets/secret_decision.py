"""The decision on one secret."""

from collections.abc import Mapping

import msgspec

from functions.rotate_secrets.changes import SecretChange, Versions
from functions.rotate_secrets.questions import RotationNeed
from shared.decision import Alert, Message, Refusal


class TargetVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that a secret's dependents should refer to, by the full names of the secrets."""

    target: Versions
    previous: Versions = {}
    """Of references that take the version before; what is not here stays as it is."""
    only: Mapping[str, tuple[int, ...]] | None = None
    """If there are any, only references to one of these versions are moved."""
    reason: Message
    is_way_back: bool = False


class SecretDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on one secret."""

    needs: tuple[RotationNeed, ...] = ()
    """The needs that the decision lacks: then it has nothing else."""
    change: SecretChange | None = None
    targets: TargetVersions | None = None
    refusal: Refusal | None = None
    waiting: tuple[Message, ...] = ()
    """The operations in flight."""
    next: Message | None = None
    alerts: tuple[Alert, ...] = ()
    notices: tuple[Message, ...] = ()
