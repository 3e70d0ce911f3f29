"""Decide on one secret: at most one change, and the versions to move its dependents to. Pure."""

from collections.abc import Iterable

import msgspec

from functions.rotate_secrets.adopting import decide_adopt, foreign_versions
from functions.rotate_secrets.due import due_at, is_overdue, is_rollback_requested, may_retire, why_due
from functions.rotate_secrets.messages import (
    REMOVED,
    REQUESTED,
    REQUESTED_BY,
    ROTATED_BY_GOOGLE,
    DueAt,
    KeptUntil,
    Overdue,
    RetirementOverdue,
    RotationFailed,
    SecretMissing,
)
from functions.rotate_secrets.progress import decide_in_progress
from functions.rotate_secrets.questions import NotAsked, NotReadable
from functions.rotate_secrets.retiring import decide_retire
from functions.rotate_secrets.rollback import decide_rollback, rollback_after_success, start_rollback
from functions.rotate_secrets.rotation_state import RotationState
from functions.rotate_secrets.secret_decision import SecretDecision
from functions.rotate_secrets.starting import start_rotation
from functions.rotate_secrets.view import SecretView
from shared.decision import Alert, Text
from shared.looking import UNREADABLE_RECORD
from shared.paused_cloud_run import paused_at

OVERDUE_AFTER = 24
"""Hours after the grace period at which a version that could not be retired is an alert."""


def decide_secret(view: SecretView) -> SecretDecision:
    """The decision on a secret, with its notices; or the needs that the decision lacks.

    An answer that could not be read blocks this secret, and is an alert.
    """
    try:
        decision = _unless_paused(view, _decide(view))
    except NotAsked as lack:
        return SecretDecision(needs=lack.needs)
    except NotReadable as blocked:
        return SecretDecision(alerts=(view.alert("unreadable", Text(str(blocked))), *_alerts(view)))
    notices = dict.fromkeys((*decision.notices, *(foreign_versions(view) if view.found else ())))
    return msgspec.structs.replace(decision, alerts=(*decision.alerts, *_alerts(view)), notices=tuple(notices))


def _unless_paused(view: SecretView, decision: SecretDecision) -> SecretDecision:
    """The decision, or to wait while Cloud Run is paused for anything that uses the secret. Raises ``NotAsked``.

    Nothing would become ready there: a rotation would be taken for one that has failed, and so would its way back.
    """
    restrictions = view.context.restrictions
    if not (restrictions.cloud_run_paused and (decision.change or decision.targets)):
        return decision
    paused = [why for one in view.dependents if (why := paused_at(one.name, restrictions))]
    if not paused:
        return decision
    waiting = (*decision.waiting, *map(view.about, paused))
    return msgspec.structs.replace(decision, change=None, targets=None, waiting=waiting)


def _decide(view: SecretView) -> SecretDecision:
    if left_alone := _decide_left_alone(view):
        return left_alone
    state = view.existing.state
    if state is None:
        return SecretDecision() if view.is_removed else decide_adopt(view)
    if state.attempt is None:
        return _decide_idle(view, state)
    if state.attempt.back:
        return decide_rollback(view, state, state.attempt)
    if view.is_removed or is_rollback_requested(view):
        return start_rollback(view, state, state.attempt, REMOVED if view.is_removed else REQUESTED)
    return decide_in_progress(view, state, state.attempt)


def _decide_left_alone(view: SecretView) -> SecretDecision | None:
    """Why a secret cannot be rotated here; None if it can. Raises ``NotAsked``, or ``NotReadable``."""
    if view.problem:
        return view.refused(UNREADABLE_RECORD, Text(view.problem))  # the engine adds the alert
    if missing := view.missing:
        alert = view.alert("secret_missing", SecretMissing(missing))
        return SecretDecision(alerts=() if view.is_removed else (alert,))
    if any(one.is_managed for one in view.found):
        return SecretDecision(notices=(view.about(ROTATED_BY_GOOGLE),))
    if view.existing.problem:
        return view.refused(UNREADABLE_RECORD, Text(view.existing.problem), is_alert=True)
    return None


def _decide_idle(view: SecretView, state: RotationState) -> SecretDecision:
    """No rotation is under way: perhaps one should be."""
    if is_rollback_requested(view) and not view.is_removed:
        return rollback_after_success(view, state)
    if may_retire(view):
        return decide_retire(view, state)
    if view.is_removed:
        return SecretDecision()
    why = why_due(view)
    if why is None:
        return SecretDecision(next=DueAt(due_at(view.settings, state)))
    if state.older:
        return SecretDecision(next=KeptUntil(why, state.older, state.since + view.settings.grace))
    return start_rotation(view, why)


def _alerts(view: SecretView) -> Iterable[Alert]:
    """The states that last, for as long as they do."""
    state = view.state
    if is_overdue(view) and not view.is_removed:
        yield view.alert("overdue", Overdue(due_at(view.settings, state)))
    if state.failed and state.why not in REQUESTED_BY:
        yield view.alert("rotation_failed", RotationFailed(state.failed, state.why))
    hours = (view.now - state.since - view.settings.grace).total_seconds() / 3600
    if state.older and hours > OVERDUE_AFTER:
        yield view.alert("retirement_owed", RetirementOverdue(state.older))
