"""What the owner may say of GPU pools, and what is said of what will not do: key, value, and what would."""

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from functions.scale_gpu_pools.settings import (
    GpuDutyCycle,
    Idle,
    Metric,
    NodePool,
    PendingMessages,
    Pool,
    Savings,
    Service,
    Settings,
    WorkerPool,
)
from shared.errors import SettingsError
from shared.hours import Hours
from shared.settings import Mode, parse
from tests.functions.scale_gpu_pools.stage import GPU, QUEUE, a_pool

Data = dict[str, Any]
WORKERS: Data = {"project": "my-product", "region": "europe-west4", "name": "render"}
DUTY: Data = {"kind": "gpu_duty_cycle", "project": "my-product", "location": "europe-west4", "cluster": "training"}
GAUGE: Data = {"kind": "metric", "project": "my-product", "filter": 'metric.type = "custom/load"', "at_most": 0.5}

ONE_PLACE = "exactly one of `node_pool`, `worker_pool` and `service`"
ANOTHER_WAKE = "a signal that turns it on again, as an idle pool without `hours` stays off"
PRICE = "a price, as `savings` asks what was saved"
NO_KEY = "there is no such key; known keys here are"
KEYS = "node_pool, worker_pool, service, size, hours, idle, wake, hourly_price, on_drift, nodes_within_minutes"
PROJECT_ID = "expected `str` matching regex '^[a-z][a-z0-9-]{4,28}[a-z0-9]$'"
LOCATION = "expected `str` matching regex '^[a-z]+-[a-z]+[0-9]+(-[a-z])?$'"
REGION = "expected `str` matching regex '^[a-z]+-[a-z]+[0-9]+$'"
ID = "expected `str` matching regex '^[a-z]([a-z0-9-]*[a-z0-9])?$'"
SUBSCRIPTION = "expected `str` matching regex '^projects/[a-z0-9:.-]+/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$'"
FILTER = r"""expected `str` matching regex 'metric\\.type\\s*=\\s*"'"""
KEY = "as a key, expected `str` matching regex '^[a-z0-9][a-z0-9_-]*$'"


def said_of(section: object) -> str:
    """What is said of a section that will not do."""
    with pytest.raises(SettingsError) as error:
        parse({"mode": "act", "scale_gpu_pools": section}, "scale_gpu_pools", Settings)
    assert str(error.value) == f"{error.value.key}: {error.value.value!r} will not do: {error.value.what_would_do}"
    return str(error.value)


def complaint(change: Callable[[Data], object]) -> str:
    """What is said of the usual pool, with signals and prices, after a change of it."""
    pool = copy.deepcopy(a_pool(idle={"signals": [QUEUE]}, wake=[QUEUE]))
    change(pool)
    said = said_of({"pools": {"gpu": pool}, "savings": {"currency": "USD"}})
    return said.removeprefix("scale_gpu_pools.pools.gpu.")


def test_a_full_example() -> None:
    section = {
        "mode": "observe",
        "pools": {
            "gpu": a_pool(
                hours={"time_zone": "Europe/Berlin", "windows": ["mon-fri 08:00-19:00"], "holidays": ["2026-12-25"]},
                idle={"for_minutes": 45, "signals": [DUTY, QUEUE | {"at_most": 3}]},
                wake=[GAUGE],
                on_drift="enforce",
                nodes_within_minutes=30,
            ),
            "render": {"worker_pool": WORKERS, "size": 4, "hourly_price": 1, "wake": [QUEUE]},
            "api": {"service": WORKERS, "size": 1, "hourly_price": 0.5},
        },
        "savings": {"currency": "EUR"},
    }
    queue = PendingMessages(subscription="projects/my-product/subscriptions/jobs")
    gpu = Pool(
        node_pool=NodePool(project="my-product", location="europe-west4", cluster="training", name="gpu"),
        size=1,
        hours=Hours(time_zone="Europe/Berlin", windows=("mon-fri 08:00-19:00",), holidays=(date(2026, 12, 25),)),
        idle=Idle(
            for_minutes=45,
            signals=(
                GpuDutyCycle(project="my-product", location="europe-west4", cluster="training"),
                msgspec.structs.replace(queue, at_most=3),
            ),
        ),
        wake=(Metric(project="my-product", filter='metric.type = "custom/load"', at_most=0.5),),
        hourly_price=2.0,
        on_drift="enforce",
        nodes_within_minutes=30,
    )
    workers = WorkerPool(project="my-product", region="europe-west4", name="render")
    service = Service(project="my-product", region="europe-west4", name="render")
    expected = Settings(
        mode=Mode.OBSERVE,
        pools={
            "gpu": gpu,
            "render": Pool(worker_pool=workers, size=4, hourly_price=1.0, wake=(queue,)),
            "api": Pool(service=service, size=1, hourly_price=0.5),
        },
        savings=Savings(currency="EUR"),
    )
    read = parse({"scale_gpu_pools": section}, "scale_gpu_pools", Settings).section
    assert read == expected
    assert read.currency == "EUR"
    assert [pool.full_name for pool in read.pools.values()] == [
        GPU,
        "projects/my-product/locations/europe-west4/workerPools/render",
        "projects/my-product/locations/europe-west4/services/render",
    ]
    again = json.loads(msgspec.json.encode({"scale_gpu_pools": read}))
    assert parse(again, "scale_gpu_pools", Settings).section == read


def test_prices_are_needed_for_savings_alone() -> None:
    pool = {"service": WORKERS, "size": 1}
    read = parse({"scale_gpu_pools": {"pools": {"api": pool}}}, "scale_gpu_pools", Settings).section
    assert (read.pools["api"].hourly_price, read.currency) == (None, "")


def test_a_cluster_may_be_of_a_zone() -> None:
    place = {"project": "my-product", "location": "europe-west4-a", "cluster": "training", "name": "gpu"}
    section = {"pools": {"gpu": a_pool(node_pool=place)}}
    read = parse({"scale_gpu_pools": section}, "scale_gpu_pools", Settings).section
    assert read.pools["gpu"].full_name == GPU.replace("europe-west4", "europe-west4-a")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.pop("node_pool"), f"node_pool: [] will not do: {ONE_PLACE}"),
        (lambda p: p.update(node_pool=None), f"node_pool: [] will not do: {ONE_PLACE}"),
        (lambda p: p.update(service=WORKERS), f"node_pool: ['node_pool', 'service'] will not do: {ONE_PLACE}"),
        (
            lambda p: p.update(service=WORKERS, worker_pool=WORKERS),
            f"node_pool: ['node_pool', 'worker_pool', 'service'] will not do: {ONE_PLACE}",
        ),
        (lambda p: p.update(node_pool=GPU), f"node_pool: '{GPU}' will not do: expected `object | null`, got `str`"),
        (lambda p: p["node_pool"].pop("name"), "node_pool.name: None will not do: it is required"),
        (
            lambda p: p["node_pool"].update(zone="a"),
            f"node_pool.zone: 'a' will not do: {NO_KEY} project, location, cluster, name",
        ),
        (
            lambda p: p["node_pool"].update(project="My-Product"),
            f"node_pool.project: 'My-Product' will not do: {PROJECT_ID}",
        ),
        (lambda p: p["node_pool"].update(project="123456"), f"node_pool.project: '123456' will not do: {PROJECT_ID}"),
        (lambda p: p["node_pool"].update(location="europe"), f"node_pool.location: 'europe' will not do: {LOCATION}"),
        (lambda p: p["node_pool"].update(location="-"), f"node_pool.location: '-' will not do: {LOCATION}"),
        (lambda p: p["node_pool"].update(cluster="a/b"), f"node_pool.cluster: 'a/b' will not do: {ID}"),
        (lambda p: p["node_pool"].update(name="gpu-"), f"node_pool.name: 'gpu-' will not do: {ID}"),
        (lambda p: p["node_pool"].update(name="*"), f"node_pool.name: '*' will not do: {ID}"),
        (
            lambda p: p["node_pool"].update(name="g" * 64),
            f"node_pool.name: '{'g' * 64}' will not do: expected `str` of length <= 63",
        ),
        (
            lambda p: (p.pop("node_pool"), p.update(worker_pool=WORKERS | {"region": "europe-west4-a"})),
            f"worker_pool.region: 'europe-west4-a' will not do: {REGION}",
        ),
        (
            lambda p: (p.pop("node_pool"), p.update(service=WORKERS | {"location": "europe-west4"})),
            f"service.location: 'europe-west4' will not do: {NO_KEY} project, region, name",
        ),
        (lambda p: p.pop("hourly_price"), f"hourly_price: None will not do: {PRICE}"),
        (lambda p: p.update(hourly_price=-0.5), "hourly_price: -0.5 will not do: expected `float` >= 0.0"),
        (
            lambda p: p.update(hourly_price="2"),
            "hourly_price: '2' will not do: expected `float | null`, got `str`",
        ),
        (lambda p: (p.pop("hours"), p.pop("wake")), f"wake: [] will not do: {ANOTHER_WAKE}"),
        (lambda p: (p.pop("hours"), p.update(wake=[])), f"wake: [] will not do: {ANOTHER_WAKE}"),
        (lambda p: p.pop("size"), "size: None will not do: it is required"),
        (lambda p: p.update(size=0), "size: 0 will not do: expected `int` >= 1"),
        (lambda p: p.update(size=1001), "size: 1001 will not do: expected `int` <= 1000"),
        (lambda p: p.update(sizes=3), "sizes: 3 will not do: there is no such key; did you mean `size`?"),
        (lambda p: p.update(xyz=3), f"xyz: 3 will not do: {NO_KEY} {KEYS}"),
        (lambda p: p.update(on_drift="ignore"), "on_drift: 'ignore' will not do: it is one of enforce, respect"),
        (
            lambda p: p.update(nodes_within_minutes=4),
            "nodes_within_minutes: 4 will not do: expected `int` >= 5",
        ),
        (lambda p: p["idle"].update(for_minutes=1441), "idle.for_minutes: 1441 will not do: expected `int` <= 1440"),
        (lambda p: p["idle"].update(signals=[]), "idle.signals: [] will not do: expected `array` of length >= 1"),
        (lambda p: p.update(wake=QUEUE), f"wake: {QUEUE} will not do: expected `array`, got `object`"),
        (
            lambda p: p["hours"].update(time_zone="Mars"),
            "hours.time_zone: 'Mars' will not do: the IANA name of a time zone, such as Europe/Berlin",
        ),
        (lambda p: p["hours"].update(windows=[]), "hours.windows: [] will not do: expected `array` of length >= 1"),
    ],
)
def test_a_pool_that_will_not_do(change: Callable[[Data], object], said: str) -> None:
    assert complaint(change) == said


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (QUEUE | {"kind": "queue"}, "kind: 'queue' will not do: it is one of pending_messages, gpu_duty_cycle, metric"),
        ({"subscription": "jobs"}, "kind: None will not do: it is required"),
        (QUEUE | {"subscription": "jobs"}, f"subscription: 'jobs' will not do: {SUBSCRIPTION}"),
        (QUEUE | {"at_most": -1}, "at_most: -1 will not do: expected `int` >= 0"),
        (QUEUE | {"at_mots": 1}, "at_mots: 1 will not do: there is no such key; did you mean `at_most`?"),
        (
            QUEUE | {"cluster": "c"},
            f"cluster: 'c' will not do: {NO_KEY} subscription, at_most",
        ),
        (DUTY | {"at_most": 100}, "at_most: 100 will not do: expected `float` < 100.0"),
        (DUTY | {"location": "*"}, f"location: '*' will not do: {LOCATION}"),
        (GAUGE | {"filter": "x"}, f"filter: 'x' will not do: {FILTER}"),
        (GAUGE | {"at_most": float("nan")}, "at_most: nan will not do: expected `float`, got `null`"),
        ({key: value for key, value in GAUGE.items() if key != "at_most"}, "at_most: None will not do: it is required"),
    ],
)
def test_a_signal_that_will_not_do(signal: Data, said: str) -> None:
    assert complaint(lambda pool: pool.update(wake=[QUEUE, signal])) == f"wake[1].{said}"
    assert complaint(lambda pool: pool["idle"].update(signals=[signal])) == f"idle.signals[0].{said}"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (None, "scale_gpu_pools: None will not do: expected `object`, got `null`"),
        ({}, "scale_gpu_pools.pools: None will not do: it is required"),
        ({"pools": [a_pool()]}, f"scale_gpu_pools.pools: {[a_pool()]} will not do: expected `object`, got `array`"),
        ({"pools": {}, "mode": "off"}, "scale_gpu_pools.mode: 'off' will not do: it is one of observe, act"),
        (
            {"pools": {}, "saving": {}},
            "scale_gpu_pools.saving: {} will not do: there is no such key; did you mean `savings`?",
        ),
        ({"pools": {}, "savings": {}}, "scale_gpu_pools.savings.currency: None will not do: it is required"),
        (
            {"pools": {}, "savings": {"currency": "usd"}},
            "scale_gpu_pools.savings.currency: 'usd' will not do: expected `str` matching regex '^[A-Z]{3}$'",
        ),
        ({"pools": {"My Pool": a_pool()}}, f"scale_gpu_pools.pools: 'My Pool' will not do: {KEY}"),
        ({"pools": {"one": a_pool(), "_two": a_pool()}}, f"scale_gpu_pools.pools: '_two' will not do: {KEY}"),
        (
            {"pools": {"one": a_pool(), "two": a_pool(size=3)}},
            f"scale_gpu_pools.pools.two: '{GPU}' will not do: a pool of its own: `one` has this one",
        ),
        (
            {"pools": {"one": a_pool(), "two": a_pool(size=0)}},
            "scale_gpu_pools.pools.two.size: 0 will not do: expected `int` >= 1",
        ),
    ],
)
def test_a_section_that_will_not_do(section: object, said: str) -> None:
    assert said_of(section) == said
