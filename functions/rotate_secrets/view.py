"""The facts about one secret, and those that rotate with it, for the decision on it."""

from datetime import datetime

import msgspec

from functions.rotate_secrets.changes import Edit, Versions
from functions.rotate_secrets.messages import About, NotAccepted, NotEnabled, WindowOpens
from functions.rotate_secrets.questions import (
    Acceptance,
    DependentsIn,
    RunningExecutionsIn,
    SecretsIn,
    VersionsOf,
    ask,
    read,
)
from functions.rotate_secrets.records import Context
from functions.rotate_secrets.rotation_state import RotationState
from functions.rotate_secrets.secret_decision import SecretDecision
from functions.rotate_secrets.settings import Location, Secret, Value
from functions.rotate_secrets.terms import Terms
from functions.rotate_secrets.world import LATEST, Dependent, ExistingSecret, Reference, Version
from shared.decision import Alert, Message, Refusal
from shared.hours import ALWAYS
from shared.world import Unreadable, World

NOTHING = RotationState()


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """One secret, with all that decides about it."""

    terms: Terms
    """The terms of its rotation: those recorded when it started, or else those of the settings."""
    recorded: Terms | None
    """The recorded terms, if a rotation has started and its old version is not retired."""
    context: Context
    world: World
    wanted_locations: tuple[Location, ...]
    """The locations of its dependents in the current settings."""
    found: tuple[ExistingSecret, ...]
    """Its secrets, as far as they are there and could be read: the first one first."""
    is_removed: bool = False
    """Whether the settings do not have it any more."""
    problem: str = ""
    """Why what was recorded cannot be read."""

    @property
    def key(self) -> str:
        """The owner's name of it."""
        return self.terms.key

    @property
    def name(self) -> str:
        """Its full name."""
        return self.terms.secret.secret

    @property
    def settings(self) -> Secret:
        """The settings of its rotation."""
        return self.terms.secret

    @property
    def value(self) -> Value:
        """The kind of its values."""
        return self.terms.secret.value

    @property
    def now(self) -> datetime:
        """The time of the run."""
        return self.context.now

    # The secret as it is

    @property
    def lists(self) -> tuple[SecretsIn, ...]:
        """The projects of its secrets."""
        return lists_of(self.settings)

    @property
    def missing(self) -> tuple[str, ...]:
        """The full names of those that are not there. Raises ``NotReadable``."""
        for need in self.lists:
            read(self.world, need)
        there = {one.name for one in self.found}
        return tuple(name for name in self.settings.names if name not in there)

    @property
    def existing(self) -> ExistingSecret:
        """The secret, once it is known to be there."""
        return self.found[0]

    @property
    def state(self) -> RotationState:
        """Its rotation state."""
        found = self.found
        return (found[0].state if found and found[0].name == self.name else None) or NOTHING

    @property
    def is_bound(self) -> bool:
        """Whether a rotation is under way, or its old version is not retired, as far as is known."""
        is_listed = all(self.world.knows(need) for need in self.lists)
        return is_bound(self.found) if self.found or not is_listed else False

    @property
    def lacks_terms(self) -> bool:
        """Whether a release has begun its rotation that recorded no terms."""
        return self.is_bound and self.recorded is None and bool(self.found) and not self.existing.problem

    @property
    def current(self) -> Versions:
        """The versions that count."""
        return {name: self.state.of(name).current for name in self._with_state()}

    @property
    def targets(self) -> Versions:
        """The versions that its dependents should serve with."""
        attempt = self.state.attempt
        if attempt and not attempt.back and attempt.version:
            return {name: attempt.of(name).version for name in self._with_state()}
        return self.current

    def _with_state(self) -> tuple[str, ...]:
        """The names whose versions the state has: one that was added to the settings has none yet."""
        state = self.state
        return tuple(name for name in self.settings.names if name == self.name or name in state.others)

    def versions(self, name: str) -> tuple[Version, ...]:
        """The versions of one of the secrets, the newest first. Raises ``NotAsked``, or ``NotReadable``."""
        return read(self.world, VersionsOf(name))

    def known_versions(self, name: str) -> tuple[Version, ...]:
        """The same as far as they have been read for something else."""
        answer = self.world.get(VersionsOf(name))
        return answer if isinstance(answer, tuple) else ()

    def newest(self, name: str) -> int:
        """The number that ``latest`` resolves to, as far as it is known."""
        if self.world.knows(VersionsOf(name)):
            return max((one.number for one in self.known_versions(name)), default=0)
        return self.highest_known(name)

    def highest_known(self, name: str) -> int:
        """The highest version that counts, or did, here. Those above it are someone else's, or not recognised yet."""
        numbers, attempt = self.state.of(name), self.state.attempt
        return max(numbers.current, *numbers.retiring, attempt.of(name).version if attempt else 0, 0)

    def reason_unfit(self, versions: Versions) -> Message | None:
        """Why no dependent may move to these versions: one is not enabled, or not accepted now; None if they may.

        Raises ``NotAsked``, or ``NotReadable``.
        """
        ask(self.world, *(VersionsOf(name) for name in versions))
        for name, number in versions.items():
            if number not in {one.number for one in self.versions(name) if one.is_enabled}:
                return NotEnabled(name, number)
        if not self.value.can_be_tested:
            return None
        tests = [Acceptance(name, number, self.value) for name, number in versions.items()]
        ask(self.world, *tests)
        return next((NotAccepted(test.resource, why) for test in tests if (why := read(self.world, test))), None)

    # Those that use it

    @property
    def locations(self) -> tuple[DependentsIn, ...]:
        """The locations to search for dependents: those of the rotation's terms, and those of the settings."""
        return tuple(DependentsIn(one.parent) for one in dict.fromkeys((*self.terms.locations, *self.wanted_locations)))

    @property
    def dependents(self) -> tuple[Dependent, ...]:
        """All that use any of its secrets, of what can be read. Raises ``NotAsked``."""
        answers = ask(self.world, *self.locations)
        found = [one for answer in answers if not isinstance(answer, Unreadable) for one in answer]
        return tuple(sorted((one for one in found if self.is_used_by(one)), key=lambda one: one.name))

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The locations that cannot be read: a dependent there may use the secret. Raises ``NotAsked``."""
        return tuple(answer for answer in ask(self.world, *self.locations) if isinstance(answer, Unreadable))

    @property
    def executions(self) -> tuple[Dependent, ...]:
        """The executions that still run and use any of its secrets. Raises ``NotAsked``, or ``NotReadable``."""
        wanted = [RunningExecutionsIn(need.location) for need in self.locations]
        ask(self.world, *wanted)
        return tuple(one for need in wanted for one in read(self.world, need) if self.is_used_by(one))

    def is_used_by(self, dependent: Dependent) -> bool:
        """Whether a dependent refers to any of its secrets."""
        return any(self.secret_of(one) or self.is_kept(one) for one in (*dependent.references, *dependent.serving))

    def secret_of(self, reference: Reference) -> str:
        """The full name of the secret that a reference is to; "" if it is none of these."""
        return next((one.name for one in self.found if one.is_named(reference.secret)), "")

    def is_kept(self, reference: Reference) -> bool:
        """Whether a reference is to the secret that keeps the value before (`previous_secret`)."""
        folder, _, kept = (self.value.previous_secret or "").rpartition("/")
        if not kept or not self.found:
            return False
        names = [f"{folder}/{kept}"]
        if folder == self.name.rpartition("/")[0]:
            names.append(f"{self.existing.numbered_name.rpartition('/')[0]}/{kept}")
        return reference.secret in names

    def number_of(self, reference: Reference) -> int:
        """The version that a reference resolves to now; 0 for an alias that does not exist."""
        secret = next(one for one in self.found if one.is_named(reference.secret))
        if reference.version == LATEST:
            return self.newest(secret.name)
        return int(reference.version) if reference.version.isdecimal() else secret.aliases.get(reference.version, 0)

    # What is reported

    @property
    def is_open(self) -> bool:
        """Whether a maintenance window is open."""
        hours = self.context.settings.hours
        return (hours.window_at(self.now) if hours else ALWAYS) is not None

    @property
    def opens(self) -> WindowOpens:
        """The start of the next maintenance window."""
        hours = self.context.settings.hours
        window = hours.next_window(self.now) if hours else None
        return WindowOpens(window.start if window else None)

    def about(self, message: Message) -> About:
        """A message with the owner's name of the secret."""
        return About(self.key, message)

    def edit(self, field: str, before: str, after: str) -> Edit:
        """The fields that every change of this secret has."""
        return Edit(target=self.name, field=field, before=before, after=after, scope=self.name, existing=self.existing)

    def alert(self, kind: str, reason: Message) -> Alert:
        """Something about this secret that a person must see."""
        return Alert(kind, self.key, str(reason))

    def refused(self, guard: str, reason: Message, *, is_alert: bool = False) -> SecretDecision:
        """Nothing is done about this secret, and a person should look."""
        return SecretDecision(refusal=Refusal(self.name, guard, str(reason), is_alert=is_alert))


def lists_of(secret: Secret) -> tuple[SecretsIn, ...]:
    """The lists that have a secret, and those that rotate together with it."""
    return tuple(dict.fromkeys(SecretsIn(name.split("/")[1]) for name in secret.names))


def is_bound(found: tuple[ExistingSecret, ...]) -> bool:
    """Whether a rotation is under way, or its old version is not retired, as far as is known."""
    if not found or found[0].problem:
        return True
    state = found[0].state or NOTHING
    return bool(state.attempt or state.older or any(one.older for one in state.others.values()))
