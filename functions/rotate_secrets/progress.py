"""The next stage of a rotation that is under way."""

from datetime import datetime, timedelta

import msgspec

from functions.rotate_secrets.attempts import added_versions, new_versions, versions_before
from functions.rotate_secrets.changes import Finish, Promote, SetValue, Versions
from functions.rotate_secrets.dependents import lagging, movable, moves, uses_only
from functions.rotate_secrets.rollback import start_rollback
from functions.rotate_secrets.rotation_state import Attempt, RotationState, advanced, promoted, with_version
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.settings import RotationStage
from functions.rotate_secrets.starting import start_rotation
from functions.rotate_secrets.view import SecretView
from shared.clock import format_time
from shared.decision import Text

READ_WITHIN = timedelta(minutes=2)
"""A receiver that reads the newest version by itself does so at least once a minute: clocks may differ by another."""


def decide_in_progress(view: SecretView, state: RotationState, attempt: Attempt) -> SecretDecision:
    """Go on with a rotation from the stage that it is in."""
    stages = view.value.stages
    if attempt.stage is RotationStage.CREATE:
        added = added_versions(view, attempt)
        if not all(added.values()):
            why = "it was begun, and no version holds what was recorded"
            return start_rotation(view, why, is_resumed=True)
        # Adding it is what the stage was: it goes on with the next.
        attempt = with_version(attempt, added, stages[1])
    state = msgspec.structs.replace(state, attempt=attempt)
    after = advanced(state, attempt, stages)
    match attempt.stage:
        case RotationStage.SET:
            edit = view.edit("value", f"version {attempt.before}", f"version {attempt.version} accepted")
            change = SetValue(
                **edit,
                reason=Text("what uses it must be accepted"),
                state=after,
                value=view.value,
                versions=new_versions(view, attempt),
                current=versions_before(view, attempt),
            )
            return SecretDecision(change=change)
        case RotationStage.PROMOTE:
            after = advanced(promoted(state, attempt, view.now), attempt, stages)
            edit = view.edit("promoted", f"version {attempt.before}", f"version {attempt.version}")
            return SecretDecision(
                change=Promote(**edit, reason=Text("it is accepted wherever it has to be"), state=after)
            )
    return _decide_roll_out(view, state, attempt, after)


def _decide_roll_out(view: SecretView, state: RotationState, attempt: Attempt, after: RotationState) -> SecretDecision:
    """Move the dependents, watch them, and go back with all of them if one fails."""
    if view.value.previous_secret and (until := _added_at(view, attempt) + READ_WITHIN) > view.now:
        return SecretDecision(next=f"version {attempt.version} is read by all receivers at {format_time(until)}")
    new = new_versions(view, attempt)
    targets = TargetVersions(
        target=new, previous=versions_before(view, attempt), reason=f"version {attempt.version} is promoted"
    )
    candidates = movable(view)
    to_move = [one for one in candidates if moves(one, view, targets)]
    moved = [one for one in candidates if one not in to_move]
    if failed := next((one for one in moved if one.problem and not one.is_in_flight), None):
        return start_rollback(view, state, attempt, f"{failed.name}: {failed.problem}")
    waiting = tuple(f"{view.key}: {one.name} is changing" for one in moved if one.is_in_flight)
    if to_move:
        decision = _moving(view, targets, len(to_move), waiting)
    elif waiting:
        decision = SecretDecision(waiting=waiting)
    elif reason := _reason_unfinished(view, new):
        decision = SecretDecision(next=reason, notices=(f"{view.key}: {reason}",))
    else:
        edit = view.edit("dependents", f"version {attempt.before}", f"version {attempt.version} serves")
        why = f"{len(moved)} {'dependent is' if len(moved) == 1 else 'dependents are'} ready"
        decision = SecretDecision(change=Finish(**edit, reason=Text(why), state=after))
    return msgspec.structs.replace(decision, notices=(*decision.notices, *lagging(view)))


def _moving(view: SecretView, targets: TargetVersions, count: int, waiting: tuple[str, ...]) -> SecretDecision:
    """Move dependents in a maintenance window, to versions that are accepted."""
    if not view.is_open:
        return SecretDecision(next=f"{count} {'dependent follows' if count == 1 else 'dependents follow'} {view.opens}")
    if unfit := view.reason_unfit(targets.target):
        return SecretDecision(alerts=(view.alert("version_unusable", f"nobody is moved: {unfit}"),), waiting=waiting)
    return SecretDecision(targets=targets, waiting=waiting)


def _reason_unfinished(view: SecretView, new: Versions) -> str:
    """Why a rotation of which nothing is left to move is not finished all the same; "" if it is."""
    for place in view.unreadable:
        # Of a rotation that an earlier release began, nothing is recorded.
        if view.recorded is None or any(f"{place.resource}/" in name for name in view.recorded.dependents):
            return f"it is not finished while dependents cannot be seen: {place}"
    dependents = view.dependents
    if view.value.previous_secret or not dependents:
        return ""
    is_anybody_on_it = any(uses_only(one, view, new) for one in dependents)
    return "" if is_anybody_on_it or movable(view) else "it is not finished, as no dependent can be moved"


def _added_at(view: SecretView, attempt: Attempt) -> datetime:
    """When the new version was added. Raises ``NotAsked``, or ``NotReadable``."""
    versions = view.versions(view.name)
    return next((one.created for one in versions if one.number == attempt.version), view.now)
