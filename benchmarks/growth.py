"""Growth of cost: the calls, the seconds and the records of a quiet tick for 1, 10, 100 and 1,000 of each."""

import io
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module

import msgspec

from benchmarks.functions import ACCOUNT, PROJECT, tick_event
from benchmarks.harness import show_table
from benchmarks.large_records import MANY, Large, measure_large
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.events import Dated, PubsubMessage
from shared.firestore_values import Builtins
from shared.parts import SPLIT_ABOVE, size_of
from shared.report import Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Section as SettingsSection
from shared.settings import parse
from shared.state import State

HUNDRED = 100
COUNTS = (1, 10, HUNDRED, 1_000)
NIGHT = datetime(2026, 11, 16, 22, tzinfo=UTC)  # a Monday, out of the hours of pools
REGION = "europe-west1"
MOST_TICKS = 200
"""Of which the last one, which finds nothing to do, is measured: a sweep of previews writes to GitHub 30 times."""
MOST_PREVIEWS = 900
"""The largest `maximum` of the settings."""
TOKEN = "github_pat_of_the_benchmark"  # noqa: S105 - of a local GitHub
TEAM = "my-team/my-product"

Section = dict[str, object]


class Kind(msgspec.Struct, frozen=True):
    """Something that there may be many of."""

    name: str
    automation: str
    section: Callable[[int], Section]
    """The automation's section of the settings, for so many."""
    project: Callable[[int], Section]
    """The project of the world."""
    github: Callable[[int], Section] = lambda _: {}
    notifications: Callable[[int], int] = lambda _: 0
    """From how many budgets cost is reported that passes their rung."""


class Measured(msgspec.Struct, frozen=True):
    """A quiet tick."""

    calls: int
    seconds: float
    record_bytes: int
    fields: Mapping[str, Builtins]
    """Of the records."""


def measure() -> bool:
    """Measure and print. Returns whether everything came to rest. Previews of 1,000 take 96 ticks for that."""
    rows, large = [], []
    for kind in KINDS:
        found = {count: _measured(kind, count) for count in COUNTS}
        for count, one in found.items():
            rows.append((kind.name, f"{count:,}", f"{one.calls:,}", f"{one.seconds:.3f}", f"{one.record_bytes:,}"))
        if found[HUNDRED].record_bytes * MANY // HUNDRED > SPLIT_ABOVE:
            large.append(Large(kind.name, _automation(kind), HUNDRED, found[HUNDRED].fields))
    headings = ("", "how many", "calls", "seconds", "bytes of records")
    show_table("Growth: a tick that finds nothing to do", headings, rows, ["on a local cloud in the same process"])
    measure_large(large)
    return True


def _automation(kind: Kind) -> AnyAutomation:
    automation: AnyAutomation = import_module(f"functions.{kind.automation}.automation").AUTOMATION
    return automation


def _measured(kind: Kind, count: int) -> Measured:
    automation = _automation(kind)
    settings = {"mode": "act", kind.automation: kind.section(count)}
    configuration = parse(settings, kind.automation, automation.section)
    with LocalCloud(now=NIGHT) as cloud:
        seed(cloud, world_from({"projects": {PROJECT: kind.project(count)}, **kind.github(count)}))
        clients = Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
        reports: list[Report] = []
        runtime = Runtime(clients, clock=cloud.clock.now, report=reports.append, log=lambda _: None, time_budget=3600.0)
        _report_cost(kind.notifications(count), automation, configuration.section, State(clients), cloud)
        for number in range(MOST_TICKS):
            cloud.clock.advance(timedelta(minutes=10))
            cloud.server.clear_calls()
            begun = time.perf_counter()
            with redirect_stdout(io.StringIO()):  # each budget logs that its rung is passed
                run(automation, configuration, tick_event(kind.automation, f"t{number}", cloud.clock.now()), runtime)
            took = time.perf_counter() - begun
            calls = [call for call in cloud.server.calls if call.mutating]
            if not calls:
                break
        else:
            raise RuntimeError(f"{kind.name}: {count} do not come to rest: {reports[-1]}")
        made = len(cloud.server.calls)
        (records,) = State(clients).read(f"records/{kind.automation}")
        clients.close()
    return Measured(made, took, size_of(records.fields or {}), records.fields or {})


def _report_cost(
    count: int, automation: AnyAutomation, section: SettingsSection, state: State, cloud: LocalCloud
) -> None:
    """Put into the records what a notification of each budget says, whose cost is above its amount."""
    said = {"costAmount": 150, "costIntervalStart": "2026-11-01T07:00:00Z", "budgetAmount": 100, "currencyCode": "USD"}
    (known,) = state.read(f"records/{automation.name}")
    records = known.as_type(automation.records)
    for number in range(count):
        attributes = {"billingAccountId": ACCOUNT, "budgetId": _budget(number), "schemaVersion": "1.0"}
        topic = f"projects/{PROJECT}/topics/caretaker-budget-notifications"
        message = PubsubMessage(topic, f"n{number}", cloud.clock.now(), attributes, msgspec.json.encode(said))
        event = Dated(automation.parse(message, section), message.message_id, message.published)
        records = automation.fold(records, event, section)
    if count:
        state.write(known, records)


def _budget(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def _budgets(count: int, action: str = "notify") -> Section:
    """Each budget has one rung, which limits the services of one project, or tells."""
    may_touch = {"limit_cloud_run": {"projects": [PROJECT], "regions": [REGION], "label": "tier=web"}}
    return {
        "budgets": {
            f"b{number}": {
                "billing_account": ACCOUNT,
                "id": _budget(number),
                "currency": "USD",
                "ladder": [{"at": 1.0, "do": [action]}],
                **({"may_touch": may_touch} if action in may_touch else {}),
            }
            for number in range(count)
        }
    }


def _services(count: int) -> Section:
    one = {"labels": {"tier": "web"}, "scaling": {"max_instance_count": 10}}
    return {"location": REGION, "services": {f"web-{number}": one for number in range(count)}}


def _pools(count: int) -> Section:
    """Ten in a cluster, all out of their hours."""
    hours = {"time_zone": "Etc/UTC", "windows": ["mon-fri 08:00-19:00"]}
    place = {"project": PROJECT, "location": "europe-west4-a"}
    return {
        "pools": {
            f"p{number}": {
                "node_pool": {**place, "cluster": f"c{number // 10}", "name": f"p{number % 10}"},
                "hours": hours,
                "size": 1,
            }
            for number in range(count)
        }
    }


def _clusters(count: int) -> Section:
    clusters: dict[str, dict[str, dict[str, object]]] = {}
    for number in range(count):
        clusters.setdefault(f"c{number // 10}", {"node_pools": {}})["node_pools"][f"p{number % 10}"] = {"node_count": 1}
    return {"location": "europe-west4-a", "clusters": clusters}


def _secrets(count: int) -> Section:
    one = {"every_days": 30, "value": {"kind": "random"}}
    return {
        "secrets": {f"s{number}": {"secret": f"projects/{PROJECT}/secrets/s{number}", **one} for number in range(count)}
    }


def _previews(count: int) -> Section:
    image = f"europe-west1-docker.pkg.dev/{PROJECT}/images/my-product"
    return {
        "github": {"token_secret": f"projects/{PROJECT}/secrets/github-token"},
        "project": PROJECT,
        "region": REGION,
        "service_account": f"preview@{PROJECT}.iam.gserviceaccount.com",
        "maximum": min(count, MOST_PREVIEWS),
        "repositories": {TEAM: {"service": "my-product", "image": image}},
    }


@cache
def _sha(number: int) -> str:
    return f"{number:040x}"


def _images(count: int) -> Section:
    images = {f"sha256:{number:064x}": [_sha(number)] for number in range(1, count + 1)}
    return {
        "location": REGION,
        "secrets": {"github-token": {"versions": [TOKEN]}},
        "repositories": {"images": {"images": {"my-product": images}}},
    }


def _pull_requests(count: int) -> Section:
    opened = {f"{n}": {"head_sha": _sha(n), "head_ref": f"topic-{n}"} for n in range(1, count + 1)}
    repositories = {TEAM: {"pull_requests": opened}}
    return {"github": {"repositories": repositories, "tokens": {TOKEN: {"login": "caretaker-bot"}}}}


def _sets(count: int) -> Section:
    one = {"time_from": "creation", "retention": {"keep_last": 100}}
    return {"sets": {f"s{number}": {"bucket": f"backups-{number}", **one} for number in range(count)}}


def _buckets(count: int) -> Section:
    series = [{"name": "%Y%m%d.dump", "first": "2026-10-15T02:00:00Z", "count": 33, "size": 1000}]
    return {"location": REGION, "buckets": {f"backups-{number}": {"series": series} for number in range(count)}}


KINDS = (
    Kind("budgets", "cap_spending", _budgets, lambda _: {"location": REGION}, notifications=lambda count: count),
    Kind(
        "services limited by one budget",
        "cap_spending",
        lambda _: _budgets(1, "limit_cloud_run"),
        _services,
        notifications=lambda _: 1,
    ),
    Kind("GPU pools at zero", "scale_gpu_pools", _pools, _clusters),
    Kind(
        "secrets",
        "rotate_secrets",
        _secrets,
        lambda count: {
            "location": REGION,
            "secrets": {f"s{number}": {"versions": ["first"]} for number in range(count)},
        },
    ),
    Kind("open pull requests", "manage_previews", _previews, _images, _pull_requests),
    Kind("sets of backups", "prune_backups", _sets, _buckets),
)


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
