"""The state of a secret's rotation, as an annotation of the secret.

It is written under the secret's etag, so that only one of two runs goes on, and Terraform leaves it alone. Nothing in
it is secret: of a value it has the SHA-256, by which a run recognises a version that it has added before it died.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import field

from functions.rotate_secrets.settings import RotationStage
from shared.decoding import decoded

ANNOTATION = "caretaker-rotation"
FORMAT = 1
"""Of the annotation: a later release counts it up when this one could not read it correctly any more."""
CURRENT_ALIAS, PREVIOUS_ALIAS = "caretaker-current", "caretaker-previous"
"""For people to read. They are never read here: Terraform wipes them."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)


class UnreadableState(ValueError):
    """An annotation that is not ours, or not any more, or of a later release. The text says which."""


class VersionNumbers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The current and previous versions of one secret."""

    current: int = 0
    """The version that is promoted; 0 if there is none."""
    retiring: tuple[int, ...] = ()
    """Versions that are still accessible and do not count: those from before, and those that were taken back."""

    @property
    def older(self) -> tuple[int, ...]:
        """The versions that the current one has superseded. One that was taken back may be newer: it stays."""
        return tuple(number for number in self.retiring if number < self.current)


class NewVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The version that a rotation adds to one secret."""

    before: int = 0
    """The version that was promoted when it began; 0 if there was none."""
    highest: int = 0
    """The highest version there was."""
    sha256: str = ""
    """Of what is added."""
    version: int = 0
    """The version that was added, once it has been recognised."""


class Attempt(NewVersion, frozen=True, kw_only=True, omit_defaults=True):
    """A rotation that has begun and not ended."""

    epoch: int
    started: datetime
    promoted_before: datetime | None
    """Since when the version from before was promoted."""
    stage: RotationStage = field(default=RotationStage.CREATE, name="step")
    """The next step."""
    back: str = ""
    """Why it is taken back, if it is."""
    is_restored: bool = False
    """Whether the system behind it has the value from before again."""
    others: dict[str, NewVersion] = {}
    """By full name, the same of the secrets that rotate together with this one."""

    def of(self, secret: str) -> NewVersion:
        """The version that it adds to one of the secrets."""
        return self.others.get(secret, self)


class RotationState(VersionNumbers, frozen=True, kw_only=True, omit_defaults=True):
    """The rotation state of a secret."""

    format: int = 0
    """As it was read; 0 before formats were counted."""
    epoch: int = 0
    """The number of rotations that have started."""
    promoted: datetime | None = None
    attempt: Attempt | None = None
    failed: datetime | None = None
    """The time of the last rollback, if no rotation has succeeded since."""
    why: str = ""
    """Why it was."""
    others: dict[str, VersionNumbers] = {}
    """By full name, the versions of the secrets that rotate together with this one."""

    @property
    def since(self) -> datetime:
        """The time the last request was completed, or failed."""
        return max(self.promoted or NEVER, self.failed or NEVER)

    def of(self, secret: str) -> VersionNumbers:
        """The versions of one of the secrets."""
        return self.others.get(secret, self)


def encoded(state: RotationState, known: str = "") -> str:
    """The state as the annotation's text. Fields that a later release has put into the known text stay in it."""
    wanted = msgspec.to_builtins(msgspec.structs.replace(state, format=FORMAT))
    if known:
        before = msgspec.json.decode(known)
        _keep_unknown(before, wanted, RotationState)
        old, new = before.get("attempt"), wanted.get("attempt")
        if old and new and old.get("epoch") == new.get("epoch"):
            _keep_unknown(old, new, Attempt)
    return msgspec.json.encode(wanted).decode()


def read_state(text: str) -> RotationState:
    """The state that an annotation holds. Raises ``UnreadableState``."""
    try:
        state = decoded(text, RotationState)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadableState(
            f"the annotation {ANNOTATION} cannot be read: correct it, or remove it to begin anew"
        ) from None
    if state.format > FORMAT:
        raise UnreadableState(
            f"the annotation {ANNOTATION} is of a later release (format {state.format}, here {FORMAT}): upgrade again"
        )
    return state


def with_version(attempt: Attempt, versions: Mapping[str, int], stage: RotationStage) -> Attempt:
    """The attempt with the versions that were recognised, by full name, at a stage."""
    others = {name: msgspec.structs.replace(one, version=versions.get(name, 0)) for name, one in attempt.others.items()}
    own = next((number for name, number in versions.items() if name not in others), 0)
    return msgspec.structs.replace(attempt, version=own, others=others, stage=stage)


def promoted(state: RotationState, attempt: Attempt, now: datetime) -> RotationState:
    """The state with the new versions promoted."""
    state = _each(state, attempt, lambda numbers, new: msgspec.structs.replace(numbers, current=new.version))
    return msgspec.structs.replace(state, promoted=now)


def advanced(state: RotationState, attempt: Attempt, stages: tuple[RotationStage, ...]) -> RotationState:
    """The state after the attempt's stage: at the next one, or, if it was the last, without the attempt."""
    place = stages.index(attempt.stage) + 1
    if place < len(stages):
        return msgspec.structs.replace(state, attempt=msgspec.structs.replace(attempt, stage=stages[place]))

    def superseded(numbers: VersionNumbers, new: NewVersion) -> VersionNumbers:
        return _with_retiring(numbers, new.before, without=new.version)

    state = _each(state, attempt, superseded)
    return msgspec.structs.replace(state, attempt=None, failed=None, why="")


def given_up(state: RotationState, attempt: Attempt, now: datetime) -> RotationState:
    """The state after an attempt that was taken back: the versions from before count, as if nothing had been."""

    def restored(numbers: VersionNumbers, new: NewVersion) -> VersionNumbers:
        return msgspec.structs.replace(_with_retiring(numbers, new.version, without=new.before), current=new.before)

    state = _each(state, attempt, restored)
    return msgspec.structs.replace(state, promoted=attempt.promoted_before, attempt=None, failed=now, why=attempt.back)


def retired(state: RotationState) -> RotationState:
    """The state without the versions that the current ones have superseded."""

    def newer(numbers: VersionNumbers) -> VersionNumbers:
        kept = tuple(number for number in numbers.retiring if number not in numbers.older)
        return msgspec.structs.replace(numbers, retiring=kept)

    others = {name: newer(one) for name, one in state.others.items()}
    return msgspec.structs.replace(state, retiring=newer(state).retiring, others=others)


def _each(
    state: RotationState, attempt: Attempt, change: Callable[[VersionNumbers, NewVersion], VersionNumbers]
) -> RotationState:
    """The state with one change to the versions of every secret of the attempt."""
    own = change(VersionNumbers(current=state.current, retiring=state.retiring), attempt)
    others = {name: change(state.others.get(name, VersionNumbers()), new) for name, new in attempt.others.items()}
    return msgspec.structs.replace(state, current=own.current, retiring=own.retiring, others={**state.others, **others})


def _with_retiring(numbers: VersionNumbers, number: int, *, without: int) -> VersionNumbers:
    kept = [one for one in (number, *numbers.retiring) if one and one != without]
    return msgspec.structs.replace(numbers, retiring=tuple(dict.fromkeys(kept)))


def _keep_unknown(before: dict[str, object], after: dict[str, object], type_: type[msgspec.Struct]) -> None:
    known = {one.encode_name for one in msgspec.structs.fields(type_)}
    after.update({name: value for name, value in before.items() if name not in known and name not in after})
