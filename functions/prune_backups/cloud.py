"""The edge to Google Cloud: reads what the plan needs into typed values, and makes one change."""

from collections.abc import Sequence

from functions.prune_backups import cloud_storage
from functions.prune_backups.changes import DeleteBackups, PruneChange
from functions.prune_backups.pace import PACE
from functions.prune_backups.records import Occasion
from functions.prune_backups.source import BackupSource, Query
from functions.prune_backups.world import World
from shared.clients import Clients

SOURCE: BackupSource = cloud_storage


def read(occasion: Occasion, clients: Clients) -> World:
    """Every set. Raises what a call raises: nothing is deleted of any set if one cannot be listed."""
    records, now = occasion.records, occasion.now
    return World(
        {
            key: SOURCE.listed(
                Query(
                    key,
                    settings,
                    now,
                    deleted_since=records.restoring[key].deleted_since if records.is_restoring(key, now) else None,
                ),
                clients,
            )
            for key, settings in occasion.settings.sets.items()
        }
    )


def apply(change: PruneChange, clients: Clients) -> Sequence[str]:
    """Make one change, at the pace that the service asks for. Raises what the call raises, and never repeats it."""
    PACE.wait_for(change.count)
    return SOURCE.delete(change, clients) if isinstance(change, DeleteBackups) else SOURCE.restore(change, clients)
