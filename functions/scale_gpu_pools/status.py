"""The answer to a command: where things stand with each pool, and what was saved; or what becomes of it."""

from collections.abc import Iterable
from datetime import timedelta

from functions.scale_gpu_pools.commands import Awake, Status, pools_of
from functions.scale_gpu_pools.desired import Occasion, override_in_force, restriction_in_force
from functions.scale_gpu_pools.savings import by_day, saved
from functions.scale_gpu_pools.verdicts import originals, verdict_on
from functions.scale_gpu_pools.world import World
from shared.clock import format_time
from shared.holds import Hold, Phase

DAYS_TOLD = 7


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """For `status` a line for each pool, and for each day and pool what was saved; nothing for what is no command."""
    match occasion.event.event:
        case Status():
            return (*_pools(occasion, world), *_savings(occasion, world))
        case Awake() as awake:
            return tuple(_heard(key, occasion) for key in pools_of(awake, occasion.settings))
    return ()


def _heard(key: str, occasion: Occasion) -> str:
    """What becomes of a person's word on a pool, the newest that there is."""
    until = format_time(occasion.records.overrides[key].until)
    if override_in_force(key, occasion) is None:
        return f"{key}: it is not kept on, as {until} has gone by"
    if restriction_in_force(occasion):
        return f"{key}: kept on until {until}, but not while the spending restriction gpu_pools_off is in force"
    return f"{key}: kept on until {until}"


def _pools(occasion: Occasion, world: World) -> Iterable[str]:
    for key, settings in occasion.settings.pools.items():
        verdict = verdict_on(settings.full_name, key, settings, world, occasion)
        if verdict.pool is None or verdict.desired is None:
            yield f"{key}: there is no {settings.full_name}"
            continue
        parts = [
            f"{verdict.pool.nodes} running of {verdict.pool.nodes_asked_for} asked for",
            f"should be {verdict.desired.state}: {verdict.desired.why}",
            *([_held(hold)] if (hold := verdict.outlook.hold) else []),
            *([verdict.waiting] if verdict.waiting else []),
            *([verdict.desired.next] if verdict.desired.next else []),
        ]
        yield f"{key}: {'; '.join(parts)}"


def _held(hold: Hold) -> str:
    stands = "held at zero" if hold.phase is Phase.CONFIRMED else "on its way"
    return f"{stands}, was {originals(hold)}"


def _savings(occasion: Occasion, world: World) -> Iterable[str]:
    if not occasion.settings.savings:
        return
    since = (occasion.now - timedelta(days=DAYS_TOLD - 1)).date()
    for key, settings in occasion.settings.pools.items():
        name = settings.full_name
        record = occasion.records.of(name)
        open_ = [record.zero] if record.zero else []
        known = {one.began: one for one in (*world.savings.intervals.get(name, ()), *record.ended, *open_)}
        intervals = list(known.values())
        for (day, currency), amount in sorted(by_day(intervals, occasion.now).items()):
            if day >= since:
                yield f"saved on {day:%Y-%m-%d}: {key} {amount:.2f} {currency}"
        total: dict[str, float] = {}
        for one in intervals:
            total[one.currency] = total.get(one.currency, 0.0) + saved(one, occasion.now)
        first = min(known, default=None)
        for currency, amount in sorted(total.items()):
            yield f"saved since {format_time(first)}: {key} {amount:.2f} {currency}" if first else ""
