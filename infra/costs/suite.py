"""The monthly cost of the suite itself: calculated from the map of the suite, at rest and with events.

python -m infra.costs.suite
"""

from collections.abc import Iterator, Mapping

import msgspec

from infra.costs.estimate import Part, Prices, Row, State, Use, estimate, load_prices
from infra.suite.automations import Entry, Webhook, load_functions

DAYS = 30
EVENTS_A_DAY = 1_000
CONDITIONS = 3
"""Alerts on a metric for each automation: dead letters, age of messages, silence (modules/observability)."""
CONDITIONS_OF_ALL = 1
"""And one for all of them: runs that fail."""

# Assumed, and rather too high than too low: docs/benchmarks.md has a tick that reads the world at half a second, cold.
SECONDS_A_RUN = 1.0
READS_A_RUN = 4
WRITES_AN_EVENT = 3
KIB_A_MESSAGE = 2
KIB_A_REPORT = 3
GIB_AN_IMAGE = 0.15
IMAGES_KEPT = 2
METRIC_MIB = 10
POINTS_A_CONDITION = DAYS * 86_400 // 30
"""One series, looked at every half a minute."""


def suite_parts(functions: Mapping[str, Entry | Webhook]) -> tuple[Part, ...]:
    """The parts of a month's cost, with `before` at rest and `after` with events."""
    entries = [entry for entry in functions.values() if isinstance(entry, Entry)]
    ticks = sum(DAYS * 86_400 // entry.tick.every_seconds for entry in entries if entry.tick)
    jobs = sum(entry.tick is not None for entry in entries)
    versions = sum(len(function.secrets) for function in functions.values())
    conditions = CONDITIONS * len(entries) + CONDITIONS_OF_ALL
    memory = max(int(function.memory.removesuffix("Mi")) for function in functions.values()) / 1024

    def state(uses: Mapping[str, float], how: str) -> State:
        return State(how=how, uses=tuple(Use(price=price, amount=amount) for price, amount in uses.items()))

    def by_runs(per_tick: Mapping[str, float], per_event: Mapping[str, float], how: str) -> tuple[State, State]:
        events = DAYS * EVENTS_A_DAY
        rest = {price: ticks * amount for price, amount in per_tick.items()}
        busy = {price: rest.get(price, 0.0) + events * amount for price, amount in per_event.items()}
        return state(rest, how), state(rest | busy, how)

    def always(price: str, amount: float, how: str) -> tuple[State, State]:
        return state({price: amount}, how), state({price: amount}, how)

    alerts = state(
        {"alert_reference": conditions, "alert_points": conditions * POINTS_A_CONDITION}, f"{conditions} conditions"
    )
    run = {"run_cpu": SECONDS_A_RUN, "run_memory": SECONDS_A_RUN * memory, "run_requests": 1.0}
    reads, writes = {"firestore_reads": float(READS_A_RUN)}, {"firestore_writes": float(WRITES_AN_EVENT)}
    mib = 1024 * 1024
    named = {
        "functions": by_runs(run, run, f"{ticks:,} ticks, each {SECONDS_A_RUN:g} s of a vCPU"),
        "Firestore": by_runs(reads, reads | writes, f"{READS_A_RUN} reads a run, {WRITES_AN_EVENT} writes an event"),
        "Scheduler": always("scheduler_job", jobs, f"{jobs} jobs"),
        "Pub/Sub": by_runs(
            {"pubsub": 2 * KIB_A_MESSAGE / mib}, {"pubsub": 2 * KIB_A_MESSAGE / mib}, "published and delivered"
        ),
        "logs": by_runs({"logs": KIB_A_REPORT / mib}, {"logs": KIB_A_REPORT / mib}, "a report a run"),
        "metrics": always("log_metrics", METRIC_MIB, "from reports"),
        "alerts": (alerts, alerts),
        "images": always(
            "registry", GIB_AN_IMAGE * IMAGES_KEPT * len(functions), f"{IMAGES_KEPT} of each of {len(functions)}"
        ),
        "secrets": always("secret_version", versions, f"{versions} versions of its own"),
    }
    return tuple(Part(name=name, before=rest, after=busy) for name, (rest, busy) in named.items())


def suite_rows(*, with_free: bool, prices: Prices | None = None) -> tuple[Row, ...]:
    """A row for each part, with what a billing account has for nothing each month, or without."""
    listed = prices or load_prices()
    if not with_free:
        listed = _without_free(listed)
    return estimate(suite_parts(load_functions()), listed)


def suite_cost_lines() -> Iterator[str]:
    """A table for a person."""
    listed = load_prices()
    yield f"The suite itself, a month at list prices in {listed.region} as of {listed.recorded} ({listed.currency}):"
    yield f"  {'':<10} {'at rest':>9} {f'{EVENTS_A_DAY:,} events a day':>20}"
    for row in (rows := suite_rows(with_free=False)):
        yield f"  {row.name:<10} {row.before:>9.2f} {row.after:>20.2f}  {row.how}"
    free = suite_rows(with_free=True)
    for name, added in (("together", rows), ("less free", free)):
        before, after = (sum(getattr(row, column) for row in added) for column in ("before", "after"))
        yield f"  {name:<10} {before:>9.2f} {after:>20.2f}"
    if announced := [price.charged_from for price in listed.prices.values() if price.charged_from]:
        more = sum(row.after for row in suite_rows(with_free=False, prices=_with_announced(listed)))
        more -= sum(row.after for row in rows)
        yield f"  Alerts are free; from {min(announced)} at the earliest they are to cost {more:.2f}."


def _with_announced(prices: Prices) -> Prices:
    """As if what is announced were charged already."""
    charged = {key: msgspec.structs.replace(price, charged_from=None) for key, price in prices.prices.items()}
    return msgspec.structs.replace(prices, prices=charged)


def _without_free(prices: Prices) -> Prices:
    plain = {key: msgspec.structs.replace(price, free=0) for key, price in prices.prices.items()}
    return msgspec.structs.replace(prices, prices=plain)


if __name__ == "__main__":
    print("\n".join(suite_cost_lines()))
