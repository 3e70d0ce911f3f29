"""A run's questions about the world and their answers: needs as values, and a world of answers.

A need is one question, as a frozen value that names the type of its answer::

    class ServicesIn(Need[tuple[RunService, ...]], frozen=True):
        parent: str

`needs` names the questions, the engine asks each once in a look, and `decide` reads the answers with ``world.get``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

import msgspec

AnswerT = TypeVar("AnswerT")
AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class Need(msgspec.Struct, Generic[AnswerT_co], frozen=True):
    """One question about the world. Its fields are hashable: two equal needs are one call."""

    @property
    def resource(self) -> str:
        """Its subject, for a person who reads that it could not be read."""
        return ", ".join(str(getattr(self, field)) for field in self.__struct_fields__)


class Unreadable(msgspec.Struct, frozen=True):
    """The answer to a need whose call failed: never to be taken for "none"."""

    asked: str
    """The kind of need, such as ``ServicesIn``."""
    resource: str
    error: str
    """The error in words."""
    retry_at: datetime | None = None
    """The time from which it may be asked again, if the other side has said so."""

    def __str__(self) -> str:
        return f"cannot read {self.asked} of {self.resource}: {self.error}"


NeedT = TypeVar("NeedT", bound=Need[Any])


class World(msgspec.Struct, frozen=True):
    """The answers to all that has been asked in one look."""

    answers: Mapping[Need[Any], object] = {}

    def get(self, need: Need[AnswerT]) -> AnswerT | Unreadable | None:
        """The answer to a need; None if it has not been asked (where an answer may be None, see ``knows``)."""
        return cast("AnswerT | Unreadable | None", self.answers.get(need))

    def knows(self, need: Need[Any]) -> bool:
        """Whether a need has been answered, and not with an error."""
        return need in self.answers and not isinstance(self.answers[need], Unreadable)

    def missing(self, needs: Iterable[NeedT]) -> tuple[NeedT, ...]:
        """The needs that have not been asked yet, each once, in order."""
        return tuple(need for need in dict.fromkeys(needs) if need not in self.answers)

    def with_answers(self, answers: Mapping[Need[Any], object]) -> "World":
        """The world with more answers."""
        return World({**self.answers, **answers})

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The needs that could not be read."""
        return tuple(answer for answer in self.answers.values() if isinstance(answer, Unreadable))

    @property
    def unanswered(self) -> "World":
        """The needs that failed, with their errors: what is not asked again in the same run."""
        return World({need: answer for need, answer in self.answers.items() if isinstance(answer, Unreadable)})
