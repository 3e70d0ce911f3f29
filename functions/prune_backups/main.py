"""Prunes backups: keeps those that matter, and deletes the others, only after proof that the newest one is good.

One event's way: a tick or a command wakes it; the run (`shared/run.py`) lists each set of backups, decides which stay
and why, asks what speaks against deleting the others, deletes them in batches, and reports.
"""

import functions_framework
from cloudevents.http import CloudEvent

from functions.prune_backups.cloud import apply, read
from functions.prune_backups.parse import parse
from functions.prune_backups.plan import guards, intend, plan, settle
from functions.prune_backups.records import Records, fold
from functions.prune_backups.settings import Settings
from functions.prune_backups.status import status
from shared.legacy import legacy
from shared.run import entry_point

AUTOMATION = legacy(
    name="prune_backups",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    read=read,
    settle=settle,
    plan=plan,
    guards=guards,
    intend=intend,
    apply=apply,
    status=status,
    looks_once=True,
    goes_on=True,
)

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def prune_backups(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises for whatever is still owed, so that Pub/Sub delivers it again."""
    answer(cloud_event)
