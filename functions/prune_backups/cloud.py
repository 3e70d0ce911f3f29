"""The edge to Google Cloud: answers one need with typed values, and makes one change."""

from collections.abc import Sequence

from functions.prune_backups import cloud_storage
from functions.prune_backups.changes import DeleteBackups, PruneChange
from functions.prune_backups.pace import PACE
from functions.prune_backups.source import BackupSource
from functions.prune_backups.world import Listing, ListingOf, NoBucket
from shared.clients import Clients
from shared.decision import Message

SOURCE: BackupSource = cloud_storage


def look(need: ListingOf, clients: Clients) -> Listing | NoBucket:
    """A set, listed to its end. Raises what a call raises: a list that failed is never a short one."""
    return SOURCE.listed(need, clients)


def apply(change: PruneChange, clients: Clients) -> Sequence[Message]:
    """Make one change, at the pace that the service asks for. Raises what the call raises, and never repeats it."""
    PACE.wait_for(change.count)
    return SOURCE.delete(change, clients) if isinstance(change, DeleteBackups) else SOURCE.restore(change, clients)
