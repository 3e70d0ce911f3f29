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
from functions.rotate_secrets.messages import (
    OWNER_ADDS_FIRST,
    PINNED_TRAFFIC,
    Changing,
    DependentReady,
    DoesNotFollow,
    FirstPinned,
    MayBeUsedBy,
    NoneMovable,
    NotMoved,
    NotReady,
    ServesAnother,
    StartsWhen,
    TakesOneValue,
    WouldBeRefused,
)
from functions.rotate_secrets.questions import VersionsOf, ask
from functions.rotate_secrets.rotation_state import Attempt, NewVersion, RotationState
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.settings import Postgres, Random
from functions.rotate_secrets.view import SecretView
from shared.decision import Message


def start_rotation(view: SecretView, why: Message, *, is_resumed: bool = False) -> SecretDecision:
    """Add a version, if all is ready for it; or pin dependents first, or refuse."""
    if not is_resumed and not view.is_open:
        return SecretDecision(next=StartsWhen(why, view.opens))
    ask(view.world, *(VersionsOf(name) for name in view.settings.names), *view.locations)
    if changed := decide_readopt(view):
        return changed
    dependents = view.dependents
    if gap := next(_gaps(view), None):
        return view.refused("never_a_gap", gap)
    if dependents and not view.value.previous_secret and not movable(view):
        return view.refused("moves_nobody", NoneMovable(_unmovable(view)))
    return _pinning(view, why) or _waiting_for_ready(view, why) or _adding(view, why)


def _gaps(view: SecretView) -> Iterator[Message]:
    """Why a new value would leave a dependent with one that is not accepted."""
    value, current = view.value, view.current
    if view.unreadable:
        yield MayBeUsedBy("it", view.unreadable[0])
    if isinstance(value, Random):
        return
    if isinstance(value, Postgres) and not view.state.current:
        yield OWNER_ADDS_FIRST
    for one in view.dependents:
        cannot = reason_not_movable(one, view.settings)
        if value.previous_secret:
            if not reads_latest(one, view):
                yield DoesNotFollow(one.name)
            continue
        if cannot and value.replaces:
            yield WouldBeRefused(one.name, cannot)
        if (cannot or one.is_pinned) and not uses_only(one, view, current):
            yield ServesAnother(one.name, view.state.current, cannot or PINNED_TRAFFIC)
        if value.needs_previous and not accepts_previous(one, view):
            yield TakesOneValue(one.name)


def _pinning(view: SecretView, why: Message) -> SecretDecision | None:
    """Give dependents the number that they are served with, before there is a version that is not accepted yet."""
    if not view.value.is_outside or not view.state.current:
        return None
    pinned = TargetVersions(target=view.current, reason=FirstPinned(why))
    waiting = tuple(view.about(Changing(one.name)) for one in view.dependents if one.is_in_flight)
    if waiting or any(moves(one, view, pinned) for one in movable(view)):
        return SecretDecision(targets=pinned, waiting=waiting)
    return None


def _waiting_for_ready(view: SecretView, why: Message) -> SecretDecision | None:
    """Nothing starts while a dependent that would be moved is not ready."""
    broken = next((one for one in movable(view) if not one.is_ready), None)
    if broken is None:
        return None
    next_ = StartsWhen(why, DependentReady(broken.name))
    if broken.is_in_flight:
        return SecretDecision(next=next_, waiting=(view.about(Changing(broken.name)),))
    return SecretDecision(next=next_, notices=(view.about(NotReady(broken.name, broken.problem)),))


def _adding(view: SecretView, why: Message) -> SecretDecision:
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
        reason=why,
        state=_with_attempt(view),
        terms=terms,
        current=view.current,
    )
    notices = tuple(view.about(NotMoved(name, reason)) for name, reason in _unmovable(view).items())
    return SecretDecision(change=change, notices=notices)


def _unmovable(view: SecretView) -> dict[str, Message]:
    """By full name of a dependent that cannot be moved, the reason."""
    reasons = ((one.name, reason_not_movable(one, view.settings)) for one in view.dependents)
    return {name: why for name, why in reasons if why}


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
