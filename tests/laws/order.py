"""Law 5, order: any permutation of the events, all delivered and one tick after, ends in the same state.

All are delivered at the time of the last one, as if they had been held up. Orders that have come to the same state by
the same events go on together, as a run knows nothing but the state and its event.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from localcloud.core.snapshot import Snapshot
from tests.laws.case import Case
from tests.laws.harness import Stage, State
from tests.laws.scenario import Event

NAME = "order"
ALL_ORDERS_UP_TO = 5
"""Of so many events every order is tried; of more a sample."""
SAMPLE = 12


@dataclass
class Node:
    """A state that some of the events have led to, in some order."""

    delivered: frozenset[str]
    state: bytes
    snapshot: Snapshot

    def __hash__(self) -> int:
        return hash((self.delivered, self.state))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (self.delivered, self.state) == (other.delivered, other.state)


def check(case: Case, part: str) -> None:
    """Deliver the events in every order, or in a sample of orders if they are many."""
    del part
    with Stage(case, NAME, is_by_wire=False) as stage:
        for event in stage.scenario.events:
            stage.reach(event)
        tree = Tree(stage)
        events = stage.scenario.events
        expected = tree.end(tree.after(events))
        for order in orders(events):
            what = f"delivered as {', '.join(event.name for event in order)}, the end state differs"
            stage.must_be(expected, tree.end(tree.after(order)), what)


def orders(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Every order of the events; of many events the reversal, each one first, each one last, and random ones."""
    if len(events) <= ALL_ORDERS_UP_TO:
        yield from itertools.permutations(events)
        return
    yield events[::-1]
    for place, event in enumerate(events):
        others = [*events[:place], *events[place + 1 :]]
        yield [event, *others]
        yield [*others, event]
    chance = random.Random(len(events))  # noqa: S311 - the same orders each time
    for _ in range(SAMPLE):
        yield chance.sample(events, len(events))


class Tree:
    """The states that orders of events lead to, each of them reached once."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._root = self._node(frozenset())
        self._next: dict[tuple[Node, str], Node] = {}
        self._ends: dict[Node, State] = {}

    def after(self, order: Sequence[Event]) -> Node:
        """The state after these events in this order."""
        node = self._root
        for event in order:
            if (node, event.name) not in self._next:
                self._next[node, event.name] = self._delivered(node, event)
            node = self._next[node, event.name]
        return node

    def end(self, node: Node) -> State:
        """The end state from there, after one tick."""
        if node not in self._ends:
            node.snapshot.restore()
            self._stage.tick()
            self._ends[node] = self._stage.end_state()
        return self._ends[node]

    def _delivered(self, node: Node, event: Event) -> Node:
        node.snapshot.restore()
        deliveries = self._stage.deliver_until_acknowledged(event)
        delivered = node.delivered | {event.name}
        if not any(delivery.effects() for delivery in deliveries):
            return Node(delivered, node.state, node.snapshot)
        return self._node(delivered)

    def _node(self, delivered: frozenset[str]) -> Node:
        state = msgspec.json.encode(self._stage.end_state(), order="deterministic")
        return Node(delivered, state, self._stage.snapshot())
