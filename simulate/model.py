"""One GPU pool and its recorded work, as they would have been: a closed loop.

While the pool is at zero, recorded work waits, until nodes are there; then it is done, and the rest of the record
follows. So an hour at zero is not simply an hour saved: adding up what `mode: observe` reports would say too much.
A signal shows what is being done at that moment, not what the record has for it. Work that is killed starts over.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from functions.scale_gpu_pools.settings import GpuSignal, PendingMessages, Pool, Signal
from simulate.exports import Query, all_queries_of, query_of, signals_of

Values = Sequence[float | None]


@dataclass(frozen=True)
class Unit:
    """One recorded minute of work."""

    job: int
    minute: int


@dataclass
class Figures:
    """The fate of the work, in minutes of the simulation."""

    jobs: int = 0
    """Stretches of work without a pause."""
    waits: list[tuple[int, int]] = field(default_factory=list)
    """For each job that met no nodes and got some later, when it came and how long it waited."""
    killed: list[int] = field(default_factory=list)
    """The minutes at which the pool went to zero under work."""
    minutes_on: int = 0
    node_minutes: int = 0
    """Minutes of single nodes, or instances."""


class PoolModel:
    """A pool, its nodes, its work, and what its signals show."""

    def __init__(self, pool: Pool, recorded: Mapping[Query, Values], minutes: int) -> None:
        self.size = pool.size
        self.sizes: list[int] = []
        """Minute by minute, the nodes in each zone, or instances, that were asked for."""
        self.figures = Figures()
        self._signals = signals_of(pool)
        self._wakes = {query_of(signal) for signal in pool.wake}
        self._recorded = recorded
        self._ready_at = 0
        self._waiting: deque[Unit] = deque()
        self._done: list[Unit] = []
        """Of the job that is being done."""
        self._met_no_nodes: set[int] = set()
        self._asked = {query: signal for signal in self._signals for query in all_queries_of(signal)}
        self.shown: dict[Query, list[float | None]] = {query: [] for query in self._asked}
        self.busy = [any(_is_work(one, recorded[query_of(one)][at]) for one in self._signals) for at in range(minutes)]

    def pass_minute(self, at: int, *, is_outage: bool) -> None:
        """Let one minute pass: work arrives, work is done, signals show it."""
        is_running = self.size > 0 and at >= self._ready_at
        if self.busy[at]:
            self._arrive(at, is_running=is_running)
        doing = self._work(at) if is_running and self._waiting else None
        self.figures.minutes_on += self.size > 0
        self.figures.node_minutes += self.size
        self.sizes.append(self.size)
        for query, signal in self._asked.items():
            value = None if is_outage else self._shown(query, signal, at, doing, is_running=is_running)
            self.shown[query].append(value)

    def resize(self, size: int, at: int, minutes_to_start: int) -> None:
        """Ask for so many nodes now; they are there after some minutes."""
        if size == 0 and self.size and self._is_in_the_middle():
            self.figures.killed.append(at)
            self._waiting.extendleft(reversed(self._done))
            self._done = []
        if size and not self.size:
            self._ready_at = at + minutes_to_start
        self.size = size

    @property
    def waits(self) -> list[tuple[int, int]]:
        """For each job that met no nodes, when it came and how long it waited; to the end, if none came."""
        first: dict[int, int] = {}
        for unit in self._waiting:
            if unit.job in self._met_no_nodes:
                first.setdefault(unit.job, unit.minute)
        return [*self.figures.waits, *((came, len(self.sizes) - came) for came in first.values())]

    @property
    def unfinished(self) -> int:
        """Minutes of work that still wait."""
        return len(self._waiting)

    def _arrive(self, at: int, *, is_running: bool) -> None:
        if at == 0 or not self.busy[at - 1]:
            self.figures.jobs += 1
            if not is_running:
                self._met_no_nodes.add(self.figures.jobs)
        self._waiting.append(Unit(self.figures.jobs, at))

    def _work(self, at: int) -> Unit:
        unit = self._waiting.popleft()
        if not self._done or self._done[0].job != unit.job:
            self._done = []
        self._done.append(unit)
        if unit.job in self._met_no_nodes:
            self._met_no_nodes.discard(unit.job)
            self.figures.waits.append((unit.minute, at - unit.minute))
        return unit

    def _is_in_the_middle(self) -> bool:
        """Whether the job that was done last has more to do: nothing that is recorded lies between."""
        following = self._done[-1].minute + 1 if self._done else len(self.busy)
        return following < len(self.busy) and self.busy[following]

    def _shown(self, query: Query, signal: Signal, at: int, doing: Unit | None, *, is_running: bool) -> float | None:
        recorded = self._recorded[query]
        if isinstance(signal, GpuSignal) and query.filter == signal.nodes:
            return recorded[at]  # of other nodes of the cluster too
        if isinstance(signal, PendingMessages) or query in self._wakes:
            waiting = signal.at_most + 1 if self._waiting else None
            now = recorded[doing.minute] if doing else None if self.busy[at] else recorded[at]
            return max((one for one in (waiting, now) if one is not None), default=None)
        if doing:
            return recorded[doing.minute]
        if self.busy[at] or (isinstance(signal, GpuSignal) and not is_running):
            return None  # without a node no container has a GPU
        return recorded[at]


def _is_work(signal: Signal, value: float | None) -> bool:
    return value is not None and value > signal.at_most
