"""Plays one pool through its recorded time, tick by tick, with the automation's own pure decision."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from functions.scale_gpu_pools.automation import AUTOMATION
from functions.scale_gpu_pools.changes import Resize, ScaleChange
from functions.scale_gpu_pools.cloud_run import MANUAL, MINIMUM
from functions.scale_gpu_pools.records import Records
from functions.scale_gpu_pools.settings import Pool, Settings
from functions.scale_gpu_pools.signals import BUCKET, Answer, Point, Reading, buckets_asked, reading_of
from functions.scale_gpu_pools.world import (
    CloudRunPoolsIn,
    GpuPool,
    GroupsOf,
    InstanceGroup,
    ListedNodePool,
    NodePoolsOf,
    Operations,
    OperationsIn,
    PoolNeed,
    ReadingOf,
    cluster_of,
    is_node_pool,
)
from infra.suite.automations import Entry, load_functions
from shared.automation import RunContext
from shared.clock import format_time
from shared.decision import Decision
from shared.events import Dated, Tick
from shared.looking import MOST_ROUNDS, guarded
from shared.restrictions import SpendingRestrictions
from shared.world import World
from simulate.exports import Query
from simulate.model import PoolModel, Values
from simulate.recording import MINUTE, Period

GROUP = "group"
MOST_LOOKS = 10
"""More looks than any tick can need, as a pool has two fields."""


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions where the record says nothing."""

    start_minutes: tuple[int, int] = (3, 10)
    """Minutes until nodes come: drawn between these."""
    seen_after: int = 3
    """Minutes until Monitoring shows a value."""
    outage: range = range(0)
    """Minutes of the simulation in which no signal has data."""
    seed: int = 1


class Step(msgspec.Struct, frozen=True):
    """The effect of one tick; ticks that did nothing have none."""

    at: datetime
    changes: tuple[str, ...] = ()
    """Each with its reason."""
    alerts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def is_worth_a_line(self) -> bool:
        """Whether something happened."""
        return bool(self.changes or self.alerts or self.notices)


class Start(msgspec.Struct, frozen=True):
    """The state at the beginning of a day, from which it can be played again."""

    size: int
    records: Records


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A pool's recorded time as it would have been."""

    key: str
    settings: Settings
    model: PoolModel
    steps: tuple[Step, ...]
    starts: int
    """The number of requests for nodes."""
    minutes_on_without_data: int
    days: Mapping[datetime, Start]
    """By its first moment."""
    restricted: tuple[tuple[datetime, SpendingRestrictions], ...]
    """From when on which spending restrictions were in force."""


def tick_minutes() -> int:
    """The period of the automation's schedule."""
    entry = load_functions()[AUTOMATION.name]
    if not isinstance(entry, Entry) or entry.tick is None:
        raise AssertionError(f"{AUTOMATION.name} has no schedule")
    return entry.tick.every_seconds // 60


def alone(settings: Settings, key: str) -> Settings:
    """Settings with this pool only. Savings are calculated from the simulation, and not recorded."""
    return msgspec.structs.replace(settings, pools={key: settings.pools[key]}, savings=None)


def play(
    settings: Settings, key: str, recorded: Mapping[Query, Values], period: Period, assumptions: Assumptions
) -> Played:
    """Play one pool. It is on at first."""
    player = PoolPlayer(settings, key, recorded, period, assumptions)
    for at in range(period.minutes):
        player.pass_minute(at)
    return player.played()


class PoolPlayer:
    """One pool, minute by minute: the caller may change the spending restrictions in between."""

    def __init__(
        self,
        settings: Settings,
        key: str,
        recorded: Mapping[Query, Values],
        period: Period,
        assumptions: Assumptions,
    ) -> None:
        self.restrictions = SpendingRestrictions()
        self.model = PoolModel(settings.pools[key], recorded, period.minutes)
        self._settings, self._key, self._period, self._assumptions = alone(settings, key), key, period, assumptions
        self._pool: Pool = settings.pools[key]
        self._records = Records()
        self._draw = random.Random(assumptions.seed)  # noqa: S311 - the same for each run, and no secret
        self._starts = 0
        self._minutes_without_data = 0
        self._every = tick_minutes()
        self._places = _places(self._pool.full_name)
        self._steps: list[Step] = []
        self._days: dict[datetime, Start] = {}
        self._restricted: list[tuple[datetime, SpendingRestrictions]] = []

    def pass_minute(self, at: int) -> None:
        """Let one minute pass, with a tick if it is time for one."""
        self.model.pass_minute(at, is_outage=at in self._assumptions.outage)
        minute = at + self._period.start.minute + 60 * self._period.start.hour
        if minute % self._every:
            return
        now = self._period.start + at * MINUTE
        if not self._restricted or self._restricted[-1][1] != self.restrictions:
            self._restricted.append((now, self.restrictions))
        if minute % (24 * 60) == 0:
            self._days[now] = Start(self.model.size, self._records)
        step = self._tick(at, now)
        if step.is_worth_a_line:
            self._steps.append(step)
        record = self._records.of(self._pool.full_name)
        self._minutes_without_data += self._every if record.silent else 0

    def played(self) -> Played:
        """The result."""
        return Played(
            key=self._key,
            settings=self._settings,
            model=self.model,
            steps=tuple(self._steps),
            starts=self._starts,
            minutes_on_without_data=self._minutes_without_data,
            days=self._days,
            restricted=tuple(self._restricted),
        )

    def _tick(self, at: int, now: datetime) -> Step:
        """One run as the engine makes it: look, decide, record, apply, until nothing is left to do."""
        event = Dated(Tick(every_seconds=300), "", now)
        applied: tuple[ScaleChange, ...] = ()
        changes: list[str] = []
        notices: dict[str, None] = {}
        for _ in range(MOST_LOOKS):
            context = RunContext[Settings, Any, Records](
                event=event,
                records=self._records,
                restrictions=self.restrictions,
                settings=self._settings,
                now=now,
                project="",
            )
            decision = self._decide(context, at, applied)
            notices |= dict.fromkeys(map(str, decision.notices))
            self._records = decision.records.before(decision.changes)
            if not decision.changes:
                alerts = tuple(f"{alert.kind}: {alert.reason}" for alert in decision.alerts)
                return Step(now, tuple(changes), alerts, tuple(notices))
            applied = decision.changes
            for change in applied:
                self._apply(change, at)
                changes.append(f"{change.kind} {change.field} {change.before} -> {change.after}: {change.reason}")
        raise AssertionError(f"{self._key} is not settled after {MOST_LOOKS} looks at {format_time(now)}")

    def _decide(
        self, context: RunContext[Settings, Any, Records], at: int, applied: tuple[ScaleChange, ...]
    ) -> Decision[Records, ScaleChange]:
        # What never changes or costs nothing to say is answered before it is asked: that saves most rounds.
        world = World({need: self._answer(need, at) for need in self._places})
        for _ in range(MOST_ROUNDS):
            missing = world.missing(AUTOMATION.needs(context, world))
            if not missing:
                return guarded(AUTOMATION, context, world, AUTOMATION.decide(context, world, applied))
            world = world.with_answers({need: self._answer(need, at) for need in missing})
        raise AssertionError(f"{self._key} needs more and more")

    def _answer(self, need: PoolNeed, at: int) -> object:
        size = self.model.size
        match need:
            case NodePoolsOf():
                return (ListedNodePool(self._pool.full_name, "off", (GROUP,)),)
            case GroupsOf():
                return {GROUP: InstanceGroup(size, size)}
            case CloudRunPoolsIn():
                return (self._on_cloud_run(size),)
            case OperationsIn():
                return Operations()
            case ReadingOf():
                return self._reading(need, at)
        raise AssertionError(f"a simulated pool has no answer to {need}")

    def _on_cloud_run(self, size: int) -> GpuPool:
        field = MINIMUM if self._pool.service else MANUAL
        current = {MANUAL: 0, MINIMUM: size} if self._pool.service else {MANUAL: size}
        return GpuPool(name=self._pool.full_name, current=current, size_field=field, nodes_asked_for=size, nodes=size)

    def _reading(self, need: ReadingOf, at: int) -> Reading:
        def ask(filter_: str) -> Answer:
            shown = self.model.shown[Query(need.signal.project, filter_)]
            return Answer(tuple(points_of(shown, at, need.minutes, need.now, self._assumptions.seen_after)))

        return reading_of(need.signal, need.minutes, need.now, ask)

    def _apply(self, change: ScaleChange, at: int) -> None:
        if not isinstance(change, Resize):
            raise TypeError(f"a simulated pool cannot {change}")
        if change.size and not self.model.size:
            self._starts += 1
        self.model.resize(change.size, at, self._draw.randint(*self._assumptions.start_minutes))


def _places(name: str) -> tuple[PoolNeed, ...]:
    """The questions about a pool, by its full name, that every look asks."""
    if is_node_pool(name):
        location, project = name.partition("/clusters/")[0], name.split("/")[1]
        return NodePoolsOf(cluster_of(name)), GroupsOf(project), OperationsIn(location)
    parent, collection, _ = name.rsplit("/", 2)
    return (CloudRunPoolsIn(parent, collection),)


def points_of(shown: Sequence[float | None], at: int, minutes: int, now: datetime, seen_after: int) -> list[Point]:
    """Monitoring's answer at a minute: the highest value of each five minutes, as far as it shows them yet."""
    bucket, points = BUCKET // MINUTE, []
    for number in range(buckets_asked(minutes)):
        last = at - number * bucket
        values = [
            one for one in shown[max(last - bucket + 1, 0) : max(min(last, at - seen_after) + 1, 0)] if one is not None
        ]
        if values:
            points.append(Point(now - timedelta(minutes=number * bucket), max(values)))
    return points
