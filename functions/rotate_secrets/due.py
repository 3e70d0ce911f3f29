"""When a secret is due, overdue, or has something going on: pure decisions from what is known without asking."""

from datetime import datetime, timedelta

from functions.rotate_secrets.records import requested
from functions.rotate_secrets.rotation_state import NEVER, RotationState
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.view import SecretView
from shared.clock import format_time

RETRY_AFTER = timedelta(days=1)
"""A rotation that was rolled back is not tried again sooner, unless someone asks."""


def why_due(view: SecretView) -> str:
    """Why a secret is to be rotated now; "" if it is not."""
    state, records = view.state, view.context.records
    if (asked := requested(records.rotate, view.name, view.key)) > state.since:
        return f"requested at {format_time(asked)}"
    if (notified := records.notified.get(view.existing.numbered_name, NEVER)) > state.since:
        return f"Secret Manager reported at {format_time(notified)} that it is time"
    if state.failed and view.now < state.failed + RETRY_AFTER:
        return ""
    if state.current == 0:
        return "it has no version"
    if view.now >= due_at(view.settings, state):
        return f"its value is older than {view.settings.every_days} days"
    return ""


def due_at(secret: Secret, state: RotationState) -> datetime:
    """When its period ends."""
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
    """Whether a person wants back what was before: the attempt that had begun by then, or what was promoted by then."""
    state = view.state
    asked = requested(view.context.records.roll_back, view.name, view.key)
    if state.attempt:
        return asked > max(state.attempt.started, state.failed or NEVER)
    return bool(state.older) and asked > state.since
