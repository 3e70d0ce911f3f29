"""What `doctor` finds: one line for each thing that was looked at, and the command that mends it."""

from collections.abc import Callable, Iterable

import msgspec

from infra.deploy.target import Target
from infra.deployment import Suite
from shared.errors import cloud_errors, in_words


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    is_well: bool
    mend: str = ""
    """The command, or the step, that mends it."""


class Patient(msgspec.Struct, frozen=True):
    """What is looked at."""

    suite: Suite
    target: Target


Look = Callable[[Patient], Iterable[Finding]]


def looked(look: Look, patient: Patient) -> list[Finding]:
    """What one look finds; a look that fails is a finding too, as it says nothing of what it should have seen."""
    try:
        return list(look(patient))
    except cloud_errors() as error:
        about = (look.__doc__ or look.__name__).partition(".")[0].lower()
        return [Finding(f"could not see {about} ({in_words(error)})", is_well=False)]


def well(what: str) -> Finding:
    """Something that is as it should be."""
    return Finding(what, is_well=True)


def missing(what: str, mend: str) -> Finding:
    """Something that is not, and what mends it."""
    return Finding(what, is_well=False, mend=mend)
