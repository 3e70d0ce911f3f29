"""Whether a rotation may begin: whoever uses the secret must be accepted at every moment until it ends."""

import msgspec

from functions.rotate_secrets.changes import AddVersion
from functions.rotate_secrets.dependents import Aim, follows, is_on, moves, takes_two, using, why_not
from functions.rotate_secrets.outlook import Outlook, Subject
from functions.rotate_secrets.saga import Attempt, Saga
from functions.rotate_secrets.settings import Postgres, Random
from functions.rotate_secrets.world import Dependent


def begun(subject: Subject, saga: Saga, why: str, *, is_resumed: bool = False) -> Outlook:
    """A new version is added, if all is ready for it; or dependents are pinned first, or it is refused."""
    if not is_resumed and not subject.is_open:
        return Outlook(next=f"{why}: it begins {subject.opens}")
    dependents = using(subject.key, subject.world)
    hindered = _not_following if subject.secret.value.previous_secret else _hindrance
    if hindrance := hindered(subject, saga, dependents):
        return subject.refused("never_a_gap", hindrance)
    pinned = Aim(target=saga.current, reason=f"{why}: first the number that is served is said")
    if subject.secret.value.is_outside and saga.current:
        waiting = tuple(f"{subject.key}: {one.name} is on its way" for one in dependents if one.is_in_flight)
        if waiting or any(moves(one, subject.key, subject.here, pinned) for one in dependents if _may(one, subject)):
            return Outlook(aim=pinned, waiting=waiting)
    if broken := next((one for one in dependents if not one.is_ready and _may(one, subject)), None):
        return Outlook(
            next=f"{why}: it begins when {broken.name} is ready",
            waiting=(f"{subject.key}: {broken.name} is on its way",) if broken.is_in_flight else (),
            notices=() if broken.is_in_flight else (f"{subject.key}: {broken.name} is not ready: {broken.problem}",),
        )
    words = subject.words("versions", f"version {saga.current}" if saga.current else "none", "one more")
    value = subject.secret.value
    change = AddVersion(**words, reason=why, saga=_with_attempt(subject, saga), value=value, current=saga.current)
    return Outlook(change=change, notices=(*_strangers(subject, saga), *_left(subject, dependents)))


def _may(dependent: Dependent, subject: Subject) -> bool:
    return not why_not(dependent, subject.secret)


def _hindrance(subject: Subject, saga: Saga, dependents: list[Dependent]) -> str:
    """Why somebody would be left with a value that is not accepted; "" if nobody would."""
    value = subject.secret.value
    if isinstance(value, Random):
        return ""
    if isinstance(value, Postgres) and not saga.current:
        return "its first version is for the owner to add: nothing else says where the database is"
    for one in dependents:
        cannot = why_not(one, subject.secret)
        if cannot and value.replaces:
            return f"{one.name} cannot be moved, and its value would not be accepted any more: {cannot}"
        if (cannot or one.is_pinned) and not is_on(one, subject.key, saga.current):
            return f"{one.name} serves with something else than version {saga.current}: {cannot or 'traffic is pinned'}"
        if value.needs_previous and not takes_two(one, subject.key):
            return (
                f"{one.name} takes one value at a time, and would refuse what is signed with the other: let it refer "
                "to the secret a second time, by a name with `previous` in it"
            )
    return ""


def _not_following(subject: Subject, saga: Saga, dependents: list[Dependent]) -> str:
    """Why somebody would not take the new value by itself; "" if all would."""
    del saga
    for one in dependents:
        if not follows(one, subject.key):
            return (
                f"{one.name} does not follow: let it read the newest version of the secret, and of its "
                "`previous_secret` by a name with `previous` in it, from files"
            )
    return ""


def _with_attempt(subject: Subject, saga: Saga) -> Saga:
    """The saga with what is about to be added. One that is begun again stays the same attempt."""
    known = saga.attempt
    attempt = Attempt(
        epoch=known.epoch if known else saga.epoch + 1,
        started=known.started if known else subject.occasion.now,
        before=saga.current,
        promoted_before=saga.promoted,
        highest=subject.here.newest,
        sha256="",
    )
    return msgspec.structs.replace(saga, epoch=attempt.epoch, attempt=attempt)


def _strangers(subject: Subject, saga: Saga) -> tuple[str, ...]:
    """Versions that were never promoted here: they are told, and not built upon."""
    return tuple(
        f"{subject.key}: version {version.number} was added by somebody else, and is not built upon"
        for version in subject.here.versions or ()
        if version.is_enabled and version.number > saga.current and version.number not in saga.retiring
    )


def _left(subject: Subject, dependents: list[Dependent]) -> tuple[str, ...]:
    return tuple(
        f"{subject.key}: {one.name} will not be moved: {why}"
        for one in dependents
        if (why := why_not(one, subject.secret))
    )
