"""Caps spending: budget notifications climb the ladder of their budget; a new period, a raise or a command lets go.

One event's way: it is parsed, folded into the records, and the run (`shared/run.py`) reads, plans, guards and applies
until there is nothing left to do, and reports.
"""

import functions_framework
from cloudevents.http import CloudEvent

from functions.cap_spending.cloud import apply, read
from functions.cap_spending.parse import parse
from functions.cap_spending.plan import guards, intend, plan, settle
from functions.cap_spending.records import Records, fold
from functions.cap_spending.settings import Settings
from functions.cap_spending.status import status
from shared.legacy import legacy
from shared.run import entry_point

AUTOMATION = legacy(
    name="cap_spending",
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
)

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def cap_spending(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises for whatever is still owed, so that Pub/Sub delivers it again."""
    answer(cloud_event)
