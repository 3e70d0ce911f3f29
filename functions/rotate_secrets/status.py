"""The answer to a command: where things stand with each secret, or what becomes of it."""

from functions.rotate_secrets.commands import RollBack, Rotate, Status
from functions.rotate_secrets.dependents import is_on, using
from functions.rotate_secrets.due import due_at, is_asked_back
from functions.rotate_secrets.outlook import Subject
from functions.rotate_secrets.plan import subjects
from functions.rotate_secrets.records import Occasion
from functions.rotate_secrets.saga import Saga
from functions.rotate_secrets.verdicts import verdict_on
from functions.rotate_secrets.world import World
from shared.clock import format_time


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """For `status` a line for each secret, and for each dependent that is behind; nothing for what is no command."""
    seen = subjects(occasion, world)
    match occasion.event.event:
        case Status():
            return tuple(line for subject in seen for line in _lines(subject))
        case Rotate(secret=secret):
            return tuple(_rotation(subject) for subject in seen if secret in ("", subject.key))
        case RollBack(secret=secret):
            return tuple(_way_back(subject) for subject in seen if secret == subject.key)
    return ()


def _rotation(subject: Subject) -> str:
    """What becomes of a person's word that a secret is to change."""
    if why := _not_ours(subject):
        return why
    if subject.saga.attempt:
        return f"{subject.key}: a rotation is under way already"
    if subject.occasion.records.rotate[subject.key] <= subject.saga.since:
        return f"{subject.key}: it has changed since that was said"
    return f"{subject.key}: it is to change"


def _way_back(subject: Subject) -> str:
    """What becomes of a person's word that a secret is to be what it was."""
    if why := _not_ours(subject):
        return why
    saga = subject.saga
    if is_asked_back(subject.key, saga, subject.occasion):
        return f"{subject.key}: " + (
            "the rotation that is under way is taken back" if saga.attempt else f"back to version {saga.older[0]}"
        )
    if saga.attempt or saga.older:
        return f"{subject.key}: it cannot be rolled back: what counts now began after that was said"
    return f"{subject.key}: it cannot be rolled back: no rotation is under way, and no version from before is kept"


def _not_ours(subject: Subject) -> str:
    if subject.existing is None:
        return f"{subject.key}: there is no {subject.secret.secret}"
    return f"{subject.key}: Google rotates it" if subject.existing.is_managed else ""


def _lines(subject: Subject) -> list[str]:
    if why := _not_ours(subject):
        return [why]
    saga = subject.saga
    next_ = verdict_on(subject).next or f"due at {format_time(due_at(subject.secret, saga))}"
    parts = [_age(subject, saga), *_versions(saga), *_step(saga), *([next_] if saga.promoted else [])]
    behind = [
        f"{subject.key}: behind: {one.name}"
        for one in using(subject.key, subject.world)
        if not is_on(one, subject.key, subject.target)
    ]
    return [f"{subject.key}: {'; '.join(parts)}", *behind]


def _age(subject: Subject, saga: Saga) -> str:
    if saga.promoted is None:
        return "not rotated here yet"
    return f"{(subject.occasion.now - saga.promoted).days} days old"


def _versions(saga: Saga) -> list[str]:
    parts = [f"version {saga.current} is current"] if saga.current else []
    if saga.attempt and saga.attempt.version and saga.attempt.version != saga.current:
        parts.append(f"{saga.attempt.version} is new")
    return parts + [
        f"{number} is from before" if number < saga.current else f"{number} was taken back" for number in saga.retiring
    ]


def _step(saga: Saga) -> list[str]:
    if saga.attempt is None:
        return [f"taken back at {format_time(saga.failed)}: {saga.why}"] if saga.failed else []
    if saga.attempt.back:
        return [f"rotation {saga.attempt.epoch} is being taken back: {saga.attempt.back}"]
    return [f"rotation {saga.attempt.epoch}: step {saga.attempt.step}"]
