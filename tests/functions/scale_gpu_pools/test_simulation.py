"""After any events, and any crash, GPU pools are restored as they were, and no work is lost."""

from dataclasses import dataclass
from datetime import timedelta

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from functions.scale_gpu_pools.records import PoolRecord
from tests.functions.scale_gpu_pools.simulation import (
    ACTIVE,
    IDLE,
    MISSING,
    POOLS,
    SIGNALS,
    ZONES,
    CallFails,
    Dies,
    Simulation,
    Trouble,
)

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

METHODS = [
    "BatchGetDocuments",
    "Commit",
    "ListNodePools",
    "instanceGroupManagers",
    "ListTimeSeries",
    "ListOperations",
    "SetNodePoolSize",
    "SetNodePoolAutoscaling",
]
CODES = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.PERMISSION_DENIED]
SIZES = [0, 1, 3]
AUTOSCALINGS: list[dict[str, object]] = [
    {"enabled": False},
    {"enabled": True, "max_node_count": 7},
    {"enabled": True, "min_node_count": 1, "max_node_count": 4},
]
MINUTES = [1.0, 3.0, 5.0, 11.0, 30.0, 119.0, 6 * 60.0, 14 * 60.0, 2 * 24 * 60.0]


class Deed:
    """Something that happens."""

    def happen(self, simulation: Simulation) -> None:
        """Let it happen."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ticks(Deed):
    """Some ticks come; the first after some time, the others five minutes apart."""

    minutes: float
    times: int
    trouble: Trouble | None

    def happen(self, simulation: Simulation) -> None:
        simulation.tick(self.minutes, self.trouble)
        for _ in range(self.times - 1):
            simulation.tick()


@dataclass(frozen=True)
class DoubledTick(Deed):
    """A tick comes, and comes again."""

    minutes: float

    def happen(self, simulation: Simulation) -> None:
        simulation.tick(self.minutes)
        simulation.check_doubled()


@dataclass(frozen=True)
class Waits(Deed):
    """Time passes, and no tick comes."""

    minutes: float

    def happen(self, simulation: Simulation) -> None:
        simulation.wait(self.minutes)


@dataclass(frozen=True)
class AsksFor(Deed):
    """A person wants a pool, or all, for some time, or not any more."""

    key: str
    hours: float
    trouble: Trouble | None

    def happen(self, simulation: Simulation) -> None:
        simulation.ask_for(self.key, simulation.now + timedelta(hours=self.hours), self.trouble)


@dataclass(frozen=True)
class Restricts(Deed):
    """The restriction comes into force, or is lifted."""

    is_in_force: bool

    def happen(self, simulation: Simulation) -> None:
        simulation.restrict(is_in_force=self.is_in_force)


@dataclass(frozen=True)
class Resizes(Deed):
    """A person resizes a pool."""

    pool: str
    nodes: int

    def happen(self, simulation: Simulation) -> None:
        simulation.resize_by_hand(self.pool, self.nodes)


@dataclass(frozen=True)
class SetsAutoscaling(Deed):
    """A person sets the autoscaling of a pool."""

    pool: str
    number: int

    def happen(self, simulation: Simulation) -> None:
        simulation.set_autoscaling_by_hand(self.pool, AUTOSCALINGS[self.number])


@dataclass(frozen=True)
class Signals(Deed):
    """A signal says something else from now on."""

    signal: str
    value: float | None

    def happen(self, simulation: Simulation) -> None:
        simulation.signal(self.signal, self.value)


@dataclass(frozen=True)
class TakesTime(Deed):
    """Operations take longer from now on, or not."""

    minutes: float

    def happen(self, simulation: Simulation) -> None:
        simulation.stage.cloud.gke.operation_delay = timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class RunsOut(Deed):
    """A zone runs out of stock, or has some again."""

    zone: str
    is_over: bool

    def happen(self, simulation: Simulation) -> None:
        gke = simulation.stage.cloud.gke
        (gke.end_stock_out if self.is_over else gke.stock_out)(self.zone)


@dataclass(frozen=True)
class Demands(Deed):
    """Pods need so many nodes, and the autoscaler follows."""

    pool: str
    nodes: int | None

    def happen(self, simulation: Simulation) -> None:
        simulation.stage.cloud.gke.set_demand(self.pool, self.nodes)


pools = some.sampled_from(POOLS)
minutes = some.sampled_from(MINUTES)
troubles = some.one_of(
    some.none(),
    some.none(),
    some.builds(
        CallFails,
        some.sampled_from(METHODS),
        some.sampled_from(CODES),
        skip=some.integers(0, 4),
        times=some.sampled_from([1, 1, 3]),
        after_effect=some.booleans(),
    ),
    some.builds(Dies, some.integers(0, 30), answer_lost=some.booleans()),
)
by_others = some.one_of(
    some.builds(Ticks, minutes, some.integers(1, 3), troubles),
    some.builds(Ticks, minutes, some.integers(1, 3), troubles),
    some.builds(DoubledTick, minutes),
    some.builds(Waits, minutes),
    some.builds(AsksFor, some.sampled_from(["", "gpu", "batch", "night"]), some.sampled_from([-1, 0.5, 9]), troubles),
    some.builds(Restricts, some.booleans()),
    some.builds(Signals, some.sampled_from(["queue", "duty"]), some.sampled_from([ACTIVE, IDLE, MISSING])),
    some.builds(TakesTime, some.sampled_from([0, 2, 7])),
    some.builds(RunsOut, some.sampled_from(ZONES), some.booleans()),
    some.builds(Demands, pools, some.sampled_from([None, 0, 5])),
)
by_people = some.builds(Resizes, pools, some.sampled_from(SIZES)) | some.builds(
    SetsAutoscaling, pools, some.integers(0, len(AUTOSCALINGS) - 1)
)
lives = some.lists(by_others | by_others | by_others | by_people, max_size=14)


def play(simulation: Simulation, life: list[Deed]) -> None:
    """Let all of this happen, and then nothing for a while."""
    for deed in life:
        deed.happen(simulation)
    simulation.calm_down()


@settings(max_examples=10)
@given(lives)
def test_what_was_saved_comes_back(life: list[Deed]) -> None:
    with Simulation() as simulation:
        play(simulation, life)
        simulation.restrict(is_in_force=False)
        for signal in ("queue", "duty"):
            simulation.signal(signal, IDLE)
        simulation.ask_for("", simulation.now + timedelta(hours=9))
        for _ in range(3):
            simulation.tick()
        for name, pool in simulation.pools.items():
            assert pool.nodes > 0, name
        assert not simulation.records.holds
        simulation.check_savings()


@settings(max_examples=10)
@given(lives)
def test_a_restriction_takes_every_pool_to_zero(life: list[Deed]) -> None:
    with Simulation() as simulation:
        play(simulation, life)
        simulation.restrict(is_in_force=True)
        simulation.tick()
        simulation.tick()
        for name, pool in simulation.pools.items():
            if name not in simulation.touched_under_restriction:
                assert pool.current == pool.down_to(0), name
        simulation.check_savings()


@settings(max_examples=10)
@given(lives, some.sampled_from(["queue", "duty"]))
def test_a_pool_that_is_needed_has_nodes(life: list[Deed], signal: str) -> None:
    with Simulation() as simulation:
        play(simulation, life)
        simulation.restrict(is_in_force=False)
        simulation.signal(signal, ACTIVE)
        simulation.tick()
        simulation.tick()
        for name, pool in simulation.pools.items():
            is_respected = simulation.records.pools.get(name, PoolRecord()).drift is not None
            if not is_respected and any(signal == known for known, _ in SIGNALS[name]["wake"]):
                assert pool.nodes > 0, name


@settings(max_examples=10)
@given(lives)
def test_a_quiet_world_comes_to_rest(life: list[Deed]) -> None:
    with Simulation() as simulation:
        play(simulation, life)
        for _ in range(3):
            simulation.tick()
        simulation.check_doubled()
        simulation.check_savings()
