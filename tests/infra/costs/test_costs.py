"""The cost estimate: prices, the plan's figures, and the tables in the docs."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from functions.scale_gpu_pools.settings import Settings
from infra.costs import __main__ as command
from infra.costs.estimate import (
    PRICES,
    PRODUCT,
    Part,
    Price,
    Prices,
    Source,
    State,
    Use,
    estimate,
    load_prices,
    load_product,
)
from infra.costs.lines import cost_lines
from infra.costs.pools import HOURS_OF_A_MONTH, hours_of_a_month, pool_rows
from infra.costs.suite import suite_parts
from infra.suite.automations import ROOT, load_functions
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from shared.errors import SettingsError
from shared.settings import parse

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday


def list_of(**prices: Price) -> Prices:
    """A list of prices that stands nowhere."""
    page = {"page": Source(page="https://x")}
    return Prices(currency="USD", recorded=date(2026, 11, 25), region="nowhere", sources=page, prices=prices)


def part(*before: Use, after: tuple[Use, ...] = ()) -> Part:
    """A part of a product."""
    return Part(name="API", before=State(how="so", uses=before), after=State(how="otherwise", uses=after))


SIGNAL = {"kind": "pending_messages", "subscription": "projects/my-product/subscriptions/jobs"}
WHEN_IDLE = {"idle": {"signals": [SIGNAL]}, "wake": [SIGNAL]}
HOUR = Price(usd=0.5, per="hour", source="page")
REQUEST = Price(usd=0.01, per="request", free=100, source="page")


@pytest.mark.parametrize(
    ("use", "costs"),
    [
        (Use(price="hour", amount=10), 5.0),
        (Use(price="hour", amount=10, times=3), 15.0),
        (Use(price="request", amount=99), 0.0),
        (Use(price="request", amount=60, times=2), 0.2),
    ],
)
def test_units_beyond_the_free_ones_are_paid(use: Use, costs: float) -> None:
    (row,) = estimate([part(use)], list_of(hour=HOUR, request=REQUEST))
    assert (row.name, row.how, row.after) == ("API", "otherwise", 0)
    assert row.before == pytest.approx(costs)


def test_a_price_that_is_not_listed() -> None:
    with pytest.raises(SettingsError, match=r"'day'.*one of hour"):
        estimate([part(after=(Use(price="day", amount=1),))], list_of(hour=HOUR))


def test_free_units_count_once() -> None:
    twice = Use(price="request", amount=50)
    with pytest.raises(SettingsError, match="add the amounts up"):
        estimate([part(twice), part(twice)], list_of(request=REQUEST))
    assert estimate([part(twice, after=(twice,))], list_of(request=REQUEST))[0].before == 0


@pytest.mark.parametrize(("day", "costs"), [(date(2026, 11, 25), 5.0), (date(2026, 11, 26), 0.0)])
def test_what_is_only_announced_costs_nothing_yet(day: date, costs: float) -> None:
    announced = msgspec.structs.replace(HOUR, charged_from=day)
    assert estimate([part(Use(price="hour", amount=10))], list_of(hour=announced))[0].before == costs


def test_the_plan_promised_from_about_400_to_about_100() -> None:
    rows = [row for row in estimate(load_product(), load_prices()) if row.in_plan]
    assert sum(row.before for row in rows) == pytest.approx(400, rel=0.05)
    assert sum(row.after for row in rows) == pytest.approx(100, rel=0.2)


def test_each_price_is_used_and_says_where_it_is_from() -> None:
    prices, product = load_prices(), (*load_product(), *suite_parts(load_functions()))
    used = {use.price for each in product for state in (each.before, each.after) for use in state.uses}
    assert used == set(prices.prices)
    assert {price.source for price in prices.prices.values()} == set(prices.sources)
    assert all(source.page.startswith("https://cloud.google.com/") for source in prices.sources.values())


def test_each_price_says_what_it_was_compared_with() -> None:
    prices = load_prices()
    assert [key for key, source in prices.sources.items() if source.as_of and not source.compared_with] == []
    assert [key for key, source in prices.sources.items() if source.as_of and source.as_of > prices.recorded] == []


def test_prices_that_were_compared_with_nothing_are_named(tmp_path: Path) -> None:
    text = PRICES.read_text(encoding="utf-8")
    path = tmp_path / "prices.yaml"
    path.write_text(
        text.replace("    compared_with: the page, as others have quoted it, without a day\n", "", 1), "utf-8"
    )
    (shown,) = (line for line in cost_lines({}, NOW, prices=path) if line.startswith("  Prices: "))
    assert shown.endswith(
        "old figures: 2 (e2_standard_2_spot, g2_standard_4_spot), nothing: 2 (storage_standard, storage_nearline)."
    )


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("source: run}", "source: walk}", "one of run"),
        ("usd: 0.10", "usd: -1", "of at least 0"),
        ("recorded: 2026-11-25", "recorded: soon", "date"),
        ("per: hour", "pre: hour", "pre"),
        ("prices:", "prices: [", "cannot parse"),
    ],
)
def test_a_list_of_prices_that_will_not_do(tmp_path: Path, old: str, new: str, shown: str) -> None:
    text = PRICES.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "prices.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=shown):
        load_prices(path)


def test_a_product_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_product(tmp_path / "product.yaml")


def pools_of(**pool: object) -> Settings:
    """Settings with one pool."""
    whole = {"worker_pool": {"project": "my-product", "region": "europe-west1", "name": "gpu"}, "size": 2, **pool}
    return parse({"scale_gpu_pools": {"pools": {"gpu": whole}}}, "scale_gpu_pools", Settings).section


@pytest.mark.parametrize(
    ("windows", "share"),
    [(["mon-fri 08:00-20:00"], 60 / 168), (["daily 00:00-24:00"], 1), (["sat 22:00-02:00"], 4 / 168)],
)
def test_the_hours_of_a_pool(windows: list[str], share: float) -> None:
    settings = pools_of(hours={"time_zone": "Etc/UTC", "windows": windows}, hourly_price=0.5)
    (row,) = pool_rows(settings, NOW)
    assert row.before == pytest.approx(2 * 0.5 * HOURS_OF_A_MONTH)
    assert row.after == pytest.approx(row.before * share, rel=0.005)
    in_zones = pools_of(hourly_price=0.5, zones=3, hours={"time_zone": "Etc/UTC", "windows": windows})
    assert [one.before for one in pool_rows(in_zones, NOW)] == [pytest.approx(3 * row.before)]


def test_a_pool_without_hours_may_always_be_on_and_one_without_a_price_is_not_estimated() -> None:
    assert hours_of_a_month(pools_of(**WHEN_IDLE).pools["gpu"], NOW) == HOURS_OF_A_MONTH
    assert list(pool_rows(pools_of(**WHEN_IDLE), NOW)) == []


def test_the_lines_for_status() -> None:
    owner = load_caretaker_yaml(EXAMPLES / "caretaker.yaml")
    lines = list(cost_lines(owner, NOW))
    assert lines[0] == "The product, a month at list prices in us-central1 as of 2026-11-25 (USD):"
    product, pools = lines[: lines.index("")], lines[lines.index("") :]
    assert list(cost_lines({}, NOW)) == product
    assert pools[-1] == "  together              1854.20    771.26  58% less"


def test_the_table_in_the_docs_is_the_estimate() -> None:
    shown = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert "\n".join(cost_lines({}, NOW)) in shown, "run ./deploy.sh generate"


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["costs", "--product", str(PRODUCT)])
    assert command.main() == 0
    assert "together" in capsys.readouterr().out
    empty = tmp_path / "product.yaml"
    empty.write_bytes(msgspec.json.encode([{"name": "API"}]))
    monkeypatch.setattr("sys.argv", ["costs", "--product", str(empty)])
    assert command.main() == 2
    assert "before" in capsys.readouterr().err
