"""All laws, in order."""

from tests.laws import (
    crash,
    dry_run,
    duplicates,
    errors,
    isolation,
    least_privilege,
    no_secret_leaves,
    order,
    ownership,
    settings,
    settled,
    undo,
    versions,
)
from tests.laws.law import Law, event_by_event, in_one_piece

LAWS = {
    law.name: law
    for law in (
        Law(settled.NAME, settled.check, in_one_piece, on_every_python=False),
        Law(dry_run.NAME, dry_run.check, in_one_piece, on_every_python=False),
        Law(crash.NAME, crash.check, event_by_event, on_every_python=False),
        Law(duplicates.NAME, duplicates.check, event_by_event, on_every_python=False),
        Law(order.NAME, order.check, in_one_piece, on_every_python=False),
        Law(errors.NAME, errors.check, event_by_event, on_every_python=False),
        Law(ownership.NAME, ownership.check, in_one_piece, on_every_python=False),
        Law(least_privilege.NAME, least_privilege.check, in_one_piece, on_every_python=False),
        Law(no_secret_leaves.NAME, no_secret_leaves.check, in_one_piece, on_every_python=True),
        Law(undo.NAME, undo.check, in_one_piece, on_every_python=False),
        Law(settings.NAME, settings.check, in_one_piece, on_every_python=False),
        Law(isolation.NAME, isolation.check, in_one_piece, on_every_python=False),
        Law(versions.NAME, versions.check, in_one_piece, on_every_python=False),
    )
}
