"""Caps spending: budget notifications climb the ladder of their budget; a new period, a raise or a command lets go."""

from functions.cap_spending.cap_changes import MAY_BE_CAPPED
from functions.cap_spending.changes import CapSpendingChange
from functions.cap_spending.cloud import apply, look
from functions.cap_spending.commands import Accept, Arm, Lift, LinkBilling, RemoveSpendCaps, Snooze, Status, Undo
from functions.cap_spending.decide import decide
from functions.cap_spending.folding import fold
from functions.cap_spending.guards import MAY_BE_DETACHED, may_be_capped, may_be_detached
from functions.cap_spending.messages import ALERT_TITLES
from functions.cap_spending.needs import needs
from functions.cap_spending.parse import Event, parse
from functions.cap_spending.records import Records
from functions.cap_spending.replies import reply
from functions.cap_spending.settings import Settings
from functions.cap_spending.world import CapSpendingNeed
from shared.automation import Automation

AUTOMATION = Automation[Settings, Event, Records, CapSpendingNeed, CapSpendingChange](
    name="cap_spending",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    guards={MAY_BE_DETACHED: may_be_detached, MAY_BE_CAPPED: may_be_capped},
    apply=apply,
    reply=reply,
    alert_titles=ALERT_TITLES,
    commands=(Undo, Accept, Snooze, LinkBilling, Lift, Arm, RemoveSpendCaps, Status),
)
