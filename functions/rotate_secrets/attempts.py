"""The versions of an attempt, by the full names of the secrets that rotate together."""

from functions.rotate_secrets.changes import Versions
from functions.rotate_secrets.questions import AddedVersion, ask, read
from functions.rotate_secrets.rotation_state import Attempt
from functions.rotate_secrets.view import SecretView


def added_versions(view: SecretView, attempt: Attempt) -> Versions:
    """By name, the versions that hold what was recorded; 0 where none does. Raises ``NotAsked``, or ``NotReadable``."""
    if attempt.version:
        return new_versions(view, attempt)
    wanted = {name: attempt.of(name) for name in _names(view, attempt)}
    needs = {name: AddedVersion(name, new.highest, new.sha256) for name, new in wanted.items() if new.sha256}
    ask(view.world, *needs.values())
    return {name: read(view.world, needs[name]) if name in needs else 0 for name in wanted}


def new_versions(view: SecretView, attempt: Attempt) -> Versions:
    """By name, the versions that the attempt has added."""
    return {name: attempt.of(name).version for name in _names(view, attempt)}


def versions_before(view: SecretView, attempt: Attempt) -> Versions:
    """By name, the versions that counted when the attempt began."""
    return {name: attempt.of(name).before for name in _names(view, attempt)}


def _names(view: SecretView, attempt: Attempt) -> tuple[str, ...]:
    return (view.name, *attempt.others)
