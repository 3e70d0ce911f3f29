"""The decision of `notify_chat`: one message with all pending lines. Pure."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from functions.notify_chat.changes import Post
from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.messages import StateChanged, TooLate
from functions.notify_chat.records import Context, Records, after_posting, changes_of_state, without_old
from shared.decision import Decision
from shared.world import World

LATE = timedelta(days=1)
"""Older lines are dropped: the room has long seen them, or they are over."""
URGENCY = tuple(ItemKind(kind) for kind in ("alert", "failed", "notified", "held", "would", "restored", "alert_over"))
"""The order of the lines of a message."""

PostDecision = Decision[Records, Post]


def decide(context: Context, world: World, applied: tuple[Post, ...]) -> PostDecision:
    """Post what is new, fold it into one message, and be silent about what is a day old."""
    del world
    records = without_old(context.records, context.now)
    for post in applied:
        records = after_posting(records, dict(post.items))
    pending = dict(changes_of_state(records)) | records.events
    late = {key: item for key, item in pending.items() if context.now - item.at > LATE}
    fresh = {key: item for key, item in pending.items() if key not in late}
    return Decision(
        records=after_posting(records, late) if late else records,
        changes=(_post(context, fresh),) if fresh else (),
        notices=(TooLate(len(late)),) if late else (),
    )


def _post(context: Context, items: dict[str, Item]) -> Post:
    ordered = sorted(items.items(), key=lambda one: (URGENCY.index(one[1].kind), one[1].at, one[0]))
    settings = context.settings
    return Post(
        target=settings.webhook_secret,
        field="message",
        before="",
        after=f"{len(ordered)} {'line' if len(ordered) == 1 else 'lines'}",
        reason=StateChanged(len(ordered)),
        scope=settings.webhook_secret,
        product=settings.product,
        webhook_secret=settings.webhook_secret,
        project=context.project,
        request_id=f"caretaker-{_digest(ordered)}",
        items=tuple(ordered),
    )


def _digest(items: Iterable[tuple[str, Item]]) -> str:
    return hashlib.sha256(msgspec.json.encode(list(items))).hexdigest()[:32]
