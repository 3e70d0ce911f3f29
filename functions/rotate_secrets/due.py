"""Whether a secret is due, overdue or being rotated: pure decisions that need no read."""

from datetime import datetime, timedelta

from functions.rotate_secrets.messages import NO_VERSION, ReportedDue, RotationRequested, TooOld
from functions.rotate_secrets.records import requested
from functions.rotate_secrets.rotation_state import NEVER, RotationState
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.view import SecretView
from shared.decision import Message

RETRY_AFTER = timedelta(days=1)
"""A rotation that was rolled back is not tried again sooner, unless someone asks."""


def why_due(view: SecretView) -> Message | None:
    """Why a secret is due for rotation now; None if it is not."""
    state, records = view.state, view.context.records
    if (asked := requested(records.rotate, view.name, view.key)) > state.since:
        return RotationRequested(asked)
    if (notified := records.notified.get(view.existing.numbered_name, NEVER)) > state.since:
        return ReportedDue(notified)
    if state.failed and view.now < state.failed + RETRY_AFTER:
        return None
    if state.current == 0:
        return NO_VERSION
    if view.now >= due_at(view.settings, state):
        return TooOld(view.settings.every_days)
    return None


def due_at(secret: Secret, state: RotationState) -> datetime:
    """The end of its period."""
    return (state.promoted or NEVER) + secret.period


def is_overdue(view: SecretView) -> bool:
    """Whether it is past its time for so long that a person must see it."""
    state, secret = view.state, view.settings
    return state.current > 0 and view.now > due_at(secret, state) + secret.overdue_after


def may_retire(view: SecretView) -> bool:
    """Whether the grace period of the versions before is over; a request for a rotation ends it."""
    state = view.state
    is_over = view.now >= (state.promoted or NEVER) + view.settings.grace
    return bool(state.older) and (is_over or requested(view.context.records.rotate, view.name, view.key) > state.since)


def is_rollback_requested(view: SecretView) -> bool:
    """Whether a person asked to roll back: the attempt that was running at that time, or the promotion before it."""
    state = view.state
    asked = requested(view.context.records.roll_back, view.name, view.key)
    if state.attempt:
        return asked > max(state.attempt.started, state.failed or NEVER)
    return bool(state.older) and asked > state.since
