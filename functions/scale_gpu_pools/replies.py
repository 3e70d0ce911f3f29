"""The reply to a command: what becomes of it, or with `status` each pool and what was saved."""

from collections.abc import Iterable
from datetime import timedelta

from functions.scale_gpu_pools.commands import Awake, Off, Status, pools_of
from functions.scale_gpu_pools.desired import Context, override_in_force, restriction_in_force
from functions.scale_gpu_pools.messages import originals
from functions.scale_gpu_pools.needs import decisions_on, see
from functions.scale_gpu_pools.savings import by_day, saved
from functions.scale_gpu_pools.shadow import node_hours
from functions.scale_gpu_pools.world import Seen
from shared.clock import format_time
from shared.holds import Hold, Phase
from shared.settings import Mode
from shared.world import World

DAYS_REPORTED = 7


def reply(context: Context, world: World, decision: object) -> tuple[str, ...]:
    """For `status` a line for each pool, and for each day and pool what was saved; nothing for what is no command."""
    del decision
    match context.event.event:
        case Status():
            seen = see(context, world)
            return (*_pools(context, seen), *_savings(context, seen), *_observed(context))
        case Awake() | Off() as command:
            return tuple(_command_reply(key, context) for key in pools_of(command, context.settings))
    return ()


def _command_reply(key: str, context: Context) -> str:
    """The effect of a person's newest command on a pool."""
    name = context.settings.pools[key].full_name
    override = context.records.overrides[name]
    until, state = format_time(override.until), "off" if override.is_off else "on"
    if override_in_force(name, context) is None:
        return f"{key}: it is not kept {state}, as {until} has gone by"
    if override.is_off:
        return f"{key}: kept off until {until}"
    if restriction_in_force(context):
        return f"{key}: kept on until {until}, but not while the spending restriction gpu_pools_off is in force"
    return f"{key}: kept on until {until}"


def _pools(context: Context, seen: Seen) -> Iterable[str]:
    decisions = {decision.name: decision for decision in decisions_on(context, seen)}
    for key, settings in context.settings.pools.items():
        decision = decisions.get(settings.full_name)
        if decision is None:
            yield f"{key}: it cannot be read now"
            continue
        if decision.pool is None or decision.desired is None:
            yield f"{key}: there is no {settings.full_name}"
            continue
        parts = [
            f"{decision.pool.nodes} running of {decision.pool.nodes_asked_for} asked for",
            f"should be {decision.desired.state}: {decision.desired.why}",
            *([_held(hold)] if (hold := decision.reconciliation.hold) else []),
            *([str(decision.waiting)] if decision.waiting else []),
            *([str(decision.desired.next)] if decision.desired.next else []),
        ]
        yield f"{key}: {'; '.join(parts)}"


def _observed(context: Context) -> Iterable[str]:
    """The savings that acting would have made on pools that are only observed."""
    for key, settings in context.settings.pools.items():
        shadow = context.records.of(settings.full_name).shadow
        if context.settings.mode is not Mode.OBSERVE or shadow is None:
            continue
        hours = node_hours(shadow, context.now)
        price = settings.hourly_price
        money = f", {hours * price:.2f} {context.settings.currency}".rstrip() if price is not None else ""
        yield f"acting would have saved since {format_time(shadow.watched)}: {key} {hours:.1f} node-hours{money}"


def _held(hold: Hold) -> str:
    stands = "held at zero" if hold.phase is Phase.CONFIRMED else "on its way"
    return f"{stands}, was {originals(hold)}"


def _savings(context: Context, seen: Seen) -> Iterable[str]:
    if not context.settings.savings:
        return
    since = (context.now - timedelta(days=DAYS_REPORTED - 1)).date()
    for key, settings in context.settings.pools.items():
        name = settings.full_name
        record = context.records.of(name)
        open_ = [record.zero] if record.zero else []
        known = {one.began: one for one in (*seen.savings.intervals.get(name, ()), *record.ended, *open_)}
        intervals = list(known.values())
        for (day, currency), amount in sorted(by_day(intervals, context.now).items()):
            if day >= since:
                yield f"saved on {day:%Y-%m-%d}: {key} {amount:.2f} {currency}"
        total: dict[str, float] = {}
        for one in intervals:
            total[one.currency] = total.get(one.currency, 0.0) + saved(one, context.now)
        first = min(known, default=None)
        for currency, amount in sorted(total.items()):
            yield f"saved since {format_time(first)}: {key} {amount:.2f} {currency}" if first else ""
