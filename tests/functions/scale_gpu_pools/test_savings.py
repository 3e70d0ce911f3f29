"""The savings of pools at zero: hours, nodes and prices, on the days on which they did not run."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from functions.scale_gpu_pools.baseline import nodes_that_would_run
from functions.scale_gpu_pools.records import Interval
from functions.scale_gpu_pools.savings import (
    MonthOfSavings,
    by_day,
    document_of,
    months_before,
    saved,
    with_interval,
)
from functions.scale_gpu_pools.settings import CloudRunPool, NodePool, Service, WorkerPool
from functions.scale_gpu_pools.world import OFF
from shared.hours import Hours

LONGEST_ID = 1500
"""In bytes: https://cloud.google.com/firestore/quotas#collections_documents_and_fields."""
MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
LATER = datetime(2026, 12, 1, tzinfo=UTC)

moments = some.datetimes(datetime(2026, 10, 1), datetime(2026, 12, 1), timezones=some.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
intervals = some.builds(
    Interval,
    began=moments,
    nodes=some.integers(1, 100),
    hourly_price=some.floats(0, 100),
    currency=some.sampled_from(["EUR", "USD"]),
    stopped=some.none() | moments,
)


def at(day: int, hour: float) -> datetime:
    """A moment in November 2026, by day and hour in UTC."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour)


def interval(
    began: datetime, stopped: datetime | None, nodes: int = 2, price: float = 1.5, currency: str = "USD"
) -> Interval:
    """A time at zero."""
    return Interval(began, nodes, price, currency, stopped)


@pytest.mark.parametrize(
    ("listed", "days"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([interval(at(16, 10), at(16, 14))], {(MONDAY, "USD"): 12.0}, id="within a day"),
        pytest.param(
            [interval(at(16, 22), at(17, 6))], {(MONDAY, "USD"): 6.0, (TUESDAY, "USD"): 18.0}, id="over midnight"
        ),
        pytest.param([interval(at(16, 0), at(17, 0))], {(MONDAY, "USD"): 72.0}, id="up to midnight"),
        pytest.param(
            [interval(at(16, 23), at(18, 1))],
            {(MONDAY, "USD"): 3.0, (TUESDAY, "USD"): 72.0, (WEDNESDAY, "USD"): 3.0},
            id="several days",
        ),
        pytest.param(
            [interval(at(16, 8), at(16, 9)), interval(at(16, 20), at(16, 22), nodes=1)],
            {(MONDAY, "USD"): 6.0},
            id="two on one day",
        ),
        pytest.param(
            [interval(at(16, 8), at(16, 9)), interval(at(16, 8), at(16, 9), currency="EUR")],
            {(MONDAY, "USD"): 3.0, (MONDAY, "EUR"): 3.0},
            id="two currencies",
        ),
        pytest.param(
            [interval(at(16, 8), at(16, 9)), interval(at(16, 9), at(16, 10), price=3.0)],
            {(MONDAY, "USD"): 9.0},
            id="a price that changed",
        ),
        pytest.param([interval(at(16, 8), at(16, 8))], {}, id="no time"),
        pytest.param([interval(at(16, 8), at(16, 7))], {}, id="it stopped before it began"),
        pytest.param([interval(at(16, 8), at(16, 9), price=0.0)], {(MONDAY, "USD"): 0.0}, id="for nothing"),
        pytest.param([interval(at(16, 10), at(16, 10.25))], {(MONDAY, "USD"): 0.75}, id="a quarter of an hour"),
    ],
)
def test_what_was_saved_on_each_day(listed: list[Interval], days: dict[tuple[date, str], float]) -> None:
    assert by_day(listed, LATER) == pytest.approx(days)


def test_an_interval_that_has_not_ended_counts_up_to_now() -> None:
    still = interval(at(16, 22), None)
    assert by_day([still], at(17, 6)) == pytest.approx({(MONDAY, "USD"): 6.0, (TUESDAY, "USD"): 18.0})
    assert (saved(still, at(17, 6)), saved(still, at(16, 22)), saved(still, at(16, 21))) == (24.0, 0.0, 0.0)


def test_days_are_those_of_utc() -> None:
    east = timezone(timedelta(hours=9))
    abroad = interval(datetime(2026, 11, 17, 8, tzinfo=east), datetime(2026, 11, 17, 10, tzinfo=east))
    assert by_day([abroad], LATER) == pytest.approx({(MONDAY, "USD"): 3.0, (TUESDAY, "USD"): 3.0})


@given(some.lists(intervals, max_size=5), moments)
def test_the_days_make_the_sum(listed: list[Interval], now: datetime) -> None:
    days = by_day(listed, now)
    for currency in ("EUR", "USD"):
        of_days = sum(amount for (_, of), amount in days.items() if of == currency)
        assert of_days == pytest.approx(sum(saved(one, now) for one in listed if one.currency == currency), abs=1e-6)


@given(some.lists(intervals, max_size=5), moments)
def test_nothing_saved_is_ever_less_than_nothing(listed: list[Interval], now: datetime) -> None:
    assert all(amount >= 0 for amount in by_day(listed, now).values())
    assert all(saved(one, now) >= 0 for one in listed)


@given(some.lists(intervals, max_size=5), intervals)
def test_an_interval_that_is_there_already_changes_nothing(listed: list[Interval], once_more: Interval) -> None:
    book = MonthOfSavings()
    for one in listed:
        book = with_interval(book, one)
    fuller = with_interval(book, once_more)
    assert with_interval(fuller, once_more) == fuller
    assert once_more in fuller.intervals.values()


@given(some.lists(intervals, max_size=5, unique_by=lambda one: one.began), some.data())
def test_the_order_of_intervals_is_no_matter(listed: list[Interval], draw: some.DataObject) -> None:
    one, other = MonthOfSavings(), MonthOfSavings()
    for each in listed:
        one = with_interval(one, each)
    for each in draw.draw(some.permutations(listed)):
        other = with_interval(other, each)
    assert one == other
    assert len(one.intervals) == len(listed)


def test_one_moment_is_one_interval_in_every_time_zone() -> None:
    here = interval(at(16, 8), at(16, 9))
    there = replace(here, began=here.began.astimezone(timezone(timedelta(hours=-5))))
    book = with_interval(with_interval(MonthOfSavings(), here), there)
    assert list(book.intervals) == ["2026-11-16T08:00:00+00:00"]


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (at(16, 12), (date(2026, 10, 1), date(2026, 11, 1))),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), (date(2025, 12, 1), date(2026, 1, 1))),
        (datetime(2026, 3, 1, tzinfo=UTC), (date(2026, 2, 1), date(2026, 3, 1))),
        (datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=9))), (date(2026, 1, 1), date(2026, 2, 1))),
    ],
)
def test_this_month_and_the_one_before(now: datetime, months: tuple[date, date]) -> None:
    assert months_before(now) == months


projects = some.from_regex(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", fullmatch=True)
ids = some.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
regions = some.from_regex(r"[a-z]{1,20}-[a-z]{1,20}[0-9]{1,3}", fullmatch=True)
node_pools = some.builds(NodePool, project=projects, location=regions, cluster=ids, name=ids)
worker_pools = some.builds(WorkerPool, project=projects, region=regions, name=ids)
services = some.builds(Service, project=projects, region=regions, name=ids)


@given(some.one_of(node_pools, worker_pools, services), moments)
def test_the_document_of_a_pool_and_month_has_an_id_that_firestore_takes(
    pool: NodePool | CloudRunPool, month: datetime
) -> None:
    collection, slash, document = document_of(pool.full_name, month).partition("/")
    assert (collection, slash) == ("savings", "/")
    assert document.startswith(f"{month:%Y-%m}.projects.{pool.project}.locations.")
    assert "/" not in document
    assert len(document.encode()) <= LONGEST_ID


OFFICE = Hours(time_zone="Etc/UTC", windows=("mon-fri 08:00-18:00",))
DAY, NIGHT = at(16, 12), at(16, 22)


@pytest.mark.parametrize(
    ("hours", "autoscaling", "is_idle", "now", "nodes"),
    [
        (None, OFF, False, NIGHT, 6),
        (None, OFF, True, NIGHT, 6),
        (OFFICE, OFF, True, DAY, 6),
        (OFFICE, OFF, False, NIGHT, 6),
        (OFFICE, "0 to 2 nodes in each zone", False, NIGHT, 0),
        (OFFICE, "1 to 2 nodes in each zone", False, DAY, 6),
        (OFFICE, "1 to 2 nodes in each zone, ANY", True, DAY, 3),
        (OFFICE, "0 to 2 nodes in each zone", True, DAY, 0),
        (OFFICE, "2 to 9 nodes in all", True, DAY, 2),
        (OFFICE, "2 to 9 nodes in all", True, NIGHT, 2),
    ],
)
def test_savings_count_only_nodes_that_would_really_run(
    hours: Hours | None, autoscaling: str, *, is_idle: bool, now: datetime, nodes: int
) -> None:
    found = nodes_that_would_run(6, hours=hours, autoscaling=autoscaling, zones=3, is_idle=is_idle, now=now)
    assert found == nodes
