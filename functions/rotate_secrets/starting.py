"""Whether a rotation may start: what uses the secret must be accepted at every moment until it ends."""

from collections.abc import Iterator

import msgspec

from functions.rotate_secrets.adopting import decide_readopt
from functions.rotate_secrets.changes import AddVersion
from functions.rotate_secrets.dependents import (
    accepts_previous,
    movable,
    moves,
    reads_latest,
    reason_not_movable,
    uses_only,
)
from functions.rotate_secrets.questions import VersionsOf, ask
from functions.rotate_secrets.rotation_state import Attempt, NewVersion, RotationState
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.settings import Postgres, Random
from functions.rotate_secrets.view import SecretView
from shared.decision import Text


def start_rotation(view: SecretView, why: str, *, is_resumed: bool = False) -> SecretDecision:
    """Add a version, if all is ready for it; or pin dependents first, or refuse."""
    if not is_resumed and not view.is_open:
        return SecretDecision(next=f"{why}: it starts {view.opens}")
    ask(view.world, *(VersionsOf(name) for name in view.settings.names), *view.locations)
    if changed := decide_readopt(view):
        return changed
    dependents = view.dependents
    if gap := next(_gaps(view), ""):
        return view.refused("never_a_gap", gap)
    if dependents and not view.value.previous_secret and not movable(view):
        return view.refused("moves_nobody", f"no dependent can be moved: {'; '.join(_unmovable(view))}")
    return _pinning(view, why) or _waiting_for_ready(view, why) or _adding(view, why)


def _gaps(view: SecretView) -> Iterator[str]:
    """Why a new value would leave a dependent with one that is not accepted."""
    value, current = view.value, view.current
    if view.unreadable:
        yield f"somebody who cannot be seen may use it: {view.unreadable[0]}"
    if isinstance(value, Random):
        return
    if isinstance(value, Postgres) and not view.state.current:
        yield "its first version is for the owner to add: nothing else says where the database is"
    for one in view.dependents:
        cannot = reason_not_movable(one, view.settings)
        if value.previous_secret:
            if not reads_latest(one, view):
                yield (
                    f"{one.name} does not follow: let it read the newest version of the secret, and of its "
                    "`previous_secret` by a name with `previous` in it, from files"
                )
            continue
        if cannot and value.replaces:
            yield f"{one.name} cannot be moved, and its value would not be accepted any more: {cannot}"
        if (cannot or one.is_pinned) and not uses_only(one, view, current):
            why = cannot or "its traffic is pinned to a revision"
            yield f"{one.name} serves with something else than version {view.state.current}: {why}"
        if value.needs_previous and not accepts_previous(one, view):
            yield (
                f"{one.name} takes one value at a time, and would refuse what is signed with the other: let it refer "
                "to the secret a second time, by a name with `previous` in it"
            )


def _pinning(view: SecretView, why: str) -> SecretDecision | None:
    """Give dependents the number that they are served with, before there is a version that is not accepted yet."""
    if not view.value.is_outside or not view.state.current:
        return None
    pinned = TargetVersions(target=view.current, reason=f"{why}: first it gets the number that it is served with")
    waiting = tuple(f"{view.key}: {one.name} is changing" for one in view.dependents if one.is_in_flight)
    if waiting or any(moves(one, view, pinned) for one in movable(view)):
        return SecretDecision(targets=pinned, waiting=waiting)
    return None


def _waiting_for_ready(view: SecretView, why: str) -> SecretDecision | None:
    """Nothing starts while a dependent that would be moved is not ready."""
    broken = next((one for one in movable(view) if not one.is_ready), None)
    if broken is None:
        return None
    next_ = f"{why}: it starts when {broken.name} is ready"
    if broken.is_in_flight:
        return SecretDecision(next=next_, waiting=(f"{view.key}: {broken.name} is changing",))
    return SecretDecision(next=next_, notices=(f"{view.key}: {broken.name} is not ready: {broken.problem}",))


def _adding(view: SecretView, why: str) -> SecretDecision:
    """Add a version, with what the rotation needs until it ends."""
    terms = msgspec.structs.replace(
        view.terms,
        dependents=tuple(one.name for one in movable(view)),
        was_used=bool(view.dependents),
        started=view.now,
        before=view.state.current,
    )
    current = view.state.current
    change = AddVersion(
        **view.edit("versions", f"version {current}" if current else "none", "add a version"),
        reason=Text(why),
        state=_with_attempt(view),
        terms=terms,
        current=view.current,
    )
    return SecretDecision(change=change, notices=tuple(f"{view.key}: not moved: {one}" for one in _unmovable(view)))


def _unmovable(view: SecretView) -> list[str]:
    """The dependents that cannot be moved, each with the reason."""
    reasons = ((one.name, reason_not_movable(one, view.settings)) for one in view.dependents)
    return [f"{name}: {why}" for name, why in reasons if why]


def _with_attempt(view: SecretView) -> RotationState:
    """The state with what is about to be added. An attempt that is resumed stays the same one."""
    state = view.state
    known = state.attempt
    own, *rest = (NewVersion(before=state.of(name).current, highest=view.newest(name)) for name in view.settings.names)
    attempt = Attempt(
        epoch=known.epoch if known else state.epoch + 1,
        started=known.started if known else view.now,
        before=own.before,
        promoted_before=state.promoted,
        highest=own.highest,
        others=dict(zip(view.settings.names[1:], rest, strict=True)),
    )
    return msgspec.structs.replace(state, epoch=attempt.epoch, attempt=attempt)
