"""The reads that `prune_backups` needs: every set. Pure."""

from collections.abc import Iterator

from functions.prune_backups.records import Context
from functions.prune_backups.world import ListingOf
from shared.world import World


def needs(context: Context, world: World) -> Iterator[ListingOf]:
    """The listing of each set."""
    del world
    return (listing_of(key, context) for key in context.settings.sets)


def listing_of(key: str, context: Context) -> ListingOf:
    """The question after a set; while it is being restored also after what was deleted of it."""
    settings = context.settings.sets[key]
    restoring = context.records.restoring_now(settings, context.now)
    known = context.records.restoring.get(settings.full_name)
    return ListingOf(
        key=key,
        settings=settings,
        now=context.now,
        deleted_since=restoring.deleted_since if restoring else None,
        restored=known.restored if known else (),
    )
