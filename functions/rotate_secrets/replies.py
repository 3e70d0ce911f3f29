"""The reply to a command: the state of each secret, or what the command leads to."""

from collections.abc import Iterator

from functions.rotate_secrets.commands import RollBack, Rotate, Status
from functions.rotate_secrets.decide import RotationDecision
from functions.rotate_secrets.decide_secret import decide_secret
from functions.rotate_secrets.dependents import uses_only
from functions.rotate_secrets.due import due_at, is_rollback_requested
from functions.rotate_secrets.messages import DueAt, RotationFailed, SecretMissing
from functions.rotate_secrets.questions import NotAsked, NotReadable
from functions.rotate_secrets.records import Context, requested
from functions.rotate_secrets.rotation_state import RotationState
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.views import views
from shared.world import World


def reply(context: Context, world: World, decision: RotationDecision) -> tuple[str, ...]:
    """For `status` a line for each secret, and for each dependent that lags; nothing for what is no command."""
    del decision
    seen = views(context, world)
    match context.event.event:
        case Status():
            return tuple(line for view in seen for line in _lines(view))
        case Rotate(secret=key):
            return tuple(f"{view.key}: {_rotation(view)}" for view in seen if key in ("", view.key))
        case RollBack(secret=key):
            return tuple(f"{view.key}: {_rollback(view)}" for view in seen if key == view.key)
    return ()


def _rotation(view: SecretView) -> str:
    """The reply to a request for a new value."""
    if why := _reason_ignored(view):
        return why
    if view.state.attempt:
        return "a rotation is already in progress"
    if requested(view.context.records.rotate, view.name, view.key) <= view.state.since:
        return "it has changed since the request"
    return "rotation requested"


def _rollback(view: SecretView) -> str:
    """The reply to a request for the previous version."""
    if why := _reason_ignored(view):
        return why
    state = view.state
    if is_rollback_requested(view):
        if state.attempt:
            return "the rotation in progress is rolled back"
        return f"back to version {max(state.older)}"
    if state.attempt or state.older:
        return "it cannot be rolled back: the current version is newer than the request"
    return "it cannot be rolled back: no rotation is in progress, and no previous version is kept"


def _reason_ignored(view: SecretView) -> str:
    try:
        missing = view.missing
    except NotReadable as blocked:
        return str(blocked)
    if missing:
        return str(SecretMissing(missing))
    return "Google rotates it" if any(one.is_managed for one in view.found) else ""


def _lines(view: SecretView) -> Iterator[str]:
    if why := _reason_ignored(view):
        yield f"{view.key}: {why}"
        return
    state = view.state
    next_ = decide_secret(view).next or DueAt(due_at(view.settings, state))
    parts = [_age(view, state), *_versions(state), *_stage(state), *([str(next_)] if state.promoted else [])]
    removed = " (removed from the settings)" if view.is_removed else ""
    yield f"{view.key}{removed}: {'; '.join(parts)}"
    try:
        dependents, unreadable = view.dependents, view.unreadable
    except NotAsked:
        return
    yield from (f"{view.key}: behind: {one.name}" for one in dependents if not uses_only(one, view, view.targets))
    yield from (f"{view.key}: {one}" for one in unreadable)


def _age(view: SecretView, state: RotationState) -> str:
    if state.promoted is None:
        return "not rotated here yet"
    days = (view.now - state.promoted).days
    return f"{days} {'day' if days == 1 else 'days'} old"


def _versions(state: RotationState) -> Iterator[str]:
    if state.current:
        yield f"version {state.current} is current"
    if state.attempt and state.attempt.version and state.attempt.version != state.current:
        yield f"{state.attempt.version} is new"
    for number in state.retiring:
        yield f"{number} is the previous one" if number < state.current else f"{number} was rolled back"


def _stage(state: RotationState) -> Iterator[str]:
    if state.attempt is None:
        if state.failed:
            yield str(RotationFailed(state.failed, state.why))
    elif state.attempt.back:
        yield f"rotation {state.attempt.epoch} is being rolled back: {state.attempt.back}"
    else:
        yield f"rotation {state.attempt.epoch}: step {state.attempt.stage}"
