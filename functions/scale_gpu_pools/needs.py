"""The reads that `scale_gpu_pools` needs: the pools, then the signals that matter, then operations in flight. Pure."""

from collections.abc import Iterator, Mapping

from functions.scale_gpu_pools.commands import Status
from functions.scale_gpu_pools.desired import Context, PoolView
from functions.scale_gpu_pools.messages import GroupsIncomplete, OperationRuns, ZonesUnknown
from functions.scale_gpu_pools.pool_decision import PoolDecision, decide_pool
from functions.scale_gpu_pools.savings import SavingsBook, months_before
from functions.scale_gpu_pools.signals import Reading
from functions.scale_gpu_pools.world import (
    AUTOSCALING,
    CloudRunPoolsIn,
    GpuPool,
    GroupsOf,
    InstanceGroup,
    ListedNodePool,
    NodePoolsOf,
    Operations,
    OperationsIn,
    PoolNeed,
    Question,
    ReadingOf,
    SavingsOf,
    Seen,
    cluster_of,
    is_node_pool,
)
from shared.decision import Message
from shared.holds import Phase
from shared.world import Unreadable, World

RUN_COLLECTIONS = ("workerPools", "services")
NOT_ASKED = "not asked yet"


def needs(context: Context, world: World) -> Iterator[PoolNeed]:
    """In three rounds: each asks only what matters after the one before it."""
    names = names_of(context)
    yield from dict.fromkeys(place for name in sorted(names) if (place := _place_of(name)))
    listed = [pool for need in _clusters(names) if isinstance(found := world.get(need), tuple) for pool in found]
    yield from (GroupsOf(one) for one in sorted({pool.name.split("/")[1] for pool in listed if pool.name in names}))
    if savings := _savings_asked(context):
        yield savings
    seen = see(context, world)
    readings = [_reading_of(question, context) for question in sorted(questions_of(context, seen), key=str)]
    yield from readings
    if not world.missing(readings):
        yield from map(OperationsIn, sorted(map(_location_of, clusters_concerned(context, seen))))


def names_of(context: Context) -> dict[str, str]:
    """Every pool that matters, by full name, with the owner's key: those listed, and those still held."""
    keys = dict.fromkeys([*context.records.holds, *context.records.pools], "")
    return keys | {pool.full_name: key for key, pool in context.settings.pools.items()}


def see(context: Context, world: World) -> Seen:
    """The answers by pool."""
    names = names_of(context)
    pools: dict[str, GpuPool] = {}
    unknown: set[str] = set()
    for name in names:
        found = _pool(name, world)
        if isinstance(found, GpuPool):
            pools[name] = found
        elif found is not None:
            unknown.add(name)
    readings: dict[Question, Reading] = {}
    for key, settings in context.settings.pools.items():
        name = settings.full_name
        pool = pools.get(name)
        asked = PoolView(key, settings, context.records.of(name), pool, context).questions() if pool else set()
        for question in asked:
            answer = world.get(_reading_of(question, context))
            if isinstance(answer, Reading):
                readings[question] = answer
            elif isinstance(answer, Unreadable):
                unknown.add(name)
    for name in filter(is_node_pool, names):
        if isinstance(world.get(OperationsIn(_location_of(name))), Unreadable):
            unknown.add(name)
    savings = world.get(asked_for) if (asked_for := _savings_asked(context)) else None
    return Seen(
        pools=pools,
        readings=readings,
        busy=_busy(names, world),
        unknown=frozenset(unknown),
        savings=savings if isinstance(savings, SavingsBook) else SavingsBook(),
    )


def decisions_on(context: Context, seen: Seen) -> list[PoolDecision]:
    """The decision on every pool of which enough is known."""
    pools = context.settings.pools
    return [
        decide_pool(name, key, pools.get(key), seen, context)
        for name, key in sorted(names_of(context).items())
        if name not in seen.unknown
    ]


def questions_of(context: Context, seen: Seen) -> set[Question]:
    """The signals that matter now."""
    return {
        question
        for key, pool in context.settings.pools.items()
        if (existing := seen.pools.get(pool.full_name))
        for question in PoolView(key, pool, context.records.of(pool.full_name), existing, context).questions()
    }


def clusters_concerned(context: Context, seen: Seen) -> set[str]:
    """The clusters in which something is to be done, or to be concluded upon: what is in flight there matters."""
    return {
        cluster_of(decision.name)
        for decision in decisions_on(context, seen)
        if is_node_pool(decision.name) and decision.pool
        if decision.reconciliation.change or is_unsettled(context, decision.name)
    }


def is_unsettled(context: Context, name: str) -> bool:
    """Whether a change of the pool has not been seen to arrive."""
    hold = context.records.holds.get(name)
    return hold is not None and hold.phase is Phase.INTENDED


def _place_of(name: str) -> NodePoolsOf | CloudRunPoolsIn | None:
    if is_node_pool(name):
        return NodePoolsOf(cluster_of(name))
    for collection in RUN_COLLECTIONS:
        parent, found, _ = name.partition(f"/{collection}/")
        if found:
            return CloudRunPoolsIn(parent, collection)
    return None


def _clusters(names: Mapping[str, str]) -> list[NodePoolsOf]:
    return [NodePoolsOf(cluster) for cluster in sorted({cluster_of(name) for name in names if is_node_pool(name)})]


def _pool(name: str, world: World) -> GpuPool | Unreadable | str | None:
    """The pool; None if it does not exist; anything else if that is not known."""
    place = _place_of(name)
    if place is None:
        return None
    if isinstance(place, CloudRunPoolsIn):
        pools = world.get(place)
        return (
            next((one for one in pools if one.name == name), None) if isinstance(pools, tuple) else pools or NOT_ASKED
        )
    listed = world.get(place)
    if not isinstance(listed, tuple):
        return listed or NOT_ASKED
    found = next((one for one in listed if one.name == name), None)
    if found is None:
        return None
    groups = world.get(GroupsOf(name.split("/")[1]))
    return node_pool_of(found, groups) if isinstance(groups, dict) else groups or NOT_ASKED


def node_pool_of(pool: ListedNodePool, groups: Mapping[str, InstanceGroup]) -> GpuPool:
    """A node pool with the size of its instance groups."""
    known = [groups[address] for address in pool.groups if address in groups]
    size = -(-sum(group.target_size for group in known) // max(len(known), 1))
    return GpuPool(
        name=pool.name,
        current={AUTOSCALING: pool.autoscaling, "node_count": size},
        size_field="node_count",
        zones=len(pool.groups),
        nodes_asked_for=sum(group.target_size for group in known),
        nodes=sum(group.running for group in known),
        problem=pool.problem,
        in_flight=None if pool.groups and len(known) == len(pool.groups) else GroupsIncomplete(),
    )


def _reading_of(question: Question, context: Context) -> ReadingOf:
    signal, minutes = question
    return ReadingOf(signal, minutes, context.now)


def _location_of(name: str) -> str:
    return name.partition("/clusters/")[0]


def _busy(names: Mapping[str, str], world: World) -> dict[str, Message]:
    busy: dict[str, Message] = {}
    for cluster in {cluster_of(name) for name in names if is_node_pool(name)}:
        operations = world.get(OperationsIn(_location_of(cluster)))
        if not isinstance(operations, Operations):
            continue
        if operations.missing_zones:
            busy[cluster] = ZonesUnknown(operations.missing_zones)
        for operation in operations.in_flight:
            if f"/{cluster.split('/', 2)[2]}/" in f"/{operation.target}/":
                busy[cluster] = OperationRuns(operation.kind, operation.started)
    return busy


def _savings_asked(context: Context) -> SavingsOf | None:
    if not (isinstance(context.event.event, Status) and context.settings.savings and context.settings.pools):
        return None
    return SavingsOf(tuple(pool.full_name for pool in context.settings.pools.values()), months_before(context.now))
