"""The reply to `status`. Pure."""

from functions.notify_chat.commands import Status
from functions.notify_chat.messages import StatusLine
from functions.notify_chat.records import Context, changes_of_state
from shared.world import World


def reply(context: Context, world: World, decision: object) -> tuple[StatusLine, ...]:
    """A line for `status`; nothing for an event that is no command."""
    del world, decision
    if not isinstance(context.event.event, Status):
        return ()
    records = context.records
    pending = len(dict(changes_of_state(records))) + len(records.events)
    return (StatusLine(len(records.posted), pending),)
