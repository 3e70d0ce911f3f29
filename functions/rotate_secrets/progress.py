"""The next stage of a rotation that is under way."""

from datetime import datetime, timedelta

import msgspec

from functions.rotate_secrets.attempts import added_versions, new_versions, versions_before
from functions.rotate_secrets.changes import Finish, Promote, SetValue, Versions
from functions.rotate_secrets.dependents import lagging, movable, moves, uses_only
from functions.rotate_secrets.messages import (
    ACCEPTED,
    MUST_BE_ACCEPTED,
    NOT_FINISHED,
    NOTHING_ADDED,
    AllReady,
    Changing,
    Follow,
    NoDependentMoved,
    NotFinishedUnseen,
    NotReady,
    Promoted,
    ReadByAll,
)
from functions.rotate_secrets.rollback import start_rollback
from functions.rotate_secrets.rotation_state import Attempt, RotationState, advanced, promoted, with_version
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.settings import RotationStage
from functions.rotate_secrets.starting import start_rotation
from functions.rotate_secrets.view import SecretView
from shared.decision import Message

READ_WITHIN = timedelta(minutes=2)
"""A receiver that reads the newest version by itself does so at least once a minute: clocks may differ by another."""


def decide_in_progress(view: SecretView, state: RotationState, attempt: Attempt) -> SecretDecision:
    """Go on with a rotation from the stage that it is in."""
    stages = view.value.stages
    if attempt.stage is RotationStage.CREATE:
        added = added_versions(view, attempt)
        if not all(added.values()):
            return start_rotation(view, NOTHING_ADDED, is_resumed=True)
        # Adding it is what the stage was: it goes on with the next.
        attempt = with_version(attempt, added, stages[1])
    state = msgspec.structs.replace(state, attempt=attempt)
    after = advanced(state, attempt, stages)
    match attempt.stage:
        case RotationStage.SET:
            edit = view.edit("value", f"version {attempt.before}", f"version {attempt.version} accepted")
            change = SetValue(
                **edit,
                reason=MUST_BE_ACCEPTED,
                state=after,
                value=view.value,
                versions=new_versions(view, attempt),
                current=versions_before(view, attempt),
            )
            return SecretDecision(change=change)
        case RotationStage.PROMOTE:
            after = advanced(promoted(state, attempt, view.now), attempt, stages)
            edit = view.edit("promoted", f"version {attempt.before}", f"version {attempt.version}")
            return SecretDecision(change=Promote(**edit, reason=ACCEPTED, state=after))
    return _decide_roll_out(view, state, attempt, after)


def _decide_roll_out(view: SecretView, state: RotationState, attempt: Attempt, after: RotationState) -> SecretDecision:
    """Move the dependents, watch them, and go back with all of them if one fails."""
    if view.value.previous_secret and (until := _added_at(view, attempt) + READ_WITHIN) > view.now:
        return SecretDecision(next=ReadByAll(attempt.version, until))
    new = new_versions(view, attempt)
    targets = TargetVersions(target=new, previous=versions_before(view, attempt), reason=Promoted(attempt.version))
    candidates = movable(view)
    to_move = [one for one in candidates if moves(one, view, targets)]
    moved = [one for one in candidates if one not in to_move]
    if failed := next((one for one in moved if one.problem and not one.is_in_flight), None):
        return start_rollback(view, state, attempt, NotReady(failed.name, failed.problem))
    waiting = tuple(view.about(Changing(one.name)) for one in moved if one.is_in_flight)
    if to_move:
        decision = _moving(view, targets, len(to_move), waiting)
    elif waiting:
        decision = SecretDecision(waiting=waiting)
    elif reason := _reason_unfinished(view, new):
        decision = SecretDecision(next=reason, notices=(view.about(reason),))
    else:
        edit = view.edit("dependents", f"version {attempt.before}", f"version {attempt.version} serves")
        decision = SecretDecision(change=Finish(**edit, reason=AllReady(len(moved)), state=after))
    return msgspec.structs.replace(decision, notices=(*decision.notices, *lagging(view)))


def _moving(view: SecretView, targets: TargetVersions, count: int, waiting: tuple[Message, ...]) -> SecretDecision:
    """Move dependents in a maintenance window, to versions that are accepted."""
    if not view.is_open:
        return SecretDecision(next=Follow(count, view.opens))
    if unfit := view.reason_unfit(targets.target):
        why = NoDependentMoved(targets.target[view.name], unfit)
        return SecretDecision(alerts=(view.alert("version_unusable", why),), waiting=waiting)
    return SecretDecision(targets=targets, waiting=waiting)


def _reason_unfinished(view: SecretView, new: Versions) -> Message | None:
    """Why a rotation with nothing left to move is not finished; None if it is."""
    for place in view.unreadable:
        # Of a rotation that an earlier release began, nothing is recorded.
        if view.recorded is None or any(f"{place.resource}/" in name for name in view.recorded.dependents):
            return NotFinishedUnseen(place)
    dependents = view.dependents
    if view.value.previous_secret or not dependents:
        return None
    is_anybody_on_it = any(uses_only(one, view, new) for one in dependents)
    return None if is_anybody_on_it or movable(view) else NOT_FINISHED


def _added_at(view: SecretView, attempt: Attempt) -> datetime:
    """The time the new version was added. Raises ``NotAsked``, or ``NotReadable``."""
    versions = view.versions(view.name)
    return next((one.created for one in versions if one.number == attempt.version), view.now)
