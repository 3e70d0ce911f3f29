"""The decision of `scale_gpu_pools`, pure: what to look at, what to change and why, and what to remember."""

from collections.abc import Iterable

import msgspec

from functions.scale_gpu_pools.changes import PoolChange, RecordSaving, Resize, ScaleChange, SetAutoscaling
from functions.scale_gpu_pools.desired import Occasion, Situation, State
from functions.scale_gpu_pools.records import NOTHING, PoolRecord, Records
from functions.scale_gpu_pools.savings import saved
from functions.scale_gpu_pools.verdicts import Verdict, verdict_on
from functions.scale_gpu_pools.world import AUTOSCALING, Question, World, cluster_of, is_node_pool
from shared.clock import format_time
from shared.holds import Hold, Phase, with_intended
from shared.legacy import Settled
from shared.plan import Guard, Plan


def names_of(occasion: Occasion) -> dict[str, str]:
    """Every pool that matters, by full name, with the owner's key: those listed, and those still held."""
    keys = dict.fromkeys([*occasion.records.holds, *occasion.records.pools], "")
    return keys | {pool.full_name: key for key, pool in occasion.settings.pools.items()}


def questions_of(occasion: Occasion, world: World) -> set[Question]:
    """The signals that matter now."""
    return {
        question
        for key, pool in occasion.settings.pools.items()
        if (existing := world.pools.get(pool.full_name))
        for question in Situation(key, pool, occasion.records.of(pool.full_name), existing, occasion).questions()
    }


def clusters_concerned(occasion: Occasion, world: World) -> set[str]:
    """The clusters in which something is to be done, or to be concluded upon: what is in flight there matters."""
    return {
        cluster_of(verdict.name)
        for verdict in verdicts(occasion, world)
        if is_node_pool(verdict.name) and verdict.pool
        if verdict.outlook.step or _is_unsettled(occasion, verdict.name)
    }


def verdicts(occasion: Occasion, world: World) -> list[Verdict]:
    """The verdict on every pool."""
    pools = occasion.settings.pools
    return [verdict_on(name, key, pools.get(key), world, occasion) for name, key in sorted(names_of(occasion).items())]


def settle(occasion: Occasion, world: World, applied: tuple[ScaleChange, ...]) -> Settled[Records]:
    """The records after what the world shows: holds seen, pools at zero since when, savings put away."""
    put_away = {(change.target, change.interval) for change in applied if isinstance(change, RecordSaving)}
    pools: dict[str, PoolRecord] = {}
    holds: dict[str, Hold] = {}
    notices: list[str] = []
    listed = {pool.full_name for pool in occasion.settings.pools.values()}
    for verdict in verdicts(occasion, world):
        seen = verdict.outlook
        ended = tuple(one for one in seen.record.ended if (verdict.name, one) not in put_away)
        record = msgspec.structs.replace(seen.record, ended=ended)
        if record != NOTHING and (verdict.name in listed or seen.hold or ended):
            pools[verdict.name] = record
        if seen.hold:
            holds[verdict.name] = seen.hold
        notices += seen.notices
    return Settled(msgspec.structs.replace(occasion.records, pools=pools, holds=holds), tuple(notices))


def plan(occasion: Occasion, world: World) -> Plan[ScaleChange]:
    """What to do now: one operation at a time for each cluster, going to zero before coming back."""
    seen = verdicts(occasion, world)
    changes: list[ScaleChange] = list(_savings(seen, occasion))
    waiting = [f"{verdict.key}: {verdict.waiting}" for verdict in seen if verdict.waiting]
    taken: dict[str, str] = {}
    for verdict in sorted(seen, key=_turn):
        if change := _change(verdict):
            cluster = cluster_of(verdict.name)
            if cluster in taken:
                waiting.append(
                    f"{verdict.name}: its cluster does one operation at a time, and is to do {taken[cluster]}"
                )
            else:
                taken[cluster] = str(change)
                changes.append(change)
    return Plan(
        changes=tuple(changes),
        waiting=tuple(waiting),
        next=tuple(f"{one.key}: {one.desired.next}" for one in seen if one.desired and one.desired.next),
        alerts=tuple(alert for verdict in seen for alert in verdict.alerts),
    )


def intend(occasion: Occasion, changes: tuple[ScaleChange, ...]) -> Records:
    """The records with every original that the changes are about to overwrite, and when nodes were asked for."""
    pools = {change.target: change.record for change in changes if isinstance(change, PoolChange)}
    return msgspec.structs.replace(
        occasion.records,
        pools=dict(sorted((occasion.records.pools | pools).items())),
        holds=with_intended(occasion.records.holds, changes),
    )


def guards(occasion: Occasion, world: World) -> tuple[Guard[ScaleChange], ...]:
    """Nothing that is done here cannot be undone."""
    del occasion, world
    return ()


def _is_unsettled(occasion: Occasion, name: str) -> bool:
    hold = occasion.records.holds.get(name)
    return hold is not None and hold.phase is Phase.INTENDED


def _turn(verdict: Verdict) -> tuple[bool, bool, str]:
    """Which pool of a cluster comes first: those that go to zero, then those that need nodes, then bounds put back."""
    is_up = verdict.desired is not None and verdict.desired.state is State.ON
    step = verdict.outlook.step
    return (is_up, is_up and step is not None and step.field == AUTOSCALING, verdict.name)


def _change(verdict: Verdict) -> ScaleChange | None:
    step, intended, pool = verdict.outlook.step, verdict.outlook.intended, verdict.pool
    if step is None or intended is None or pool is None or verdict.desired is None:
        return None
    words = {
        "target": verdict.name,
        "field": step.field,
        "before": str(step.before),
        "after": str(step.after),
        "reason": verdict.desired.why,
        "scope": verdict.name,
    }
    if step.field == AUTOSCALING:
        return SetAutoscaling(**words, hold=intended.hold, record=intended.record, autoscaling=str(step.after))
    return Resize(**words, hold=intended.hold, record=intended.record, size=int(step.after), etag=pool.etag)


def _savings(seen: Iterable[Verdict], occasion: Occasion) -> Iterable[RecordSaving]:
    for verdict in seen:
        for interval in verdict.outlook.record.ended:
            amount = f"{saved(interval, occasion.now):.2f} {interval.currency}"
            yield RecordSaving(
                target=verdict.name,
                field="savings",
                before="",
                after=f"since {format_time(interval.began)}",
                reason=f"{interval.nodes} nodes did not run, which saved {amount}",
                scope=verdict.name,
                interval=interval,
            )
