"""The reckoning as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from functions.scale_gpu_pools.settings import Settings
from infra.costs.pools import pool_rows
from infra.costs.reckoning import PRICES, PRODUCT, Row, load_prices, load_product, reckon
from shared.settings import parse

AUTOMATION = "scale_gpu_pools"


def cost_lines(
    owner: Mapping[str, object], now: datetime, *, product: Path = PRODUCT, prices: Path = PRICES
) -> Iterator[str]:
    """What a month costs before and after: the product's, and the GPU pools' of the owner's settings.

    Raises ``SettingsError`` for settings, a product or prices that will not do.
    """
    listed = load_prices(prices)
    yield f"The product, a month at list prices in {listed.region} as of {listed.recorded} ({listed.currency}):"
    yield from _table(reckon(load_product(product), listed))
    if AUTOMATION in owner:
        settings = parse(owner, AUTOMATION, Settings).section
        if rows := tuple(pool_rows(settings, now)):
            yield ""
            yield f"Your GPU pools, a month at the prices of your settings ({settings.currency}), before idleness:"
            yield from _table(rows)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    total = Row(
        name="together", how=_saving(rows), before=sum(row.before for row in rows), after=sum(row.after for row in rows)
    )
    width = max(len(row.name) for row in (*rows, total))
    yield f"  {'':<{width}}  {'before':>8}  {'after':>8}"
    for row in (*rows, total):
        yield f"  {row.name:<{width}}  {row.before:>8.2f}  {row.after:>8.2f}  {row.how}"


def _saving(rows: Sequence[Row]) -> str:
    before = sum(row.before for row in rows)
    after = sum(row.after for row in rows)
    return f"{1 - after / before:.0%} less" if before > after else "no less"
