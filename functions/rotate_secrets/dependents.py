"""Who uses a secret, who may be moved to another version of it, and what such a move is."""

from collections.abc import Iterable

import msgspec

from functions.rotate_secrets.changes import Move
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.world import LATEST, Dependent, ExistingSecret, Reference, World


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions the dependents of a secret are to refer to."""

    target: int
    previous: int = 0
    """Of references that take the version before; 0 leaves those as they are."""
    only: frozenset[int] = frozenset()
    """If any are named, only references that stand for one of these are moved."""
    reason: str


def using(key: str, world: World) -> list[Dependent]:
    """The dependents of a secret, by their template or by a revision that serves."""
    return [
        one
        for one in world.dependents or ()
        if any(reference.secret == key for reference in (*one.references, *one.serving))
    ]


def why_not(dependent: Dependent, secret: Secret) -> str:
    """Why a dependent may not be moved; "" if it may."""
    if secret.value.previous_secret:
        return "it reads the newest version by itself (previous_secret)"
    if dependent.is_function:
        return "it was made with the Functions API, whose next deployment would overwrite the change"
    if dependent.is_pinned and not secret.roll_pinned_traffic:
        return "its traffic is pinned to a revision (roll_pinned_traffic)"
    if dependent.has_tag and not secret.roll_tags:
        return "its image is a tag, so that a roll might bring new code (roll_tags)"
    return ""


def moves(dependent: Dependent, key: str, existing: ExistingSecret, aim: Aim) -> list[Move]:
    """What of a dependent's template is to refer to another version of one secret."""
    found = set()
    for reference in dependent.references:
        wanted = aim.previous if reference.is_previous else aim.target
        if reference.secret != key or not wanted or reference.version == str(wanted):
            continue
        if not aim.only or existing.number_of(reference.version) in aim.only:
            found.add(
                Move(existing.name, existing.numbered_name, reference.version, str(wanted), reference.is_previous)
            )
    return sorted(found)


def still_using(numbers: Iterable[int], key: str, existing: ExistingSecret, world: World) -> list[str]:
    """The names of those that refer to any of these versions, by the template or by a revision that serves."""
    wanted = set(numbers)
    return [
        one.name
        for one in using(key, world)
        if any(
            reference.secret == key and existing.number_of(reference.version) in wanted
            for reference in (*one.references, *one.serving)
        )
    ]


def is_on(dependent: Dependent, key: str, version: int, *, served: bool = True) -> bool:
    """Whether all that a dependent says of a secret, and serves with, is this version, by its number."""
    references = (*dependent.references, *(dependent.serving if served else ()))
    return all(_is(reference, version) for reference in references if reference.secret == key)


def takes_two(dependent: Dependent, key: str) -> bool:
    """Whether a dependent takes the version before the current one as well."""
    return any(reference.is_previous for reference in dependent.references if reference.secret == key)


def follows(dependent: Dependent, key: str) -> bool:
    """Whether a dependent reads, from files, the newest of a secret and of that which keeps the value before."""
    references = [one for one in (*dependent.references, *dependent.serving) if one.secret == key]
    are_newest = all(one.is_file and one.version == LATEST for one in references)
    return are_newest and {(one.is_previous, one.is_kept) for one in references} == {(False, False), (True, True)}


def _is(reference: Reference, version: int) -> bool:
    return reference.is_previous or reference.version == str(version)
