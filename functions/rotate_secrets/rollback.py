"""The way back: of a rotation that fails, or that a person does not want."""

import msgspec

from functions.rotate_secrets.attempts import added_versions, new_versions, versions_before
from functions.rotate_secrets.changes import GiveUp, RestoreValue, TakeBack
from functions.rotate_secrets.dependents import movable, moves
from functions.rotate_secrets.messages import (
    NOT_REFERRED_TO,
    REQUESTED,
    ROLLED_BACK,
    CannotRollBack,
    Changing,
    MayBeUsedBy,
    NoDependentMoved,
    NotEnabled,
    NotReadyEither,
    RolledBackBecause,
)
from functions.rotate_secrets.questions import VersionsOf, ask
from functions.rotate_secrets.rotation_state import (
    Attempt,
    NewVersion,
    RotationState,
    VersionNumbers,
    given_up,
    with_version,
)
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.settings import RotationStage
from functions.rotate_secrets.view import SecretView
from shared.decision import Message


def rollback_after_success(view: SecretView, state: RotationState) -> SecretDecision:
    """Go back to the version before, as if the rotation that has ended were still under way."""
    # One that has joined since has no version from before, and stays where it is.
    before = {name: max(state.of(name).older, default=state.of(name).current) for name in view.current}
    ask(view.world, *(VersionsOf(name) for name in before))
    versions = {name: {one.number: one for one in view.versions(name) if one.is_enabled} for name in before}
    for name, number in before.items():
        if number not in versions[name]:
            return SecretDecision(notices=(view.about(CannotRollBack(NotEnabled(name, number))),))
    new = {name: _going_back(state.of(name), before[name]) for name in before}
    attempt = Attempt(
        epoch=state.epoch,
        started=view.now,
        before=before[view.name],
        promoted_before=versions[view.name][before[view.name]].created,
        highest=state.current,
        stage=view.value.stages[-1],
        version=state.current,
        others={name: one for name, one in new.items() if name != view.name},
    )
    return start_rollback(view, state, attempt, REQUESTED)


def start_rollback(view: SecretView, state: RotationState, attempt: Attempt, why: Message) -> SecretDecision:
    """Record that a rotation is taken back, and why."""
    # What was added and not recognised yet is not waited for: nothing refers to it.
    attempt = msgspec.structs.replace(attempt, back=str(why))
    after = msgspec.structs.replace(state, attempt=attempt)
    edit = view.edit("rotation", f"epoch {attempt.epoch}", "rolled back")
    return SecretDecision(change=TakeBack(**edit, reason=why, state=after))


def decide_rollback(view: SecretView, state: RotationState, attempt: Attempt) -> SecretDecision:
    """The system behind it first, so that what goes back is accepted; then the dependents, at any hour."""
    value, stages = view.value, view.value.stages
    added = added_versions(view, attempt)
    attempt = with_version(attempt, added, attempt.stage)
    new, before = new_versions(view, attempt), versions_before(view, attempt)
    was_set = RotationStage.SET in stages and stages.index(attempt.stage) >= stages.index(RotationStage.SET)
    if value.replaces and was_set and attempt.version and attempt.before and not attempt.is_restored:
        restored = msgspec.structs.replace(attempt, is_restored=True)
        edit = view.edit("value", f"version {attempt.version}", f"version {attempt.before} accepted again")
        change = RestoreValue(
            **edit,
            reason=RolledBackBecause(attempt.back),
            state=msgspec.structs.replace(state, attempt=restored),
            value=value,
            versions=before,
            current=new,
        )
        return SecretDecision(change=change)
    targets = TargetVersions(
        target=before,
        previous=before,
        only={name: (number,) for name, number in new.items() if number},
        reason=ROLLED_BACK,
        is_way_back=True,
    )
    candidates = movable(view)
    to_move = [one for one in candidates if moves(one, view, targets)]
    if to_move and (unfit := view.reason_unfit(before)):
        why: Message = NoDependentMoved(attempt.before, unfit, is_way_back=True)
        return SecretDecision(alerts=(view.alert("not_taken_back", why),))
    waiting = tuple(view.about(Changing(one.name, is_way_back=True)) for one in candidates if one.is_in_flight)
    if to_move or waiting:
        return SecretDecision(targets=targets, waiting=waiting)
    if stuck := [one for one in candidates if one.problem and attempt.before]:
        why = NotReadyEither(stuck[0].name, attempt.before, stuck[0].problem)
        return SecretDecision(alerts=(view.alert("not_taken_back", why),))
    if view.unreadable and attempt.version:
        why = MayBeUsedBy(f"version {attempt.version}", view.unreadable[0])
        return SecretDecision(alerts=(view.alert("not_taken_back", why),))
    edit = view.edit("rotation", "rolled back", f"version {attempt.before} counts")
    return SecretDecision(change=GiveUp(**edit, reason=NOT_REFERRED_TO, state=given_up(state, attempt, view.now)))


def _going_back(numbers: VersionNumbers, before: int) -> NewVersion:
    return NewVersion(before=before, highest=numbers.current, version=numbers.current)
