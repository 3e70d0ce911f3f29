"""Prunes backups: keeps those that matter, and deletes the others, only after proof that the newest one is good."""

from functions.prune_backups.changes import PruneChange
from functions.prune_backups.cloud import apply, look
from functions.prune_backups.commands import Prune, Restore, Retire, Status
from functions.prune_backups.decide import decide
from functions.prune_backups.guards import GUARDS
from functions.prune_backups.messages import ALERT_TITLES
from functions.prune_backups.needs import needs
from functions.prune_backups.parse import Event, parse
from functions.prune_backups.records import Records, fold
from functions.prune_backups.replies import reply
from functions.prune_backups.settings import Settings
from functions.prune_backups.world import ListingOf
from shared.automation import Automation

AUTOMATION = Automation[Settings, Event, Records, ListingOf, PruneChange](
    name="prune_backups",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    guards=GUARDS,
    apply=apply,
    reply=reply,
    alert_titles=ALERT_TITLES,
    commands=(Prune, Restore, Retire, Status),
    single_pass=True,
    continues=True,
)
