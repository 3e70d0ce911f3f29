"""Valid settings for GPU pools, and the errors for invalid ones: key, value, remedy."""

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
from tests.wrong_settings import parts_of

Data = dict[str, Any]
WORKERS: Data = {"project": "my-product", "region": "europe-west4", "name": "render"}
DUTY: Data = {"kind": "gpu_duty_cycle", "project": "my-product", "location": "europe-west4", "cluster": "training"}
GAUGE: Data = {"kind": "metric", "project": "my-product", "filter": 'metric.type = "custom/load"', "at_most": 0.5}

NODE_POOL = "a mapping with project, location, cluster and name"
ONE_PLACE = "exactly one of `node_pool`, `worker_pool` and `service`"
ANOTHER_WAKE = "a signal that turns it on again: an idle pool without `hours` stays off"
PRICE = "a price, because `savings` needs it"
NO_KEY = "one of"
KEYS = (
    "node_pool, worker_pool, service, size, zones, minimum, hours, idle, wake, hourly_price, on_drift, on_for_minutes, "
    "nodes_within_minutes"
)
PROJECT_ID = "text such as my-product matching ^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
LOCATION = r"text such as europe-west4 matching ^[a-z]+-[a-z]+[0-9]+(-[a-z])?$"
REGION = r"text such as europe-west1 matching ^[a-z]+-[a-z]+[0-9]+$"
ID = r"text such as my-product of at most 63 characters matching ^[a-z]([a-z0-9-]*[a-z0-9])?$"
SUBSCRIPTION = (
    "text such as projects/my-product/subscriptions/jobs matching "
    r"^projects/[a-z0-9:.-]+/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"
)
FILTER = r'text such as metric.type = "custom.googleapis.com/load" matching metric\.type\s*=\s*"'
KEY = r"text such as my-key matching ^[a-z0-9][a-z0-9_-]*$"


def said_of(section: object) -> str:
    """The error for an invalid section."""
    with pytest.raises(SettingsError) as error:
        parse({"mode": "act", "scale_gpu_pools": section}, "scale_gpu_pools", Settings)
    return parts_of(error.value)


def complaint(change: Callable[[Data], object]) -> str:
    """The error for the usual pool, with signals and prices, after a change of it."""
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
        (lambda p: p.pop("node_pool"), f"node_pool: []; expected {ONE_PLACE}"),
        (lambda p: p.update(node_pool=None), f"node_pool: []; expected {ONE_PLACE}"),
        (lambda p: p.update(service=WORKERS), f"node_pool: ['node_pool', 'service']; expected {ONE_PLACE}"),
        (
            lambda p: p.update(service=WORKERS, worker_pool=WORKERS),
            f"node_pool: ['node_pool', 'worker_pool', 'service']; expected {ONE_PLACE}",
        ),
        (
            lambda p: p.update(node_pool=GPU),
            f"node_pool: '{GPU}'; expected {NODE_POOL}",
        ),
        (
            lambda p: p["node_pool"].pop("name"),
            f"node_pool.name: None; expected {ID}",
        ),
        (
            lambda p: p["node_pool"].update(zone="a"),
            f"node_pool.zone: 'a'; expected {NO_KEY} project, location, cluster, name",
        ),
        (
            lambda p: p["node_pool"].update(project="My-Product"),
            f"node_pool.project: 'My-Product'; expected {PROJECT_ID}",
        ),
        (lambda p: p["node_pool"].update(project="123456"), f"node_pool.project: '123456'; expected {PROJECT_ID}"),
        (lambda p: p["node_pool"].update(location="europe"), f"node_pool.location: 'europe'; expected {LOCATION}"),
        (lambda p: p["node_pool"].update(location="-"), f"node_pool.location: '-'; expected {LOCATION}"),
        (lambda p: p["node_pool"].update(cluster="a/b"), f"node_pool.cluster: 'a/b'; expected {ID}"),
        (lambda p: p["node_pool"].update(name="gpu-"), f"node_pool.name: 'gpu-'; expected {ID}"),
        (lambda p: p["node_pool"].update(name="*"), f"node_pool.name: '*'; expected {ID}"),
        (
            lambda p: p["node_pool"].update(name="g" * 64),
            f"node_pool.name: '{'g' * 64}'; expected {ID}",
        ),
        (
            lambda p: (p.pop("node_pool"), p.update(worker_pool=WORKERS | {"region": "europe-west4-a"})),
            f"worker_pool.region: 'europe-west4-a'; expected {REGION}",
        ),
        (
            lambda p: (p.pop("node_pool"), p.update(service=WORKERS | {"location": "europe-west4"})),
            f"service.location: 'europe-west4'; expected {NO_KEY} project, region, name",
        ),
        (lambda p: p.pop("hourly_price"), f"hourly_price: None; expected {PRICE}"),
        (lambda p: p.update(hourly_price=-0.5), "hourly_price: -0.5; expected a number of at least 0"),
        (
            lambda p: p.update(hourly_price="2"),
            "hourly_price: '2'; expected a number of at least 0 (did you mean 2, without quotes?)",
        ),
        (lambda p: (p.pop("hours"), p.pop("wake")), f"wake: []; expected {ANOTHER_WAKE}"),
        (lambda p: (p.pop("hours"), p.update(wake=[])), f"wake: []; expected {ANOTHER_WAKE}"),
        (lambda p: p.pop("size"), "size: None; expected a whole number from 1 to 1000"),
        (lambda p: p.update(size=0), "size: 0; expected a whole number from 1 to 1000"),
        (lambda p: p.update(size=1001), "size: 1001; expected a whole number from 1 to 1000"),
        (lambda p: p.update(sizes=3), "sizes: 3; did you mean size?"),
        (lambda p: p.update(xyz=3), f"xyz: 3; expected {NO_KEY} {KEYS}"),
        (
            lambda p: p.update(on_drift="ignore"),
            "on_drift: 'ignore'; expected enforce or respect (did you mean enforce?)",
        ),
        (
            lambda p: p.update(nodes_within_minutes=4),
            "nodes_within_minutes: 4; expected a whole number from 5 to 1440",
        ),
        (
            lambda p: p["idle"].update(for_minutes=1441),
            "idle.for_minutes: 1441; expected a whole number from 5 to 1440",
        ),
        (lambda p: p["idle"].update(signals=[]), "idle.signals: []; expected a list of at least 1 entry"),
        (lambda p: p.update(wake=QUEUE), f"wake: {QUEUE}; expected a list"),
        (
            lambda p: p["hours"].update(time_zone="Mars"),
            "hours.time_zone: 'Mars'; expected the IANA name of a time zone, such as Europe/Berlin",
        ),
        (lambda p: p["hours"].update(windows=[]), "hours.windows: []; expected a list of at least 1 entry"),
    ],
)
def test_a_pool_that_will_not_do(change: Callable[[Data], object], said: str) -> None:
    assert complaint(change) == said


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (QUEUE | {"kind": "queue"}, "kind: 'queue'; expected pending_messages, gpu_duty_cycle, gpu_memory or metric"),
        ({"subscription": "jobs"}, "kind: None; expected pending_messages, gpu_duty_cycle, gpu_memory or metric"),
        (QUEUE | {"subscription": "jobs"}, f"subscription: 'jobs'; expected {SUBSCRIPTION}"),
        (QUEUE | {"at_most": -1}, "at_most: -1; expected a whole number of at least 0"),
        (QUEUE | {"at_mots": 1}, "at_mots: 1; did you mean at_most?"),
        (
            QUEUE | {"cluster": "c"},
            f"cluster: 'c'; expected {NO_KEY} subscription, at_most",
        ),
        (DUTY | {"at_most": 100}, "at_most: 100; expected a number of at least 0 less than 100"),
        (DUTY | {"location": "*"}, f"location: '*'; expected {LOCATION}"),
        (GAUGE | {"filter": "x"}, f"filter: 'x'; expected {FILTER}"),
        (GAUGE | {"at_most": float("nan")}, "at_most: nan; expected a number"),
        ({key: value for key, value in GAUGE.items() if key != "at_most"}, "at_most: None; expected a number"),
    ],
)
def test_a_signal_that_will_not_do(signal: Data, said: str) -> None:
    assert complaint(lambda pool: pool.update(wake=[QUEUE, signal])) == f"wake[1].{said}"
    assert complaint(lambda pool: pool["idle"].update(signals=[signal])) == f"idle.signals[0].{said}"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (None, "scale_gpu_pools: None; expected a mapping with pools"),
        ({}, "scale_gpu_pools.pools: None; expected a mapping"),
        ({"pools": [a_pool()]}, f"scale_gpu_pools.pools: {[a_pool()]}; expected a mapping"),
        ({"pools": {}, "mode": "off"}, "scale_gpu_pools.mode: 'off'; expected observe or act"),
        (
            {"pools": {}, "saving": {}},
            "scale_gpu_pools.saving: {}; did you mean savings?",
        ),
        (
            {"pools": {}, "savings": {}},
            "scale_gpu_pools.savings.currency: None; expected text such as USD matching ^[A-Z]{3}$",
        ),
        (
            {"pools": {}, "savings": {"currency": "usd"}},
            "scale_gpu_pools.savings.currency: 'usd'; expected text such as USD matching ^[A-Z]{3}$",
        ),
        ({"pools": {"My Pool": a_pool()}}, f"scale_gpu_pools.pools.My Pool: 'My Pool'; expected {KEY}"),
        ({"pools": {"one": a_pool(), "_two": a_pool()}}, f"scale_gpu_pools.pools._two: '_two'; expected {KEY}"),
        (
            {"pools": {"one": a_pool(), "two": a_pool(size=3)}},
            f"scale_gpu_pools.pools.two: '{GPU}'; expected a pool that no other key has: `one` has it",
        ),
        (
            {"pools": {"one": a_pool(), "two": a_pool(size=0)}},
            "scale_gpu_pools.pools.two.size: 0; expected a whole number from 1 to 1000",
        ),
    ],
)
def test_a_section_that_will_not_do(section: object, said: str) -> None:
    assert said_of(section) == said
