"""The reply to a command: what becomes of it, or with `status` the whole decision on each set. Pure."""

from functions.prune_backups.commands import Prune, Restore, Status, sets_of
from functions.prune_backups.decide import PruneDecision
from functions.prune_backups.records import Context
from shared.clock import format_time
from shared.world import World


def reply(context: Context, world: World, decision: PruneDecision) -> tuple[str, ...]:
    """For `status` the table of each set; nothing for an event that is no command."""
    del world
    match context.event.event:
        case Status():
            return (*decision.table, *(one.reason for one in decision.refusals))
        case Prune():
            return (f"checked now: {', '.join(context.settings.sets)}",)
        case Restore() as restore:
            named = [restore.set] if restore.set else context.settings.sets
            return tuple(_restoring(key, restore, context) for key in named)
    return ()


def _restoring(key: str, restore: Restore, context: Context) -> str:
    """What becomes of the newest command on a set."""
    if key not in sets_of(restore, context.settings):
        return f"{key}: cannot be restored, because its names have no time"
    newest = context.records.restoring[key]
    until = format_time(newest.until)
    if not context.records.restoring_now(key, context.now):
        return f"{key}: {until} is over, so backups that no rule keeps are deleted again"
    since = format_time(newest.deleted_since)
    return f"{key}: restoring what was deleted since {since}; nothing is deleted until {until}"
