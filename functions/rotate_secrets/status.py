"""Where things stand with each secret: the answer to the command ``status``."""

from functions.rotate_secrets.commands import Status
from functions.rotate_secrets.dependents import is_on, using
from functions.rotate_secrets.due import due_at
from functions.rotate_secrets.outlook import Subject
from functions.rotate_secrets.plan import subjects
from functions.rotate_secrets.records import Occasion
from functions.rotate_secrets.saga import Saga
from functions.rotate_secrets.verdicts import verdict_on
from functions.rotate_secrets.world import World
from shared.moments import told


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """A line for each secret, and one for each dependent that is behind; nothing if the event does not ask."""
    if not isinstance(occasion.event.event, Status):
        return ()
    return tuple(line for subject in subjects(occasion, world) for line in _lines(subject))


def _lines(subject: Subject) -> list[str]:
    existing = subject.existing
    if existing is None:
        return [f"{subject.key}: there is no {subject.secret.secret}"]
    if existing.is_managed:
        return [f"{subject.key}: Google rotates it"]
    saga = subject.saga
    next_ = verdict_on(subject).next or f"due at {told(due_at(subject.secret, saga))}"
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
        return [f"taken back at {told(saga.failed)}: {saga.why}"] if saga.failed else []
    if saga.attempt.back:
        return [f"rotation {saga.attempt.epoch} is being taken back: {saga.attempt.back}"]
    return [f"rotation {saga.attempt.epoch}: step {saga.attempt.step}"]
