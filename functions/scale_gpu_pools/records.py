"""The records of `scale_gpu_pools`: people's commands, and for each pool its last state, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from functions.scale_gpu_pools.commands import Awake, Off, pools_of
from functions.scale_gpu_pools.parse import Event
from functions.scale_gpu_pools.settings import Settings
from shared import automation
from shared.debts import Debt, debts_of
from shared.decision import Change
from shared.events import Dated
from shared.holds import HeldChange, Hold, with_intended
from shared.restrictions import undo_of

UNDO = "./deploy.sh send scale_gpu_pools awake --until TIME"


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """Until when a pool is kept on, or at zero, and when that was said."""

    until: datetime
    said: datetime
    is_off: bool = False


class Drift(msgspec.Struct, frozen=True):
    """A person has resized the pool: when that was seen, and when it is ours again."""

    seen: datetime
    ends: datetime


class Interval(msgspec.Struct, frozen=True):
    """A time that a pool was at zero: how many nodes did not run, and the hourly price of one then."""

    began: datetime
    nodes: int
    hourly_price: float
    currency: str
    stopped: datetime | None = None


class Shadow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pool as acting would have it, while it is only observed."""

    watched: datetime
    """Since when."""
    node_hours: float = 0.0
    """That would not have run, up to the last time at zero that has ended."""
    at_zero: datetime | None = None
    """From when on it would be at zero: that may be a little later than it is wanted."""
    nodes: int = 0
    """The number of nodes that would not run."""
    back: datetime | None = None
    """The time it would have been turned on again."""


class PoolRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last state of one pool."""

    is_on: bool | None = None
    """Whether it was on when all was as desired; None before that was ever so."""
    idle_in: datetime | None = None
    """The start of the window in which it was found idle, and stays at zero until something wakes it."""
    nodes: int = 0
    """The nodes requested, in all, when it went to zero."""
    on_since: datetime | None = None
    """The time nodes were last requested; None at zero."""
    asked: datetime | None = None
    """The time nodes were requested, if none has been seen since."""
    silent: datetime | None = None
    """Since when nothing but a signal without data keeps it up."""
    drift: Drift | None = None
    restricted_by: tuple[str, ...] = ()
    """The rungs whose restriction it was last turned off by; none if hours, signals or a person did."""
    word: datetime | None = None
    """Since when the restriction or command was in force under which it was last as it should be."""
    zero: Interval | None = None
    """The time at zero that has not ended."""
    ended: tuple[Interval, ...] = ()
    """Times at zero that have ended, and are not with the savings yet."""
    shadow: Shadow | None = None
    """The changes that acting would have made, in mode `observe`."""


NOTHING = PoolRecord()


class PoolChange(HeldChange, frozen=True, kw_only=True):
    """A change of a pool: towards zero it saves money, and back it is needed."""

    is_money: ClassVar[bool] = True
    record: PoolRecord
    """The record of the pool, besides its hold, that must be durable before the change is made."""


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/scale_gpu_pools`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset(
        ("since", "on_since", "asked", "silent", "seen", "ends", "began", "stopped", "shadow")
    )

    overrides: dict[str, Override] = {}
    """By full resource name: the owner may rename the key of a pool."""
    pools: dict[str, PoolRecord] = {}
    """By full resource name."""
    holds: dict[str, Hold] = {}
    """By full resource name: what a pool was before it went to zero."""

    def before(self, changes: Sequence[Change]) -> "Records":
        """With every original that the changes are about to overwrite, and when nodes were asked for."""
        pools = {change.target: change.record for change in changes if isinstance(change, PoolChange)}
        return msgspec.structs.replace(
            self, pools=dict(sorted((self.pools | pools).items())), holds=with_intended(self.holds, changes)
        )

    def debts(self) -> tuple[Debt, ...]:
        """Every field of a pool that is held; where a budget turns it off, only undoing that gives it back."""
        return tuple(
            msgspec.structs.replace(debt, held_by=rungs, undo=undo_of(rungs))
            if (rungs := self.of(debt.resource).restricted_by)
            else debt
            for debt in debts_of(self.holds, lambda *_: UNDO, _asks_for)
        )

    def of(self, name: str) -> PoolRecord:
        """The record of a pool, by its full name: it may be empty."""
        return self.pools.get(name, NOTHING)


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: of two overrides, the one that was said last counts."""
    records = _with_full_names(records, settings)
    if not isinstance(event.event, Awake | Off):
        return records
    said = Override(event.event.until, event.published, isinstance(event.event, Off))
    names = [settings.pools[key].full_name for key in pools_of(event.event, settings)]
    newer = {name: said for name in names if _is_newer(said, records.overrides.get(name))}
    return msgspec.structs.replace(records, overrides=dict(sorted((records.overrides | newer).items())))


def _with_full_names(records: Records, settings: Settings) -> Records:
    """The records without the keys of owners, by which version 0.1 stored its overrides."""
    found = {key: settings.pools[key].full_name for key in records.overrides if key in settings.pools}
    if not found:
        return records
    overrides = {key: said for key, said in records.overrides.items() if key not in found}
    for key, name in found.items():
        said = records.overrides[key]
        overrides[name] = said if _is_newer(said, overrides.get(name)) else overrides[name]
    return msgspec.structs.replace(records, overrides=dict(sorted(overrides.items())))


def _is_newer(said: Override, known: Override | None) -> bool:
    return known is None or (said.said, said.until, said.is_off) > (known.said, known.until, known.is_off)


def _asks_for(name: str, hold: Hold) -> dict[str, object]:
    """A pool that would ask for what restoring one needs."""
    del hold
    kinds = {"nodePools": "node_pool", "workerPools": "worker_pool", "services": "service"}
    return {"pools": {"held": {kinds[name.split("/")[-2]]: {"project": name.split("/")[1]}}}}
