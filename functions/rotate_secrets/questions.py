"""The questions that `rotate_secrets` asks of the world, each with the type of its answer."""

from collections.abc import Mapping

from functions.rotate_secrets.settings import Value
from functions.rotate_secrets.world import Dependent, ExistingSecret, Version
from shared.world import AnswerT, Need, Unreadable, World


class SecretsIn(Need[Mapping[str, ExistingSecret]], frozen=True):
    """The secrets of a project, by full name with the project's id."""

    project: str


class VersionsOf(Need[tuple[Version, ...]], frozen=True):
    """The versions of a secret, the newest first."""

    secret: str


class AddedVersion(Need[int], frozen=True):
    """The version of a secret that holds what an attempt has recorded; 0 if none does."""

    secret: str
    highest: int
    """The highest version before: an older one is not looked into."""
    sha256: str


class Acceptance(Need[str], frozen=True):
    """Why the system behind a secret does not accept a version now; "" if it does."""

    secret: str
    version: int
    value: Value

    @property
    def resource(self) -> str:
        """The version."""
        return f"{self.secret}/versions/{self.version}"


class DependentsIn(Need[tuple[Dependent, ...]], frozen=True):
    """The services, jobs, worker pools and instances in a location that refer to any secret."""

    location: str


class RunningExecutionsIn(Need[tuple[Dependent, ...]], frozen=True):
    """The executions of jobs in a location that have not ended."""

    location: str


RotationNeed = SecretsIn | VersionsOf | AddedVersion | Acceptance | DependentsIn | RunningExecutionsIn


class NotAsked(Exception):
    """A decision lacks answers that have not been asked for yet."""

    def __init__(self, needs: tuple[RotationNeed, ...]) -> None:
        self.needs = needs
        super().__init__(", ".join(map(str, needs)))


class NotReadable(Exception):
    """A decision depends on an answer that could not be read."""

    def __init__(self, unreadable: Unreadable) -> None:
        self.unreadable = unreadable
        super().__init__(str(unreadable))


def ask(world: World, *needs: Need[AnswerT]) -> list[AnswerT | Unreadable]:
    """The answers, in order. Raises ``NotAsked`` with all that are missing."""
    if missing := world.missing(needs):
        raise NotAsked(missing)  # type: ignore[arg-type] # they are ours
    return [answer for need in needs if (answer := world.get(need)) is not None]


def read(world: World, need: Need[AnswerT]) -> AnswerT:
    """An answer. Raises ``NotAsked``, or ``NotReadable``."""
    (answer,) = ask(world, need)
    if isinstance(answer, Unreadable):
        raise NotReadable(answer)
    return answer
