"""Manages pull-request previews: one Cloud Run service for each open pull request, deleted when it closes."""

from functions.manage_previews.changes import PreviewChange
from functions.manage_previews.cloud import apply, look
from functions.manage_previews.decide import decide
from functions.manage_previews.events import Event, Pause, Resume, Status
from functions.manage_previews.guards import CERTAIN_END, certain_end
from functions.manage_previews.learning import learn, still_holds
from functions.manage_previews.messages import ALERT_TITLES
from functions.manage_previews.needs import needs
from functions.manage_previews.parse import parse
from functions.manage_previews.records import Records, fold
from functions.manage_previews.replies import reply
from functions.manage_previews.settings import Settings
from functions.manage_previews.world import PreviewNeed
from shared.automation import Automation

PATIENCE_SECONDS = 60.0
"""Most previews are up within this time, so that the run that deployed one reports it on the pull request."""

AUTOMATION = Automation[Settings, Event, Records, PreviewNeed, PreviewChange](
    name="manage_previews",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    guards={CERTAIN_END: certain_end},
    apply=apply,
    learn=learn,
    still_holds=still_holds,
    keeps_first_look=True,
    reply=reply,
    alert_titles=ALERT_TITLES,
    commands=(Pause, Resume, Status),
    patience=PATIENCE_SECONDS,
)
