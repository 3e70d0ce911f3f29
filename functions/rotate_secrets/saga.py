"""Where the rotation of a secret stands, as an annotation of the secret says it.

It is written under the secret's etag, so that of two runs only one goes on, and Terraform leaves it alone. Nothing in
it is secret: of a value there is the SHA-256, by which a run knows a version again that it has added and not heard of.
"""

from datetime import UTC, datetime

import msgspec

from functions.rotate_secrets.settings import Step

ANNOTATION = "caretaker-rotation"
CURRENT_ALIAS, PREVIOUS_ALIAS = "caretaker-current", "caretaker-previous"
"""For people to read. They are never read here: Terraform wipes them."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rotation that has begun and not ended."""

    epoch: int
    started: datetime
    before: int
    """The version that was promoted when it began; 0 if there was none."""
    promoted_before: datetime | None
    """Since when that one was."""
    highest: int
    """The highest version there was."""
    sha256: str
    """Of what is added."""
    step: Step = Step.CREATE
    """What is to be done next."""
    version: int = 0
    """The version that was added, once it has been recognised."""
    back: str = ""
    """Why it is taken back, if it is."""
    is_restored: bool = False
    """Whether the system behind it has the value from before again."""


class Saga(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a secret stands."""

    epoch: int = 0
    """How many rotations have begun."""
    current: int = 0
    """The version that is promoted; 0 if there is none."""
    promoted: datetime | None = None
    retiring: tuple[int, ...] = ()
    """Versions that are still accessible and do not count: those from before, and those that were taken back."""
    attempt: Attempt | None = None
    failed: datetime | None = None
    """When a rotation was last taken back, if none has succeeded since."""
    why: str = ""
    """Why it was."""

    @property
    def since(self) -> datetime:
        """When what was asked for last was done, or failed."""
        return max(self.promoted or NEVER, self.failed or NEVER)

    @property
    def older(self) -> tuple[int, ...]:
        """The versions that the current one has superseded. One that was taken back may be newer: it stays."""
        return tuple(number for number in self.retiring if number < self.current)


def written(saga: Saga) -> str:
    """The saga as the annotation's text."""
    return msgspec.json.encode(saga).decode()


def read_saga(text: str) -> Saga:
    """What an annotation says. Raises ``msgspec.DecodeError`` for one that is not ours, or not any more."""
    return msgspec.json.decode(text, type=Saga)


def promoted(saga: Saga, attempt: Attempt, now: datetime) -> Saga:
    """The saga with the new version promoted."""
    return msgspec.structs.replace(saga, current=attempt.version, promoted=now)


def advanced(saga: Saga, attempt: Attempt, steps: tuple[Step, ...]) -> Saga:
    """The saga after the attempt's step: with the next one, or, if it was the last, without the attempt."""
    place = steps.index(attempt.step) + 1
    if place < len(steps):
        return msgspec.structs.replace(saga, attempt=msgspec.structs.replace(attempt, step=steps[place]))
    kept = [number for number in (attempt.before, *saga.retiring) if number and number != attempt.version]
    return msgspec.structs.replace(saga, attempt=None, retiring=tuple(dict.fromkeys(kept)), failed=None, why="")


def given_up(saga: Saga, attempt: Attempt, now: datetime) -> Saga:
    """The saga after an attempt that was taken back: the version from before counts, as if nothing had been."""
    kept = [number for number in (attempt.version, *saga.retiring) if number and number != attempt.before]
    return msgspec.structs.replace(
        saga,
        current=attempt.before,
        promoted=attempt.promoted_before,
        attempt=None,
        retiring=tuple(dict.fromkeys(kept)),
        failed=now,
        why=attempt.back,
    )
