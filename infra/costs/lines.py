"""The cost estimate as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from functions.scale_gpu_pools.settings import Settings
from infra.costs.estimate import PRICES, PRODUCT, Prices, Row, estimate, load_prices, load_product
from infra.costs.pools import pool_rows
from infra.costs.suite import EVENTS_A_DAY, suite_rows
from shared.settings import parse

AUTOMATION = "scale_gpu_pools"
RECENT = timedelta(days=92)
NAMED = ("old figures", "nothing")


def cost_lines(
    owner: Mapping[str, object], now: datetime, *, product: Path = PRODUCT, prices: Path = PRICES
) -> Iterator[str]:
    """The monthly cost before and after: of the product, and of the GPU pools in the owner's settings.

    Raises ``SettingsError`` for invalid settings, product or prices.
    """
    listed = load_prices(prices)
    yield f"The product, a month at list prices in {listed.region} as of {listed.recorded} ({listed.currency}):"
    yield from cost_table((*estimate(load_product(product), listed), _suite(listed)))
    yield f"  Prices: {_compared(listed)}."
    if AUTOMATION in owner:
        settings = parse(owner, AUTOMATION, Settings).section
        if rows := tuple(pool_rows(settings, now)):
            yield ""
            yield f"Your GPU pools, a month at the prices of your settings ({settings.currency}), before idleness:"
            yield from cost_table(rows)


def _compared(prices: Prices) -> str:
    """The numbers of prices by their comparison, and the prices without one, or with an old one."""
    counted: dict[str, list[str]] = {
        "recent figures": [],
        "figures without a day": [],
        "old figures": [],
        "nothing": [],
    }
    for key, price in prices.prices.items():
        source = prices.sources[price.source]
        if source.compared_with is None:
            counted["nothing"].append(key)
        elif source.as_of is None:
            counted["figures without a day"].append(key)
        else:
            counted["recent figures" if prices.recorded - source.as_of <= RECENT else "old figures"].append(key)
    return f"{len(prices.prices)}, compared with " + ", ".join(
        f"{what}: {len(keys)}" + (f" ({', '.join(keys)})" if keys and what in NAMED else "")
        for what, keys in counted.items()
    )


def _suite(prices: Prices) -> Row:
    """Caretaker's own cost: the product is assumed to use up its free units."""
    after = sum(row.after for row in suite_rows(with_free=False, prices=prices))
    return Row(name="Caretaker", how=f"at {EVENTS_A_DAY:,} events a day", before=0, after=after, in_plan=False)


def cost_table(rows: Sequence[Row]) -> Iterator[str]:
    """The total of the costs in the plan, then the total including the costs that the plan left out, if any."""
    planned = [row for row in rows if row.in_plan]
    shown = [*planned, _total("together", planned)]
    if left_out := [row for row in rows if not row.in_plan]:
        shown += [*left_out, _total("with what the plan left out", rows)]
    width = max(len(row.name) for row in shown)
    yield f"  {'':<{width}}  {'before':>8}  {'after':>8}"
    for row in shown:
        yield f"  {row.name:<{width}}  {row.before:>8.2f}  {row.after:>8.2f}  {row.how}"


def _total(name: str, rows: Sequence[Row]) -> Row:
    return Row(
        name=name, how=_saving(rows), before=sum(row.before for row in rows), after=sum(row.after for row in rows)
    )


def _saving(rows: Sequence[Row]) -> str:
    before = sum(row.before for row in rows)
    after = sum(row.after for row in rows)
    return f"{1 - after / before:.0%} less" if before > after else "no less"
