"""The messages of `prune_backups` as typed values: all of its wording besides the replies to commands."""

from collections.abc import Mapping
from datetime import datetime

from functions.prune_backups.formatting import printable
from functions.prune_backups.settings import Proof
from shared.clock import format_time
from shared.decision import Message

ALERT_TITLES: Mapping[str, str] = {
    "stale_newest": "backups have stopped",
    "no_bucket": "the bucket does not exist",
    "empty_policy": "no rule would keep anything",
    "unknown_names": "names that are no backups",
    "misdated": "backups are not as old as their names",
    "future_backups": "backups from the future",
    "small_newest": "the newest backup is too small",
    "unproved_newest": "the newest backup is not proved",
    "too_many_deletes": "too many backups would be deleted",
    "below_floor": "too few backups would be left",
}
"""By kind of alert, what it is called to a person."""


class NoRuleKeeps(Message, frozen=True):
    """Why backups are deleted."""

    def __str__(self) -> str:
        return "no rule keeps them"


class RestoreRequested(Message, frozen=True):
    """Why backups are restored."""

    def __str__(self) -> str:
        return "restore requested"


class DeletesPaused(Message, frozen=True):
    """While a set is being restored."""

    until: datetime

    def __str__(self) -> str:
        return f"nothing is deleted until {format_time(self.until)}"


class NotProved(Message, frozen=True):
    """Backups without the proof that the settings ask for."""

    set: str
    count: int
    proof: Proof

    def __str__(self) -> str:
        backups = "1 backup is" if self.count == 1 else f"{self.count:,} backups are"
        return f"{self.set}: {backups} not {self.proof}, and kept until each {self.proof} one that is kept is newer"


class Overwritten(Message, frozen=True):
    """An object that is no longer what was listed."""

    bucket: str
    name: str

    def __str__(self) -> str:
        name = f"gs://{self.bucket}/{printable(self.name)}"
        return f"{name} was overwritten after it was listed: its new version is evaluated by itself"


class Protected(Message, frozen=True):
    """An object under a hold or a retention policy."""

    bucket: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{printable(self.name)} is protected: not deleted ({printable(self.why)})"


class ExistsAgain(Message, frozen=True):
    """An object that need not be restored, as another has its name."""

    bucket: str
    name: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{printable(self.name)} exists again: not restored"


class AlreadyDeleted(Message, frozen=True):
    """Objects that someone else deleted after they were listed."""

    bucket: str
    example: str
    count: int

    def __str__(self) -> str:
        example = f"gs://{self.bucket}/{printable(self.example)}"
        more = f" and {self.count - 1:,} more" if self.count > 1 else ""
        return f"{example}{more}: already deleted by someone else"


class NoLongerRestorable(Message, frozen=True):
    """A deleted version that is no longer there."""

    bucket: str
    name: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{printable(self.name)} can no longer be restored: not restored"
