"""The end of the versions from before: once nothing refers to them, and nothing runs with them."""

from functions.rotate_secrets.adopting import decide_readopt
from functions.rotate_secrets.changes import Retire
from functions.rotate_secrets.dependents import lagging, movable, moves, still_using
from functions.rotate_secrets.messages import (
    GRACE_IS_OVER,
    NOBODY_KNOWN,
    PREVIOUS_ENDS,
    CannotRetire,
    Changing,
    MayBeUsedBy,
    NoDependentMoved,
    RetiredWhen,
    StillUsedBy,
    numbered,
)
from functions.rotate_secrets.questions import RunningExecutionsIn, VersionsOf, ask
from functions.rotate_secrets.rotation_state import RotationState, retired
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.view import SecretView
from shared.decision import Message


def decide_retire(view: SecretView, state: RotationState) -> SecretDecision:
    """Disable the versions from before; what could not be moved until now is moved."""
    older = {name: state.of(name).older for name in view.current if state.of(name).older}
    if not view.is_open:
        return SecretDecision(next=RetiredWhen(state.older, view.opens))
    running = tuple(RunningExecutionsIn(need.location) for need in view.locations)
    ask(view.world, *(VersionsOf(name) for name in view.settings.names), *view.locations, *running)
    if changed := decide_readopt(view):
        return changed
    targets = TargetVersions(target=view.current, previous=view.current, only=older, reason=PREVIOUS_ENDS)
    to_move = [one for one in movable(view) if moves(one, view, targets)]
    if to_move and (unfit := view.reason_unfit(view.current)):
        alert = view.alert("version_unusable", NoDependentMoved(state.current, unfit))
        return SecretDecision(alerts=(alert,))
    # A dependent that is changing may still serve with the previous version.
    waiting = tuple(view.about(Changing(one.name)) for one in view.dependents if one.is_in_flight)
    if to_move or waiting:
        return SecretDecision(targets=targets, waiting=waiting)
    if why := _reason_to_keep(view, older):
        return SecretDecision(notices=(view.about(CannotRetire(state.older, why)), *lagging(view)))
    older_numbers = numbered(state.older)
    edit = view.edit("versions", f"{older_numbers} enabled", f"{older_numbers} disabled")
    change = Retire(
        **edit,
        reason=GRACE_IS_OVER,
        state=retired(state),
        value=view.value,
        versions=older,
        current=view.current,
    )
    return SecretDecision(change=change)


def _reason_to_keep(view: SecretView, older: dict[str, tuple[int, ...]]) -> Message | None:
    """Why the previous versions must stay accessible; None if they need not."""
    if view.unreadable:
        return MayBeUsedBy("it", view.unreadable[0])
    if users := still_using(older, (*view.dependents, *view.executions), view):
        return StillUsedBy(tuple(users))
    enabled = {name: {one.number for one in view.versions(name) if one.is_enabled} for name in older}
    is_anything_left = any(set(numbers) & enabled[name] for name, numbers in older.items())
    was_used = view.recorded is None or view.recorded.was_used
    if is_anything_left and was_used and not view.dependents:
        return NOBODY_KNOWN
    return None
