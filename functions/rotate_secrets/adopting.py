"""The current version of a secret that was not rotated here before, or that a person has changed since."""

import msgspec

from functions.rotate_secrets.changes import Adopt, Versions
from functions.rotate_secrets.messages import ADDED_BY_A_PERSON, NOT_ROTATED_BEFORE, ForeignVersion, NoVersionWorks
from functions.rotate_secrets.questions import Acceptance, VersionsOf, ask, read
from functions.rotate_secrets.rotation_state import RotationState, VersionNumbers
from functions.rotate_secrets.secret_decision import SecretDecision
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.world import Version
from shared.decision import Alert, Message, Text

MOST_TESTED = 5
"""So many versions are tried, those that serve first: older ones are not worth a login each."""


def decide_adopt(view: SecretView) -> SecretDecision:
    """The version that is in use and works is the current one, since its creation."""
    chosen = {name: _chosen(view, name) for name in view.settings.names}
    if any(view.versions(name) and version is None for name, version in chosen.items()):
        return SecretDecision(alerts=(_none_accepted(view, chosen),))
    numbers = {name: version.number if version else 0 for name, version in chosen.items()}
    state = RotationState(
        current=numbers[view.name],
        promoted=max((one.created for one in chosen.values() if one), default=None),
        others={name: VersionNumbers(current=numbers[name]) for name in view.settings.names[1:]},
    )
    after = f"version {state.current}" if state.current else "no version"
    edit = view.edit("promoted", "", after)
    return SecretDecision(change=Adopt(**edit, reason=NOT_ROTATED_BEFORE, state=state))


def decide_readopt(view: SecretView) -> SecretDecision | None:
    """A person's replacement of the current version; None if there is none.

    No dependent is moved and no version retired while a dependent may still serve with a version unknown here.
    """
    ask(view.world, *(VersionsOf(name) for name in view.settings.names), *view.locations)
    unfit = view.reason_unfit({name: number for name, number in view.current.items() if number})
    if not unfit and not _new(view) and not _unknown_served(view):
        return None
    chosen = {name: _chosen(view, name) for name in view.settings.names}
    numbers = {name: version.number for name, version in chosen.items() if version}
    if not numbers and not view.value.is_outside:
        return None  # A new value needs no old one, and nothing is served with one that works.
    if len(numbers) < len(chosen):
        return SecretDecision(alerts=(_none_accepted(view, chosen, unfit),))
    if numbers == view.current:
        return None
    state = view.state
    own = _succeeded(view, view.name, numbers)
    state = msgspec.structs.replace(
        state,
        current=own.current,
        retiring=own.retiring,
        others={name: _succeeded(view, name, numbers) for name in view.settings.names[1:]},
        promoted=max(version.created for version in chosen.values() if version),
        # An attempt of which nothing has been added is begun anew, from what counts now.
        attempt=None,
        failed=None,
        why="",
    )
    reason = unfit or ADDED_BY_A_PERSON
    edit = view.edit("promoted", f"version {view.state.current}", f"version {state.current}")
    return SecretDecision(change=Adopt(**edit, reason=reason, state=state), notices=foreign_versions(view))


def foreign_versions(view: SecretView) -> tuple[Message, ...]:
    """Enabled versions that were never promoted here, as far as versions are known: reported, and not built upon."""
    attempt = view.state.attempt
    if view.existing.state is None or (attempt and not attempt.version):
        return ()
    return tuple(
        view.about(ForeignVersion(name, version.number))
        for name in view.current
        for version in view.known_versions(name)
        if version.is_enabled and version.number > view.highest_known(name)
    )


def _chosen(view: SecretView, name: str) -> Version | None:
    """The version that serves and works, else the newest that works. Raises ``NotAsked``, or ``NotReadable``."""
    ask(view.world, *(VersionsOf(one) for one in view.settings.names), *view.locations)
    served = _served(view, name)
    enabled = [version for version in view.versions(name) if version.is_enabled]
    wanted = sorted(enabled, key=lambda one: (one.number in served, one.number), reverse=True)
    if not view.value.can_be_tested:
        return next(iter(wanted), None)
    return next((one for one in wanted[:MOST_TESTED] if not _refusal(view, name, one.number)), None)


def _new(view: SecretView) -> list[str]:
    """The secrets that have joined the group, or got their first version, since."""
    return [
        name
        for name in view.settings.names
        if name not in view.current
        or (not view.current[name] and any(version.is_enabled for version in view.versions(name)))
    ]


def _refusal(view: SecretView, name: str, number: int) -> str:
    return read(view.world, Acceptance(name, number, view.value))


def _served(view: SecretView, name: str) -> set[int]:
    """The versions of a secret that dependents refer to, or serve with."""
    return {
        view.number_of(reference)
        for one in view.dependents
        for reference in (*one.references, *one.serving)
        if view.secret_of(reference) == name and not reference.is_previous
    }


def _unknown_served(view: SecretView) -> bool:
    known = {name: {view.state.of(name).current, *view.state.of(name).retiring, 0} for name in view.current}
    return any(_served(view, name) - numbers for name, numbers in known.items())


def _succeeded(view: SecretView, name: str, numbers: Versions) -> VersionNumbers:
    """The versions of a secret, with another that counts: the one that did is retired in its time."""
    known = view.state.of(name) if name in view.current else VersionNumbers()
    kept = [one for one in (known.current, *known.retiring) if one and one != numbers[name]]
    return VersionNumbers(current=numbers[name], retiring=tuple(dict.fromkeys(kept)))


def _none_accepted(view: SecretView, chosen: dict[str, Version | None], unfit: Message | None = None) -> Alert:
    name = next(name for name, version in chosen.items() if version is None)
    tested = [
        Text(why)
        for version in view.versions(name)
        if isinstance(why := view.world.get(Acceptance(name, version.number, view.value)), str) and why
    ]
    return view.alert("version_unusable", NoVersionWorks(name, next(iter(tested), unfit)))
