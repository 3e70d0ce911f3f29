"""What `doctor` finds: one line for each thing that was looked at, and the command that mends it."""

from collections.abc import Callable, Iterable

import msgspec

from infra.deploy.target import Target
from infra.suite.deployment import Suite
from shared.errors import cloud_errors, in_words


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    is_well: bool
    mend: str = ""
    """The command, or the step, that mends it; of what is well, that makes it better still."""

    @property
    def word(self) -> str:
        """What it is called before a person."""
        if not self.is_well:
            return "MISSING"
        return "advice" if self.mend else "ok"


class Patient(msgspec.Struct, frozen=True):
    """What is looked at."""

    suite: Suite
    target: Target

    def for_one_run(self) -> "Patient":
        """The same, for one examination: what several looks ask is asked once in it."""
        target = msgspec.structs.replace(self.target, clients=self.target.clients.for_one_run())
        return Patient(self.suite, target)


Look = Callable[[Patient], Iterable[Finding]]


def looked(look: Look, patient: Patient) -> list[Finding]:
    """What one look finds; one that fails is a finding too, beside what it has found by then."""
    found: list[Finding] = []
    try:
        found.extend(look(patient))
    except cloud_errors() as error:
        about = (look.__doc__ or look.__name__).partition(".")[0]
        found.append(Finding(f"could not see {about[0].lower()}{about[1:]} ({in_words(error)})", is_well=False))
    return found


def well(what: str) -> Finding:
    """Something that is as it should be."""
    return Finding(what, is_well=True)


def missing(what: str, mend: str) -> Finding:
    """Something that is not, and what mends it."""
    return Finding(what, is_well=False, mend=mend)


def advice(what: str, mend: str) -> Finding:
    """Something that will do, and what would be better."""
    return Finding(what, is_well=True, mend=mend)
