"""Estimates a month's cost from usage and prices: data in, data out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from shared.errors import SettingsError
from shared.settings import convert
from shared.yaml_file import located_in, read_yaml_file

HERE = Path(__file__).resolve().parent
PRICES = HERE / "prices.yaml"
PRODUCT = HERE / "product.yaml"

LoadedT = TypeVar("LoadedT")
Amount = Annotated[float, Meta(ge=0)]


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the data: unknown keys are refused."""


class Source(Model, frozen=True, kw_only=True):
    """The source of a price, and how it was checked."""

    page: str
    """Google's own."""
    compared_with: str | None = None
    """The comparison of its prices, in words; None if there was none."""
    as_of: date | None = None
    """Of which day that is; None if it does not say."""


class Price(Model, frozen=True, kw_only=True):
    """The price of a unit."""

    usd: Amount
    per: str
    """The unit."""
    free: Amount = 0
    """The number of free units in a month."""
    charged_from: date | None = None
    """Announced: until this day it costs nothing."""
    source: str
    """The key of the page that is the source."""


class Prices(Model, frozen=True, kw_only=True):
    """A list of prices, as it was on a day."""

    currency: str
    recorded: date
    region: str
    sources: dict[str, Source]
    """By key."""
    prices: dict[str, Price]

    @property
    def charged(self) -> dict[str, Price]:
        """The price on the day of the list: none, if it is only announced."""
        free = {
            key: msgspec.structs.replace(price, usd=0.0)
            for key, price in self.prices.items()
            if self._is_announced(price)
        }
        return self.prices | free

    def _is_announced(self, price: Price) -> bool:
        return price.charged_from is not None and price.charged_from > self.recorded


class Use(Model, frozen=True, kw_only=True):
    """Some units of something, in a month."""

    price: str
    """The key of its price."""
    amount: Amount
    times: Amount = 1

    @property
    def units(self) -> float:
        """The total number."""
        return self.amount * self.times


class State(Model, frozen=True, kw_only=True):
    """The way a part of the product runs."""

    how: str
    uses: tuple[Use, ...] = ()


class Part(Model, frozen=True, kw_only=True):
    """A part of the product, before and after."""

    name: str
    in_plan: bool = True
    """Whether the plan's estimate included it."""
    before: State
    after: State


class Row(Model, frozen=True, kw_only=True):
    """The monthly cost of a part, before and after, in the currency of the prices."""

    name: str
    how: str
    """The way it runs after, or the difference."""
    before: float
    after: float
    in_plan: bool = True


def load_prices(path: Path = PRICES) -> Prices:
    """The list of prices. Raises ``SettingsError``, also for a price without a source."""
    prices = _load(path, Prices)
    for key, price in prices.prices.items():
        if price.source not in prices.sources:
            raise SettingsError(f"prices.{key}.source", price.source, f"one of {', '.join(prices.sources)}")
    return prices


def load_product(path: Path = PRODUCT) -> tuple[Part, ...]:
    """The parts of a product. Raises ``SettingsError``."""
    return _load(path, tuple[Part, ...])


def estimate(product: Sequence[Part], prices: Prices) -> tuple[Row, ...]:
    """A row for each part. Raises ``SettingsError`` for a price that is not listed, or whose free units count twice."""
    for column in ("before", "after"):
        _check([use for part in product for use in getattr(part, column).uses], prices, column)
    charged = prices.charged
    return tuple(
        Row(
            name=part.name,
            how=part.after.how,
            before=_cost(part.before, charged),
            after=_cost(part.after, charged),
            in_plan=part.in_plan,
        )
        for part in product
    )


def _check(uses: Sequence[Use], prices: Prices, column: str) -> None:
    counted = Counter(use.price for use in uses)
    for key, times in counted.items():
        if key not in prices.prices:
            raise SettingsError(f"{column}: price", key, f"one of {', '.join(prices.prices)}")
        if times > 1 and prices.prices[key].free:
            raise SettingsError(
                f"{column}: price", key, "named once, as its free units are there once: add the amounts up"
            )


def _cost(state: State, prices: Mapping[str, Price]) -> float:
    return sum(_costs(state, prices))


def _costs(state: State, prices: Mapping[str, Price]) -> Iterator[float]:
    for use in state.uses:
        price = prices[use.price]
        yield max(0.0, use.units - price.free) * price.usd


def _load(path: Path, type_: type[LoadedT]) -> LoadedT:
    file = read_yaml_file(path)
    with located_in(file):
        return convert(file.data, type_, "")
