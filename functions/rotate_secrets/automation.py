"""Rotates secrets: every one changes on time, and nothing that uses it breaks."""

from functions.rotate_secrets.changes import RotationChange
from functions.rotate_secrets.cloud import apply, look
from functions.rotate_secrets.commands import RollBack, Rotate, Status
from functions.rotate_secrets.decide import decide
from functions.rotate_secrets.guards import STILL_IN_USE, still_in_use
from functions.rotate_secrets.messages import ALERT_TITLES
from functions.rotate_secrets.needs import needs
from functions.rotate_secrets.parse import Event, parse
from functions.rotate_secrets.questions import RotationNeed
from functions.rotate_secrets.records import Records, fold
from functions.rotate_secrets.replies import reply
from functions.rotate_secrets.settings import Settings
from shared.automation import Automation

PATIENCE_SECONDS = 60.0
"""A revision is mostly ready within this time: so a rotation goes on at once, and not with the next tick."""

AUTOMATION = Automation[Settings, Event, Records, RotationNeed, RotationChange](
    name="rotate_secrets",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    guards={STILL_IN_USE: still_in_use},
    apply=apply,
    reply=reply,
    alert_titles=ALERT_TITLES,
    commands=(Rotate, RollBack, Status),
    patience=PATIENCE_SECONDS,
)
