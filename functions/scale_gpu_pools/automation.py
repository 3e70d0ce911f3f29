"""Scales GPU pools: to zero when they are idle or out of hours, and back when they are needed."""

from functions.scale_gpu_pools.changes import ScaleChange
from functions.scale_gpu_pools.cloud import apply, look
from functions.scale_gpu_pools.commands import Awake, Off, Status
from functions.scale_gpu_pools.decide import decide
from functions.scale_gpu_pools.messages import ALERT_TITLES
from functions.scale_gpu_pools.needs import needs
from functions.scale_gpu_pools.parse import Event, parse
from functions.scale_gpu_pools.records import Records, fold
from functions.scale_gpu_pools.replies import reply
from functions.scale_gpu_pools.settings import Settings
from functions.scale_gpu_pools.world import PoolNeed
from shared.automation import Automation

AUTOMATION = Automation[Settings, Event, Records, PoolNeed, ScaleChange](
    name="scale_gpu_pools",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    needs=needs,
    look=look,
    decide=decide,
    apply=apply,
    reply=reply,
    alert_titles=ALERT_TITLES,
    commands=(Awake, Off, Status),
)
