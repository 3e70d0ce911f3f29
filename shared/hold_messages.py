"""The messages on what is held, as typed values."""

from shared.decision import Message

FieldValue = str | int | bool


class Gone(Message, frozen=True):
    """A held resource does not exist any more."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} no longer exists, so there is nothing to restore"


class InFlight(Message, frozen=True):
    """A resource is in the middle of something else."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is being changed; Caretaker checks it again on its next run"


class ChangedByPerson(Message, frozen=True):
    """A held resource has a value that Caretaker did not give it."""

    name: str
    current: dict[str, FieldValue]

    def __str__(self) -> str:
        values = ", ".join(f"{field} {value}" for field, value in self.current.items())
        return f"{self.name} was changed by a person to {values}: left alone while the cap holds"


class KeptByPerson(Message, frozen=True):
    """A field that is not restored, because a person has changed it."""

    name: str
    field: str
    value: FieldValue
    applied: FieldValue

    def __str__(self) -> str:
        return f"{self.name}: {self.field} is {self.value!r}, not {self.applied!r} as Caretaker set it; left as it is"


class Released(Message, frozen=True):
    """Why a resource is restored."""

    held_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"no longer held by {', '.join(self.held_by)}"
