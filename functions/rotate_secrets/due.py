"""When a secret is due, overdue, or has something going on: pure decisions from what is known without asking."""

from datetime import datetime, timedelta

from functions.rotate_secrets.records import Occasion
from functions.rotate_secrets.saga import NEVER, Saga
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.world import ExistingSecret
from shared.clock import format_time

RETRY_AFTER = timedelta(days=1)
"""A rotation that was taken back is not tried again sooner, unless somebody asks."""


def why_due(key: str, secret: Secret, existing: ExistingSecret, saga: Saga, occasion: Occasion) -> str:
    """Why a secret is to be rotated now; "" if it is not."""
    records, now = occasion.records, occasion.now
    if (asked := records.rotate.get(key, NEVER)) > saga.since:
        return f"a person asked for it at {format_time(asked)}"
    if (notified := records.notified.get(existing.numbered_name, NEVER)) > saga.since:
        return f"Secret Manager said at {format_time(notified)} that it is time"
    if saga.failed and now < saga.failed + RETRY_AFTER:
        return ""
    if saga.current == 0:
        return "it has no version"
    if now >= due_at(secret, saga):
        return f"its value is older than {secret.every_days} days"
    return ""


def due_at(secret: Secret, saga: Saga) -> datetime:
    """When its period ends."""
    return (saga.promoted or NEVER) + secret.period


def is_overdue(secret: Secret, saga: Saga, now: datetime) -> bool:
    """Whether it is past its time for so long that a person must see it."""
    return saga.current > 0 and now > due_at(secret, saga) + secret.overdue_after


def may_retire(key: str, secret: Secret, saga: Saga, occasion: Occasion) -> bool:
    """Whether the grace period of the versions before is over; one who asks for a rotation does not wait for it."""
    is_over = occasion.now >= (saga.promoted or NEVER) + secret.grace
    return bool(saga.older) and (is_over or occasion.records.rotate.get(key, NEVER) > saga.since)


def is_asked_back(key: str, saga: Saga, occasion: Occasion) -> bool:
    """Whether a person wants back what was before: the attempt that had begun by then, or what was promoted by then."""
    asked = occasion.records.roll_back.get(key, NEVER)
    if saga.attempt:
        return asked > max(saga.attempt.started, saga.failed or NEVER)
    return bool(saga.older) and asked > saga.since


def is_active(key: str, secret: Secret, existing: ExistingSecret, occasion: Occasion) -> bool:
    """Whether there is anything to decide that takes more than the list of secrets tells."""
    if existing.is_managed or existing.problem:
        return False
    saga = existing.saga
    return saga is None or bool(
        saga.attempt
        or why_due(key, secret, existing, saga, occasion)
        or may_retire(key, secret, saga, occasion)
        or is_asked_back(key, saga, occasion)
    )
