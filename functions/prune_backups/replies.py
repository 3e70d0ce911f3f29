"""The reply to a command: what becomes of it, or with `status` the whole decision on each set. Pure."""

from functions.prune_backups.commands import Prune, Restore, Retire, Status, sets_of
from functions.prune_backups.decide import PruneDecision
from functions.prune_backups.formatting import printable
from functions.prune_backups.records import Context
from functions.prune_backups.world import listings_in
from shared.clock import format_time
from shared.decision import Message
from shared.world import World


def reply(context: Context, world: World, decision: PruneDecision) -> tuple[Message | str, ...]:
    """A line for each set, for `status` its table; nothing for an event that is no command."""
    match context.event.event:
        case Status():
            return (*decision.table, *(one.reason for one in decision.refusals))
        case Prune():
            return (f"checked now: {', '.join(context.settings.sets)}",)
        case Restore() as restore:
            named = [restore.set] if restore.set else context.settings.sets
            return tuple(_restoring(key, restore, context) for key in named)
        case Retire() as retire:
            return (_retired(retire, context, world),)
    return ()


def _restoring(key: str, restore: Restore, context: Context) -> str:
    """The effect of the newest command on a set."""
    if key not in sets_of(restore, context.settings):
        return f"{key}: cannot be restored, because its names have no time"
    settings = context.settings.sets[key]
    newest = context.records.restoring[settings.full_name]
    until = format_time(newest.until)
    if not context.records.restoring_now(settings, context.now):
        return f"{key}: {until} is over, so backups that no rule keeps are deleted again"
    since = format_time(newest.deleted_since)
    return f"{key}: restoring what was deleted since {since}; nothing is deleted until {until}"


def _retired(retire: Retire, context: Context, world: World) -> str:
    settings = context.settings.sets[retire.set]
    name = f"group {printable(retire.group)} of {retire.set}" if retire.group else retire.set
    if retire.group not in context.records.retired_since(settings):
        return f"{name}: its newest backup is checked"
    listing = listings_in(world).get(retire.set)
    if listing and retire.group not in listing.inventory.groups:
        return f"{name}: no backup is there"
    return f"{name}: its newest backup is not checked until another one comes; what the rules keep stays"
