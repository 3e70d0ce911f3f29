"""The decision of `prune_backups`: which backups are kept and why, and what to delete or to restore. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from functions.prune_backups.changes import BATCH, DeleteBackups, PruneChange, RestoreBackups
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Inventory
from functions.prune_backups.messages import DeletesPaused, NoRuleKeeps, NotProved, RestoreRequested
from functions.prune_backups.needs import listing_of
from functions.prune_backups.records import Context, Records
from functions.prune_backups.retention import keep_reasons
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.table import table_of
from functions.prune_backups.world import Listing, NoBucket, listings_in
from shared.decision import Decision, Message, Next, Refusal
from shared.world import World

PruneDecision = Decision[Records, PruneChange]


def decide(context: Context, world: World, applied: tuple[PruneChange, ...]) -> PruneDecision:
    """Delete what no rule keeps, or if a person asks for that, restore what was deleted. An unreadable set waits."""
    del applied
    changes: list[PruneChange] = []
    table: list[Message | str] = []
    following: list[Next] = []
    notices: list[NotProved] = []
    for key, listing in listings_in(world).items():
        settings = context.settings.sets[key]
        inventory = listing.inventory
        reasons = keep_reasons(inventory, settings.retention, settings.zone, settings.proof)
        deleted = reasons.deleted()
        if restoring := context.records.restoring_now(settings, context.now):
            paused = Next(key, DeletesPaused(restoring.until), restoring.until)
            changes += _restores(key, settings, listing)
            following.append(paused)
            table.append(paused)
        else:
            changes += _deletes(key, settings, inventory, deleted)
        unproved = sum(1 for _ in inventory.unproved_times(range(len(inventory)), settings.proof))
        notices += [NotProved(key, unproved, settings.proof)] if unproved else []
        table += table_of(key, settings, listing, reasons, len(deleted))
    return Decision(
        records=context.records,
        changes=tuple(changes),
        refusals=tuple(_without_bucket(context, world)),
        next=tuple(following),
        notices=tuple(notices),
        table=tuple(table),
    )


def _without_bucket(context: Context, world: World) -> Iterable[Refusal]:
    for key, settings in context.settings.sets.items():
        if isinstance(world.get(listing_of(key, context)), NoBucket):
            yield Refusal(key, "no_bucket", f"{settings.full_name}: no such bucket", is_alert=True)


def _deletes(key: str, settings: BackupSet, inventory: Inventory, places: Sequence[int]) -> Iterator[DeleteBackups]:
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        versions = [(backup.name, backup.generation) for backup in (inventory[batch[0]], inventory[batch[-1]])]
        yield DeleteBackups(
            target=settings.full_name,
            field="backups",
            before=_span(len(batch), versions),
            after="deleted",
            reason=NoRuleKeeps(),
            scope=key,
            bucket=settings.bucket,
            inventory=inventory,
            places=batch,
            earlier=start,
            total=len(places),
        )


def _restores(key: str, settings: BackupSet, listing: Listing) -> Iterator[RestoreBackups]:
    for start in range(0, len(listing.restorable), BATCH):
        batch = listing.restorable[start : start + BATCH]
        yield RestoreBackups(
            target=settings.full_name,
            field="backups",
            before="deleted",
            after=_span(len(batch), [(one.name, one.generation) for one in (batch[0], batch[-1])]),
            reason=RestoreRequested(),
            scope=key,
            bucket=settings.bucket,
            objects=batch,
        )


def _span(count: int, versions: Sequence[tuple[str, int]]) -> str:
    """The number of objects, with the first and the last as Google's tools write an object's version."""
    names = [f"{printable(name)}#{generation}" for name, generation in versions]
    return f"{count}: {' to '.join(dict.fromkeys(names))}"
