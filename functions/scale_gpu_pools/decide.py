"""The decision of `scale_gpu_pools`: what to change and why, and what to remember. Pure."""

from collections.abc import Iterable

import msgspec

from functions.scale_gpu_pools.changes import RecordSaving, Resize, ScaleChange, SetAutoscaling
from functions.scale_gpu_pools.desired import Context, State
from functions.scale_gpu_pools.messages import (
    DecidedAgainAt,
    NodesSaved,
    OfPool,
    OnAgain,
    OtherChangeFirst,
    WouldResize,
    WouldSave,
    ZeroAt,
)
from functions.scale_gpu_pools.needs import decisions_on, see
from functions.scale_gpu_pools.pool_decision import PoolDecision
from functions.scale_gpu_pools.reconciler import FieldChange
from functions.scale_gpu_pools.records import NOTHING, Records, Shadow
from functions.scale_gpu_pools.savings import saved
from functions.scale_gpu_pools.shadow import followed
from functions.scale_gpu_pools.world import AUTOSCALING, cluster_of
from shared.clock import format_time
from shared.decision import Decision, Message, Next
from shared.holds import Hold
from shared.paused_cloud_run import paused_at
from shared.settings import Mode
from shared.world import World


def decide(context: Context, world: World, applied: tuple[ScaleChange, ...]) -> Decision[Records, ScaleChange]:
    """One operation at a time for each cluster, going to zero before coming back."""
    seen = see(context, world)
    decisions = decisions_on(context, seen)
    records = _observed(context, decisions, seen.unknown, applied)
    changes: list[ScaleChange] = list(_savings(records, context, decisions))
    waiting: list[Message] = [OfPool(one.key, one.waiting) for one in decisions if one.waiting]
    taken: dict[str, str] = {}
    for decision in sorted(decisions, key=_turn):
        if change := _change(decision, records):
            if paused := paused_at(change.target, context.restrictions):
                waiting.append(paused)
                continue
            cluster = cluster_of(decision.name)
            if cluster in taken:
                waiting.append(OtherChangeFirst(decision.name, taken[cluster]))
            else:
                taken[cluster] = str(change)
                changes.append(change)
    return Decision(
        records=records,
        changes=tuple(changes),
        waiting=tuple(waiting),
        next=tuple(_next(one.key, one.desired.next) for one in decisions if one.desired and one.desired.next),
        alerts=tuple(alert for decision in decisions for alert in decision.alerts),
        notices=tuple(notice for decision in decisions for notice in decision.reconciliation.notices),
    )


def _next(key: str, message: Message) -> Next:
    """The next step for a pool, with its time if the message has one."""
    match message:
        case OnAgain(at=at) | DecidedAgainAt(at=at) | ZeroAt(at=at):
            return Next(key, message, at)
    return Next(key, message)


def _observed(
    context: Context, decisions: Iterable[PoolDecision], unknown: frozenset[str], applied: tuple[ScaleChange, ...]
) -> Records:
    """The records after what was seen: holds, pools at zero since when, savings put away. What is unknown stays."""
    put_away = {(change.target, change.interval) for change in applied if isinstance(change, RecordSaving)}
    pools = {name: record for name, record in context.records.pools.items() if name in unknown}
    holds: dict[str, Hold] = {name: hold for name, hold in context.records.holds.items() if name in unknown}
    listed = {pool.full_name for pool in context.settings.pools.values()}
    overrides = {
        name: said for name, said in context.records.overrides.items() if name in listed or context.now < said.until
    }
    for decision in decisions:
        seen = decision.reconciliation
        ended = tuple(one for one in seen.record.ended if (decision.name, one) not in put_away)
        record = msgspec.structs.replace(seen.record, ended=ended, shadow=_shadow(decision, context))
        if record != NOTHING and (decision.name in listed or seen.hold or ended):
            pools[decision.name] = record
        if seen.hold:
            holds[decision.name] = seen.hold
    return msgspec.structs.replace(
        context.records, overrides=overrides, pools=dict(sorted(pools.items())), holds=dict(sorted(holds.items()))
    )


def _shadow(decision: PoolDecision, context: Context) -> Shadow | None:
    """The changes that acting would have made to a pool that is only observed."""
    settings = context.settings.pools.get(decision.key)
    if context.settings.mode is Mode.ACT or not (settings and decision.pool and decision.desired):
        return None
    known = context.records.of(decision.name).shadow
    return followed(known, settings, decision.pool, decision.desired, context.now)


def _turn(decision: PoolDecision) -> tuple[bool, bool, str]:
    """The order of pools in a cluster: first to zero, then those that need nodes, then those that need bounds."""
    is_up = decision.desired is not None and decision.desired.state is State.ON
    change = decision.reconciliation.change
    return (is_up, is_up and change is not None and change.field == AUTOSCALING, decision.name)


def _change(decision: PoolDecision, records: Records) -> ScaleChange | None:
    reconciliation, pool = decision.reconciliation, decision.pool
    change, record = reconciliation.change, reconciliation.intended_record
    if change is None or record is None or pool is None or decision.desired is None:
        return None
    kind = SetAutoscaling if change.field == AUTOSCALING else Resize
    return kind(
        target=decision.name,
        field=change.field,
        before=str(change.before),
        after=str(change.after),
        reason=decision.desired.why,
        scope=decision.name,
        hold=reconciliation.intended_hold,
        follows=tuple(_follows(decision, change)),
        etag=pool.etag,
        record=msgspec.structs.replace(record, ended=records.of(decision.name).ended),
    )


def _follows(decision: PoolDecision, change: FieldChange) -> Iterable[Message]:
    """The next step after a change: the size after the autoscaling, and the savings at zero."""
    if decision.pool is None or decision.desired is None or decision.desired.state is State.ON:
        return
    pool, price = decision.pool, decision.settings.hourly_price if decision.settings else None
    if change.field == AUTOSCALING and pool.size:
        yield WouldResize(decision.key, pool.size_field, pool.size, min(decision.desired.minimum, pool.size))
    if price and (nodes := pool.nodes_above(decision.desired.minimum)):
        yield WouldSave(decision.key, nodes, price)


def _savings(records: Records, context: Context, decisions: Iterable[PoolDecision]) -> Iterable[RecordSaving]:
    for decision in decisions:
        for interval in records.of(decision.name).ended:
            yield RecordSaving(
                target=decision.name,
                field="savings",
                before="",
                after=f"since {format_time(interval.began)}",
                reason=NodesSaved(interval.nodes, saved(interval, context.now), interval.currency),
                scope=decision.name,
                interval=interval,
            )
