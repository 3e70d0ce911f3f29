"""The messages of `rotate_secrets` as typed values: all of its wording besides the replies to commands."""

from collections.abc import Mapping
from datetime import datetime

from shared.clock import format_time
from shared.decision import Message, Text
from shared.world import Unreadable

ALERT_TITLES: Mapping[str, str] = {
    "overdue": "overdue",
    "secret_missing": "the secret does not exist",
    "rotation_failed": "the rotation was rolled back",
    "not_taken_back": "rolling back did not work",
    "retirement_owed": "the old version is still in use",
    "version_unusable": "a version cannot be used",
    "unreadable": "cannot be read",
}
"""By kind of alert, what it is called to a person."""


def numbered(numbers: tuple[int, ...]) -> str:
    """Version numbers as text."""
    return ", ".join(map(str, numbers))


def counted(count: int, noun: str) -> str:
    """``1 dependent``, ``2 dependents``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short(secret: str) -> str:
    """A secret's id, of its full name."""
    return secret.rpartition("/")[2]


class About(Message, frozen=True):
    """A message with the owner's key of the secret that it is about."""

    key: str
    message: Message

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


# Why a rotation is due, and when it starts


class RotationRequested(Message, frozen=True):
    """A person asked for a new value."""

    at: datetime

    def __str__(self) -> str:
        return f"requested at {format_time(self.at)}"


class ReportedDue(Message, frozen=True):
    """Secret Manager's own schedule."""

    at: datetime

    def __str__(self) -> str:
        return f"Secret Manager reported at {format_time(self.at)} that it is due"


class TooOld(Message, frozen=True):
    """The period of the settings is over."""

    days: int

    def __str__(self) -> str:
        return f"its value is older than {self.days} days"


NO_VERSION = Text("it has no version")
NOTHING_ADDED = Text("the rotation started, but no version holds the recorded value")


class DueAt(Message, frozen=True):
    """The next rotation's due date."""

    at: datetime

    def __str__(self) -> str:
        return f"due at {format_time(self.at)}"


class Overdue(Message, frozen=True):
    """A rotation is later than the settings allow."""

    at: datetime

    def __str__(self) -> str:
        return f"it was due at {format_time(self.at)}"


class WindowOpens(Message, frozen=True):
    """The start of the next maintenance window; None if there is none."""

    at: datetime | None

    def __str__(self) -> str:
        if self.at is None:
            return "in no window of this year"
        return f"when the maintenance window opens at {format_time(self.at)}"


class DependentReady(Message, frozen=True):
    """A rotation starts once a dependent is ready."""

    name: str

    def __str__(self) -> str:
        return f"when {self.name} is ready"


class StartsWhen(Message, frozen=True):
    """A rotation is due, and starts later."""

    why: Message
    when: WindowOpens | DependentReady

    def __str__(self) -> str:
        return f"{self.why}: it starts {self.when}"


class KeptUntil(Message, frozen=True):
    """A rotation is due, and the grace period of the one before is not over."""

    why: Message
    versions: tuple[int, ...]
    until: datetime

    def __str__(self) -> str:
        old = f"the previous version {numbered(self.versions)}"
        return f"{self.why}, but {old} is kept until {format_time(self.until)}"


# Which version counts

NOT_ROTATED_BEFORE = Text("it has not been rotated here before")
ADDED_BY_A_PERSON = Text("a person added it, and it serves and is accepted")


class ForeignVersion(Message, frozen=True):
    """An enabled version that was never promoted here."""

    secret: str
    version: int

    def __str__(self) -> str:
        return f"version {self.version} of {short(self.secret)} was added by someone else, and is not used"


class NoVersionWorks(Message, frozen=True):
    """No version of a secret is accepted; without a reason, none is enabled."""

    secret: str
    why: Message | None

    def __str__(self) -> str:
        return f"no version of {short(self.secret)} works: {self.why or 'none is enabled'}"


class NotEnabled(Message, frozen=True):
    """A version to move to that is not enabled."""

    secret: str
    version: int

    def __str__(self) -> str:
        return f"version {self.version} of {short(self.secret)} is not enabled"


class NotAccepted(Message, frozen=True):
    """A version that the system behind the secret does not accept."""

    version: str
    """Its full name."""
    refusal: str
    """In the words of that system."""

    def __str__(self) -> str:
        return f"{self.version}: {self.refusal}"


# Why a dependent is not moved

READS_LATEST = Text("it reads the newest version by itself (previous_secret)")
MADE_BY_FUNCTIONS = Text("it was made with the Functions API, whose next deployment would overwrite the change")
PINNED = Text("its traffic is pinned to a revision (roll_pinned_traffic)")
PINNED_TRAFFIC = Text("its traffic is pinned to a revision")
IMAGE_BY_TAG = Text("its image is a tag, so moving it might deploy new code (roll_tags)")


class CannotChange(Message, frozen=True):
    """A kind of resource that nothing can change."""

    why: str

    def __str__(self) -> str:
        return self.why


class NotMoved(Message, frozen=True):
    """A dependent that a rotation leaves as it is."""

    name: str
    why: Message

    def __str__(self) -> str:
        return f"{self.name} is not moved: {self.why}"


class NoDependentMoved(Message, frozen=True):
    """The version to move to, or back to, is not usable now."""

    version: int
    why: Message
    is_way_back: bool = False

    def __str__(self) -> str:
        back = "back to" if self.is_way_back else "to"
        return f"no dependent is moved {back} version {self.version}: {self.why}"


# Why a rotation may not start


class MayBeUsedBy(Message, frozen=True):
    """A location that cannot be read may have a dependent."""

    what: str
    unreadable: Unreadable

    def __str__(self) -> str:
        return f"a dependent that cannot be read may use {self.what}: {self.unreadable}"


OWNER_ADDS_FIRST = Text("add its first version yourself: nothing else says where the database is")


class DoesNotFollow(Message, frozen=True):
    """A receiver that does not read the newest version."""

    name: str

    def __str__(self) -> str:
        return (
            f"{self.name} does not follow: let it read the newest version of the secret, and of its `previous_secret` "
            "by a name with `previous` in it, from files"
        )


class WouldBeRefused(Message, frozen=True):
    """A dependent that would be left with a value that is not accepted."""

    name: str
    why: Message

    def __str__(self) -> str:
        return f"{self.name} cannot be moved, and its value would no longer be accepted: {self.why}"


class ServesAnother(Message, frozen=True):
    """A dependent that cannot be moved and does not serve with the current version."""

    name: str
    version: int
    why: Message

    def __str__(self) -> str:
        return f"{self.name} does not serve with version {self.version}: {self.why}"


class TakesOneValue(Message, frozen=True):
    """A dependent that knows no previous value."""

    name: str

    def __str__(self) -> str:
        return (
            f"{self.name} takes one value at a time, and would refuse what is signed with the other: let it refer to "
            "the secret a second time, by a name with `previous` in it"
        )


class NoneMovable(Message, frozen=True):
    """There are dependents, and none can be moved."""

    reasons: Mapping[str, Message]
    """By full name of the dependent."""

    def __str__(self) -> str:
        reasons = "; ".join(f"{name}: {why}" for name, why in self.reasons.items())
        return f"no dependent can be moved: {reasons}"


# A rotation under way


class Because(Message, frozen=True):
    """Why a dependent is moved, for each of its secrets."""

    reasons: tuple[Message, ...]

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(map(str, self.reasons)))


class FirstPinned(Message, frozen=True):
    """Before a new version is added, dependents refer to the current one by its number."""

    why: Message

    def __str__(self) -> str:
        return f"{self.why}: it is pinned to the version it serves with first"


class Changing(Message, frozen=True):
    """A dependent with an operation in flight."""

    name: str
    is_way_back: bool = False

    def __str__(self) -> str:
        return f"{self.name} is changing{' back' if self.is_way_back else ''}"


class NotReady(Message, frozen=True):
    """A dependent that is not as its template says, in Google's words."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is not ready: {self.problem}"


class Promoted(Message, frozen=True):
    """Why dependents are moved."""

    version: int

    def __str__(self) -> str:
        return f"version {self.version} is promoted"


class ReadByAll(Message, frozen=True):
    """Receivers that read the newest version by themselves have a moment for it."""

    version: int
    at: datetime

    def __str__(self) -> str:
        return f"all receivers read version {self.version} by {format_time(self.at)}"


class Follow(Message, frozen=True):
    """Dependents that are moved when a window opens."""

    count: int
    when: WindowOpens

    def __str__(self) -> str:
        verb = "follows" if self.count == 1 else "follow"
        return f"{counted(self.count, 'dependent')} {verb} {self.when}"


class MoreToMove(Message, frozen=True):
    """Dependents beyond the number that may be moved at once."""

    count: int
    at_once: int

    def __str__(self) -> str:
        return f"{self.count} more to move, {self.at_once} at once"


class AllReady(Message, frozen=True):
    """Why a rotation is finished."""

    count: int

    def __str__(self) -> str:
        return f"{counted(self.count, 'dependent')} {'is' if self.count == 1 else 'are'} ready"


class NotFinishedUnseen(Message, frozen=True):
    """Dependents that the rotation began with cannot be read."""

    unreadable: Unreadable

    def __str__(self) -> str:
        return f"it is not finished while dependents cannot be read: {self.unreadable}"


NOT_FINISHED = Text("it is not finished, as no dependent can be moved")
MUST_BE_ACCEPTED = Text("so that the new value is accepted")
ACCEPTED = Text("it is accepted everywhere")

# The way back

REQUESTED = Text("requested by a person")
REMOVED = Text("it was removed from the settings")
REQUESTED_BY = tuple(map(str, (REQUESTED, REMOVED, "a person asked for it")))
"""The reasons that a person gave; the last one as earlier releases recorded it."""
ROLLED_BACK = Text("the rotation is rolled back")
NOT_REFERRED_TO = Text("nothing that can be moved still refers to the new version")


class CannotRollBack(Message, frozen=True):
    """A version to go back to that is no longer enabled."""

    why: NotEnabled

    def __str__(self) -> str:
        return f"it cannot be rolled back: {self.why}"


class RolledBackBecause(Message, frozen=True):
    """The reason as the state of the rotation has it."""

    why: str

    def __str__(self) -> str:
        return self.why


class RotationFailed(Message, frozen=True):
    """A rotation was rolled back."""

    at: datetime
    why: str

    def __str__(self) -> str:
        return f"rolled back at {format_time(self.at)}: {self.why}"


class NotReadyEither(Message, frozen=True):
    """A dependent that does not become ready on the version before."""

    name: str
    version: int
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is not ready on version {self.version} either: {self.problem}"


# The end of the version before

PREVIOUS_ENDS = Text("the previous version is retired")
GRACE_IS_OVER = Text("all dependents serve with the new version, and the grace period is over")
NOBODY_KNOWN = Text(
    "it was used, and no dependent of the secret is known any more. If nothing elsewhere uses it, disable the version "
    "yourself"
)


class RetiredWhen(Message, frozen=True):
    """The time at which old versions are retired."""

    versions: tuple[int, ...]
    when: WindowOpens

    def __str__(self) -> str:
        return f"version {numbered(self.versions)} is retired {self.when}"


class CannotRetire(Message, frozen=True):
    """Why the versions before stay accessible."""

    versions: tuple[int, ...]
    why: Message

    def __str__(self) -> str:
        return f"the previous version {numbered(self.versions)} cannot be retired: {self.why}"


class StillUsedBy(Message, frozen=True):
    """Dependents that refer to the versions before, or run with them."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"still used by {', '.join(self.names)}"


class RetirementOverdue(Message, frozen=True):
    """The versions before should have been retired by now."""

    versions: tuple[int, ...]

    def __str__(self) -> str:
        return f"version {numbered(self.versions)} should have been retired"


# Secrets that are left alone


class SecretMissing(Message, frozen=True):
    """Secrets of the settings that do not exist."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"there is no {', '.join(self.names)}"


ROTATED_BY_GOOGLE = Text("Google rotates it (managed rotation), so it is left alone")

# Guards

CURRENT_WOULD_END = Text("the current version would be disabled")


class UsersUnknown(Message, frozen=True):
    """The users of a version could not be read."""

    why: str

    def __str__(self) -> str:
        return f"it is not known what uses the versions to disable: {self.why}"
