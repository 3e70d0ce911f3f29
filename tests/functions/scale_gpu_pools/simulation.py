"""A simulated life of three GPU pools on the local cloud, and the invariants that hold after each run.

The expected state is calculated here from what was done to the cloud, not from the automation's own reports.
"""

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from types import TracebackType
from typing import Self

import grpc
from google.cloud.container_v1 import ClusterManagerClient
from google.protobuf.message import Message

from functions.scale_gpu_pools.autoscaling import is_same
from functions.scale_gpu_pools.gke import groups_of, node_pools
from functions.scale_gpu_pools.needs import node_pool_of
from functions.scale_gpu_pools.records import Interval, PoolRecord, Records
from functions.scale_gpu_pools.savings import MonthOfSavings, document_of
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import AUTOSCALING, OFF, GpuPool, cluster_of
from localcloud.core.calls import Call
from shared.errors import RunFailed
from shared.report import Outcome, Report
from shared.state import State
from tests.functions.scale_gpu_pools.stage import BOUNDS, CLUSTER, GPU, HOURS, MONDAY, QUEUE, Stage, a_pool, settings_of
from tests.laws.probe import Crash, CrashingProbe

BATCH = f"{CLUSTER}/nodePools/batch"
RESEARCH = "projects/my-product/locations/europe-west4/clusters/research"
NIGHT = f"{RESEARCH}/nodePools/night"
POOLS = (GPU, BATCH, NIGHT)
ZONES = ("europe-west4-a", "europe-west4-b")
DUTY: dict[str, object] = {
    "kind": "metric",
    "project": "my-product",
    "filter": 'metric.type = "custom.googleapis.com/duty" AND resource.type = "global"',
    "at_most": 5.0,
}
SETTINGS = settings_of(
    gpu=a_pool(idle={"for_minutes": 30, "signals": [DUTY]}, wake=[QUEUE]),
    batch={
        "node_pool": {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "batch"},
        "size": 1,
        "idle": {"for_minutes": 15, "signals": [QUEUE, DUTY]},
        "wake": [QUEUE],
        "hourly_price": 1.0,
    },
    night={
        "node_pool": {"project": "my-product", "location": "europe-west4", "cluster": "research", "name": "night"},
        "size": 2,
        "hours": HOURS | {"windows": ["daily 22:00-06:00"]},
        "wake": [DUTY],
        "hourly_price": 3.0,
        "on_drift": "enforce",
    },
)
BY_NAME: dict[str, Pool] = {pool.full_name: pool for pool in SETTINGS.pools.values()}
KEYS = {pool.full_name: key for key, pool in SETTINGS.pools.items()}
WORLD: dict[str, object] = {
    "projects": {
        "my-product": {
            "location": "europe-west4",
            "clusters": {
                "training": {
                    "node_pools": {
                        "gpu": {"locations": list(ZONES), "node_count": 2, "autoscaling": BOUNDS},
                        "batch": {"node_count": 3},
                    }
                },
                "research": {
                    "node_pools": {
                        "night": {
                            "locations": ["europe-west4-a"],
                            "node_count": 1,
                            "autoscaling": {
                                "enabled": True,
                                "total_max_node_count": 6,
                                "location_policy": "ANY",
                            },
                        },
                    }
                },
            },
        }
    }
}
METRICS = {
    "queue": (
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "pubsub_subscription",
        {"subscription_id": "jobs"},
    ),
    "duty": ("custom.googleapis.com/duty", "global", {}),
}
ACTIVE, IDLE, MISSING = 60.0, 0.0, None
SIGNALS: dict[str, dict[str, list[tuple[str, int]]]] = {
    GPU: {"idle": [("duty", 30)], "wake": [("queue", 10)]},
    BATCH: {"idle": [("queue", 15), ("duty", 15)], "wake": [("queue", 10)]},
    NIGHT: {"idle": [], "wake": [("duty", 10)]},
}
"""The signals of each pool, and over how many minutes each is judged: as the settings above say."""
GAP = 10
"""So many minutes without a value contain five that Monitoring has none for, wherever its five minutes begin."""
LONG_ENOUGH = timedelta(minutes=75)
"""Every operation has ended, a lease that a dead run held has expired, and nodes that the autoscaler took away may be
asked for again."""


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong in the next run: a call that fails, or the process dies."""


@dataclass(frozen=True)
class CallFails(Trouble):
    """Calls of a method get an error, perhaps after they have had their effect."""

    method: str
    code: grpc.StatusCode
    skip: int = 0
    times: int = 1
    after_effect: bool = False


@dataclass(frozen=True)
class Dies(Trouble):
    """The process ends at a call."""

    at: int
    answer_lost: bool


@dataclass
class Simulation:
    """Three pools, what has been done to them, and what follows from that."""

    stage: Stage = field(default_factory=lambda: Stage(SETTINGS, world=WORLD))
    is_restricted: bool = False
    history: dict[str, list[tuple[datetime, float | None]]] = field(default_factory=dict)
    """The values of each signal, with their times."""
    held: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The autoscaling and the size that each held pool had before the run that began to hold it."""
    touched: set[str] = field(default_factory=set)
    """Pools that a person has touched since they have been held."""
    resized: set[str] = field(default_factory=set)
    """Pools that a person has touched since all was as it should be."""
    touched_under_restriction: set[str] = field(default_factory=set)
    """Pools that a person has touched since the restriction has been in force."""
    awake: dict[str, datetime] = field(default_factory=dict)
    """Until when a person has asked for each pool."""

    def __enter__(self) -> Self:
        self.stage.__enter__()
        for signal in METRICS:
            self.signal(signal, IDLE, since=MONDAY - timedelta(days=1))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stage.__exit__(kind, error, trace)

    # What happens

    @property
    def now(self) -> datetime:
        """The time."""
        return self.stage.cloud.clock.now()

    def wait(self, minutes: float) -> None:
        """Let time pass."""
        self.stage.cloud.clock.advance(timedelta(minutes=minutes))

    def signal(self, signal: str, value: float | None, *, since: datetime | None = None) -> None:
        """From now on a signal has this value, or none."""
        metric, resource, labels = METRICS[signal]
        moment = since or self.now
        self.history.setdefault(signal, []).append((moment, value))
        self.stage.cloud.monitoring.set_value(
            "my-product", metric, value, resource_type=resource, resource_labels=labels, since=moment
        )

    def restrict(self, *, is_in_force: bool) -> None:
        """The restriction comes into force, or is lifted."""
        if is_in_force != self.is_restricted:
            self.stage.restrict(because="monthly/actual@1" if is_in_force else None)
            self.is_restricted = is_in_force
            self.touched_under_restriction = set()

    def resize_by_hand(self, name: str, nodes: int) -> None:
        """A person resizes a pool, unless its cluster is busy."""
        self._by_hand(name, "set_node_pool_size", {"node_count": nodes})

    def set_autoscaling_by_hand(self, name: str, autoscaling: dict[str, object]) -> None:
        """A person sets the autoscaling of a pool, unless its cluster is busy."""
        self._by_hand(name, "set_node_pool_autoscaling", {"autoscaling": autoscaling})

    def _by_hand(self, name: str, method: str, what: dict[str, object]) -> None:
        from google.api_core.exceptions import FailedPrecondition

        with contextlib.suppress(FailedPrecondition):
            getattr(self.stage.people.of(ClusterManagerClient), method)(request={"name": name, **what})
            self.resized.add(name)
            if name in self.held:
                self.touched.add(name)
            if self.is_restricted:
                self.touched_under_restriction.add(name)

    def tick(self, minutes: float = 5, trouble: Trouble | None = None) -> Report | None:
        """Let time pass, and a tick come; None if its run failed or died."""
        self.wait(minutes)
        return self._run({"type": "tick", "every_seconds": 300}, trouble)

    def ask_for(self, key: str, until: datetime, trouble: Trouble | None = None) -> Report | None:
        """A person asks for a pool, or with no key for all. If the run does not go well, the message comes again."""
        said: dict[str, object] = {"type": "awake", "pool": key, "until": until.isoformat()}
        return self._run(said, trouble) or self._run(said, None)

    def calm_down(self) -> None:
        """Nothing is wrong any more, and nothing in flight."""
        for zone in ZONES:
            self.stage.cloud.gke.end_stock_out(zone)
        self.wait(LONG_ENOUGH.total_seconds() / 60)
        self.stage.cloud.gke.operation_delay = timedelta(0)
        for name in POOLS:
            self.stage.cloud.gke.set_demand(name, None)

    def _run(self, data: dict[str, object], trouble: Trouble | None) -> Report | None:
        before = self.pools
        report = None
        probe = CrashingProbe(trouble.at, answer_lost=trouble.answer_lost) if isinstance(trouble, Dies) else None
        if isinstance(trouble, CallFails):
            self.stage.cloud.server.fail(
                trouble.method,
                trouble.code,
                times=trouble.times,
                skip=trouble.skip,
                after_effect=trouble.after_effect,
            )
        if probe:
            self.stage.switchboard.connect(probe)
        try:
            report = self.stage.push(data)
        except (RunFailed, Crash):
            assert trouble, self.stage.reports[-1]
        finally:
            if probe:
                self.stage.switchboard.disconnect()
            self.stage.cloud.server.clear_faults()
        self._check(before, trouble)
        return report

    # What is there

    @property
    def pools(self) -> dict[str, GpuPool]:
        """The pools as they are, by full name."""
        clusters = sorted({cluster_of(name) for name in POOLS})
        groups = groups_of(POOLS[0].split("/")[1], self.stage.people)
        listed = (pool for cluster in clusters for pool in node_pools(cluster, self.stage.people))
        return {pool.name: node_pool_of(pool, groups) for pool in listed if pool.name in POOLS}

    @property
    def records(self) -> Records:
        """The automation's records."""
        return self.stage.records

    def savings(self, name: str) -> list[Interval]:
        """All times that a pool was at zero, in order."""
        month, last = MONDAY.date().replace(day=1), self.now.date()
        months = []
        while month <= last:
            months.append(month)
            month = (month + timedelta(days=31)).replace(day=1)
        documents = State(self.stage.clients).read(*(document_of(name, month) for month in months))
        found = [one for document in documents for one in document.as_type(MonthOfSavings).intervals.values()]
        record = self.records.pools.get(name, PoolRecord())
        known = {*found, *record.ended, *([record.zero] if record.zero else [])}
        return sorted(known, key=lambda interval: interval.began)

    def values(self, signal: str, minutes: int) -> list[float | None]:
        """A signal's values at the last full minutes."""
        end = self.now.replace(second=0, microsecond=0)
        return [self._value(signal, end - timedelta(minutes=ago)) for ago in range(minutes)]

    def _value(self, signal: str, moment: datetime) -> float | None:
        known = [value for since, value in self.history[signal] if since <= moment]
        return known[-1] if known else None

    def is_active(self, signal: str, minutes: int) -> bool:
        """Whether a signal was active in the last minutes."""
        return any(value for value in self.values(signal, minutes))

    def is_unknown(self, signal: str, minutes: int) -> bool:
        """Whether a signal had nothing to say for so long, within the last minutes, that it cannot be idle."""
        missing = [value is None for value in self.values(signal, minutes)]
        return any(all(missing[at : at + GAP]) for at in range(len(missing) - GAP + 1))

    def must_stay_up(self, name: str) -> bool:
        """Whether nothing may take the pool down now."""
        if self.is_restricted:
            return False
        if name in self.awake and self.now < self.awake[name]:
            return True
        wake = SIGNALS[name]["wake"]
        if any(self.is_active(*signal) for signal in wake):
            return True
        idle = SIGNALS[name]["idle"]
        if not idle:
            return self.is_in_hours(name)
        # Work is not broken off when hours end; what a person has turned on then is another matter.
        known_on = self.is_in_hours(name) or name not in self.touched | self.resized
        return known_on and any(self.is_active(*signal) or self.is_unknown(*signal) for signal in [*idle, *wake])

    def is_in_hours(self, name: str) -> bool:
        """Whether the pool is in its hours now."""
        hours = BY_NAME[name].hours
        return hours is None or hours.window_at(self.now) is not None

    # What must hold after each run

    def _check(self, before: dict[str, GpuPool], trouble: Trouble | None) -> None:
        self._check_calls(before, trouble)
        self._check_holds(before)
        for name, record in self.records.pools.items():
            if record.drift:
                assert name in self.resized, f"{name}: no person has resized it, but the record has {record.drift}"
            elif record.is_on and name not in self.held:
                self.resized.discard(name)

    def _check_calls(self, before: dict[str, GpuPool], trouble: Trouble | None) -> None:
        expected = {grpc.StatusCode.OK} | ({trouble.code} if isinstance(trouble, CallFails) else set())
        raised = set()
        for call in self.stage.cloud.server.calls:
            if "ClusterManager" not in call.method or not call.mutating:
                continue
            assert call.code in expected, f"{call.method} was answered with {call.code}: {call.request}"
            name = str(getattr(call.request, "name", ""))
            if _takes_down(call, self._original(name)):
                was_up = before[name].size > 0 or name in raised
                assert not (was_up and self.must_stay_up(name)), f"{name} is taken down: {call.request}"
            elif call.method.endswith("SetNodePoolSize"):
                raised.add(name)

    def _original(self, name: str) -> str:
        hold = self.records.holds.get(name)
        return str(hold.fields[AUTOSCALING].original) if hold else ""

    def _check_holds(self, before: dict[str, GpuPool]) -> None:
        holds, now = self.records.holds, self.pools
        for name in [name for name in self.held if name not in holds]:
            autoscaling, size = self.held.pop(name)
            if name not in self.touched:
                assert is_same(str(now[name].current[AUTOSCALING]), autoscaling), f"{name} is let go as {now[name]}"
                assert now[name].size or autoscaling != OFF, f"{name} is let go as {now[name]}"
                assert autoscaling != OFF or now[name].size == size, f"{name} is let go as {now[name]}, not {size}"
            self.touched.discard(name)
        for name, hold in holds.items():
            size = int(hold.fields["node_count"].original)
            if name not in self.held:
                was = before[name]
                self.held[name] = (str(was.current[AUTOSCALING]), was.size)
            autoscaling, was_size = self.held[name]
            # What the autoscaler itself had at zero comes back with its bounds, and no nodes that it did not want.
            assert size or (autoscaling != OFF and was_size == 0), f"the original size of {name} is lost: {hold}"
            assert hold.fields[AUTOSCALING].original == autoscaling, f"{name} was {autoscaling}: {hold}"
            if autoscaling == OFF and name not in self.touched:
                assert size == was_size, f"{name} had {was_size} nodes: {hold}"

    def check_savings(self) -> None:
        """The times at zero of each pool are in order, and do not overlap."""
        for name in POOLS:
            found = self.savings(name)
            for interval in found:
                assert interval.stopped is None or interval.began < interval.stopped, f"{name}: {interval}"
            for interval, following in pairwise(found):
                assert interval.stopped, f"{name}: {interval} has not ended, and there is {following}"
                assert interval.stopped <= following.began, f"{name}: {interval} overlaps {following}"

    def check_doubled(self) -> None:
        """A tick that comes again changes nothing."""
        records, was = self.records, self.pools
        report = self.tick(0)
        assert report
        assert not self.stage.mutating, report
        assert report.outcome in (Outcome.UNCHANGED, Outcome.WAITING), report
        assert (self.records, self.pools) == (records, was)


def _takes_down(call: Call, original: str) -> bool:
    """Whether a call takes a pool to zero, or is the first step of that and not the last one of coming back."""
    request: Message = call.request
    if call.method.endswith("SetNodePoolSize"):
        return int(getattr(request, "node_count", 0)) == 0
    autoscaling = getattr(request, "autoscaling", None)
    return not getattr(autoscaling, "enabled", False) and original != OFF
