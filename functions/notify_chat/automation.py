"""Posts changes of state to Slack or Google Chat: alerts, what is held and restored, failures, rungs of budgets."""

from functions.notify_chat.changes import Post
from functions.notify_chat.cloud import apply, look
from functions.notify_chat.commands import Status
from functions.notify_chat.decide import decide
from functions.notify_chat.needs import needs
from functions.notify_chat.parse import Event, parse
from functions.notify_chat.records import Records, fold
from functions.notify_chat.replies import reply
from functions.notify_chat.settings import Settings
from functions.notify_chat.world import Nothing
from shared.automation import Automation

AUTOMATION = Automation[Settings, Event, Records, Nothing, Post](
    name="notify_chat",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    apply=apply,
    reply=reply,
    commands=(Status,),
)
