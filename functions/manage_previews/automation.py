"""Manages pull-request previews: one Cloud Run service for each open pull request, and gone when it closes.

One event's way: a webhook's message, a pushed image, a tick or a command wakes it; the run (`shared/run.py`) folds what
somebody has asked for, looks at GitHub, Cloud Run and the registry, decides what each preview should be, applies the
difference, looks again, and tells the pull request where it stands.
"""

from functions.manage_previews.cloud import apply, read
from functions.manage_previews.events import Pause, Resume, Status
from functions.manage_previews.parse import parse
from functions.manage_previews.plan import guards, intend, plan
from functions.manage_previews.records import Records, fold
from functions.manage_previews.settings import Settings
from functions.manage_previews.settling import settle
from functions.manage_previews.status import status
from shared.legacy import legacy

PATIENCE_SECONDS = 60.0
"""A preview is up within this time, mostly; the pull request is told of that by the run that made it."""

AUTOMATION = legacy(
    name="manage_previews",
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
    commands=(Pause, Resume, Status),
    patience=PATIENCE_SECONDS,
)
