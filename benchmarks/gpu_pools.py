"""1,000 GPU pools in 100 clusters: what the decision costs, and the calls of a tick on which nothing changes."""

import os
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.functions import PROJECT, tick_event
from benchmarks.harness import Figure, in_turn, show, spread
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.automation import RunContext
from shared.clients import Clients
from shared.events import Dated, Tick
from shared.restrictions import SpendingRestrictions
from shared.run import run
from shared.runtime import Runtime
from shared.settings import VARIABLE, parse

if TYPE_CHECKING:
    from shared.world import World

POOLS_IN_A_CLUSTER = 10
MANY, FEW = 100, 10
"""Clusters."""
MOMENTS = {
    "nothing to do": datetime(2026, 11, 16, 12, tzinfo=UTC),  # a Monday, in their hours
    "all to zero": datetime(2026, 11, 16, 22, tzinfo=UTC),
}
ROUNDS = 9

# A function reads its settings when it is imported.
os.environ.setdefault(VARIABLE, '{"scale_gpu_pools": {"pools": {}}}')


def measure() -> bool:
    """Measure and print. Returns whether a tick on which nothing changes makes just the calls that it should."""
    from functions.scale_gpu_pools.decide import decide

    contexts = {
        (clusters, when): _made_up(clusters, moment) for clusters in (FEW, MANY) for when, moment in MOMENTS.items()
    }

    def seconds(clusters: int, when: str) -> float:
        context, world = contexts[clusters, when]
        begun = time.perf_counter()
        decide(context, world, ())
        return time.perf_counter() - begun

    measured = in_turn({key: partial(seconds, *key) for key in contexts}, ROUNDS)
    median = {key: statistics.median(values) for key, values in measured.items()}
    figures = [
        Figure(f"plan for 1,000 pools, {when}", "for 100 pools", median[MANY, when], median[FEW, when], "s", 15.0)
        for when in MOMENTS
    ]
    calls = _calls_of_a_quiet_tick()
    notes = [f"{clusters} clusters, {when}: {spread(values)} s" for (clusters, when), values in measured.items()]
    notes.append(f"a tick on which nothing changes: {', '.join(f'{number} {name}' for name, number in calls.items())}")
    show("GPU pools", figures, notes)
    return calls == {"BatchGetDocuments": 1, "ListNodePools": MANY, "instanceGroupManagers": 2}


def _settings(clusters: int) -> dict[str, object]:
    place = {"project": PROJECT, "location": "europe-west4-a"}
    pools = {
        f"{cluster}-{pool}": {
            "node_pool": {**place, "cluster": f"c{cluster}", "name": f"p{pool}"},
            "hours": {"time_zone": "Europe/Berlin", "windows": ["mon-fri 08:00-19:00"]},
            "size": 1,
        }
        for cluster in range(clusters)
        for pool in range(POOLS_IN_A_CLUSTER)
    }
    return {"mode": "act", "scale_gpu_pools": {"pools": pools}}


def _made_up(clusters: int, moment: datetime) -> "tuple[RunContext[Any, Any, Any], World]":
    """Pools that are on, as the decision sees them."""
    from functions.scale_gpu_pools.records import Records
    from functions.scale_gpu_pools.settings import Settings
    from functions.scale_gpu_pools.world import GroupsOf, InstanceGroup, ListedNodePool, NodePoolsOf, cluster_of
    from shared.world import World

    settings = parse(_settings(clusters), "scale_gpu_pools", Settings).section
    listed: dict[str, list[ListedNodePool]] = {}
    groups: dict[str, dict[str, InstanceGroup]] = {}
    for pool in settings.pools.values():
        name = pool.full_name
        autoscaling = "1 to 4 nodes in each zone, BALANCED"
        listed.setdefault(cluster_of(name), []).append(ListedNodePool(name, autoscaling, (name,)))
        groups.setdefault(name.split("/")[1], {})[name] = InstanceGroup(2, 2)
    answers: dict[Any, object] = {NodePoolsOf(cluster): tuple(pools) for cluster, pools in listed.items()}
    answers |= {GroupsOf(project): found for project, found in groups.items()}
    event = Dated(Tick(every_seconds=300), "1", moment)
    context = RunContext(event, Records(), SpendingRestrictions(), settings, moment, PROJECT)
    return context, World(answers)


def _calls_of_a_quiet_tick() -> dict[str, int]:
    """The calls of a run on a local cloud with all pools, the second of two."""
    from functions.scale_gpu_pools.automation import AUTOMATION
    from functions.scale_gpu_pools.settings import Settings

    node_pools = {f"p{pool}": {"node_count": 1} for pool in range(POOLS_IN_A_CLUSTER)}
    clusters = {f"c{cluster}": {"node_pools": node_pools} for cluster in range(MANY)}
    world = world_from({"projects": {PROJECT: {"location": "europe-west4-a", "clusters": clusters}}})
    with LocalCloud(now=MOMENTS["nothing to do"]) as cloud:
        seed(cloud, world)
        clients = Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
        runtime = Runtime(clients, clock=cloud.clock.now, report=lambda _: None)
        configuration = parse(_settings(MANY), "scale_gpu_pools", Settings)
        for number in range(2):
            cloud.server.clear_calls()
            run(AUTOMATION, configuration, tick_event("scale_gpu_pools", str(number), cloud.clock.now()), runtime)
        clients.close()
        return dict(Counter(call.method.rpartition("/")[2] for call in cloud.server.calls))


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
