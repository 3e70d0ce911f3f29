"""The services that use a secret, those that can move to another version, and the move itself."""

from collections.abc import Iterable, Mapping

from functions.rotate_secrets.changes import Move, Versions
from functions.rotate_secrets.messages import (
    IMAGE_BY_TAG,
    MADE_BY_FUNCTIONS,
    PINNED,
    READS_LATEST,
    CannotChange,
    NotMoved,
)
from functions.rotate_secrets.secret_decision import TargetVersions
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.world import LATEST, Dependent
from shared.decision import Message


def reason_not_movable(dependent: Dependent, secret: Secret) -> Message | None:
    """Why a dependent may not be moved; None if it may."""
    if secret.value.previous_secret:
        return READS_LATEST
    if dependent.cannot_change:
        return CannotChange(dependent.cannot_change)
    if dependent.is_function:
        return MADE_BY_FUNCTIONS
    if dependent.is_pinned and not secret.roll_pinned_traffic:
        return PINNED
    if dependent.has_tag and not secret.roll_tags:
        return IMAGE_BY_TAG
    return None


def movable(view: SecretView) -> list[Dependent]:
    """The dependents of a secret that may be moved. Raises ``NotAsked``."""
    return [one for one in view.dependents if not reason_not_movable(one, view.settings)]


def moves(dependent: Dependent, view: SecretView, targets: TargetVersions) -> list[Move]:
    """The references in a dependent's template that should point to another version of a secret or its group."""
    found = set()
    for reference in dependent.references:
        name = view.secret_of(reference)
        wanted = (targets.previous if reference.is_previous else targets.target).get(name, 0)
        if not wanted or reference.version == str(wanted):
            continue
        if targets.only is None or view.number_of(reference) in targets.only.get(name, ()):
            numbered = next(one.numbered_name for one in view.found if one.name == name)
            found.add(Move(name, numbered, reference.version, str(wanted), reference.is_previous))
    return sorted(found)


def still_using(versions: Mapping[str, Iterable[int]], dependents: Iterable[Dependent], view: SecretView) -> list[str]:
    """The names of those that refer to any of these versions, by the template or by what runs."""
    wanted = {name: set(numbers) for name, numbers in versions.items()}
    return [
        one.name
        for one in dependents
        if any(
            (name := view.secret_of(reference)) and view.number_of(reference) in wanted.get(name, ())
            for reference in (*one.references, *one.serving)
        )
    ]


def uses_only(dependent: Dependent, view: SecretView, versions: Versions) -> bool:
    """Whether all that a dependent refers to, and serves with, is these versions, by their numbers."""
    return all(
        reference.is_previous or reference.version == str(versions.get(name, 0))
        for reference in (*dependent.references, *dependent.serving)
        if (name := view.secret_of(reference))
    )


def accepts_previous(dependent: Dependent, view: SecretView) -> bool:
    """Whether a dependent takes the version before the current one as well."""
    return any(reference.is_previous for reference in dependent.references if view.secret_of(reference))


def reads_latest(dependent: Dependent, view: SecretView) -> bool:
    """Whether a dependent reads, from files, the newest of a secret and of that which keeps the value before."""
    references = [
        one for one in (*dependent.references, *dependent.serving) if view.secret_of(one) or view.is_kept(one)
    ]
    are_newest = all(one.is_file and one.version == LATEST for one in references)
    return are_newest and {(one.is_previous, view.is_kept(one)) for one in references} == {
        (False, False),
        (True, True),
    }


def lagging(view: SecretView) -> tuple[Message, ...]:
    """The dependents that are not moved, and why. Raises ``NotAsked``."""
    return tuple(
        view.about(NotMoved(one.name, why))
        for one in view.dependents
        if (why := reason_not_movable(one, view.settings)) and not uses_only(one, view, view.targets)
    )
