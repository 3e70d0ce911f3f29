"""Rotates secrets: every one changes on time, and nothing that uses it breaks.

One event's way: a tick, a command or Secret Manager's notification wakes it; the run (`shared/run.py`) reads where each
secret stands from the secret itself, finds the next step, takes it, and goes on until something has to be waited for.
"""

import functions_framework
from cloudevents.http import CloudEvent

from functions.rotate_secrets.cloud import apply, read
from functions.rotate_secrets.parse import parse
from functions.rotate_secrets.plan import guards, intend, plan, settle
from functions.rotate_secrets.records import Records, fold
from functions.rotate_secrets.settings import Settings
from functions.rotate_secrets.status import status
from shared.legacy import legacy
from shared.run import entry_point

PATIENCE_SECONDS = 60.0
"""A revision is ready within this time, mostly: so a rotation goes on at once, and not with the next tick."""

AUTOMATION = legacy(
    name="rotate_secrets",
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
    patience=PATIENCE_SECONDS,
)

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def rotate_secrets(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises for whatever is still owed, so that Pub/Sub delivers it again."""
    answer(cloud_event)
