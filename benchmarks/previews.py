"""A sweep of 500 open pull requests: its API calls, by kind, and the seconds that it takes."""

import json
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from cloudevents.http import CloudEvent

from benchmarks.functions import PROJECT, tick_event
from benchmarks.harness import show
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.report import Outcome, Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import VARIABLE, parse

AUTOMATION = "manage_previews"
PULL_REQUESTS = 500
TEAM = "my-team/my-product"
TOKEN = "github_pat_of_the_benchmark"  # noqa: S105 - of a local GitHub
IMAGES = f"projects/{PROJECT}/locations/europe-west1/repositories/images"
TICK = timedelta(minutes=5)
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
QUIET = {
    **dict.fromkeys(("BatchGetDocuments", "AccessSecretVersion", "ListServices", "GET comments"), 1),
    "GET pulls": PULL_REQUESTS // 100,
}
"""A page of GitHub's has a hundred."""
WRITES = {"POST comments", "PATCH comments", "POST deployments", "POST statuses"}
SECTION: dict[str, object] = {
    "github": {"token_secret": f"projects/{PROJECT}/secrets/github-token"},
    "project": PROJECT,
    "region": "europe-west1",
    "service_account": f"preview@{PROJECT}.iam.gserviceaccount.com",
    "maximum": 900,
    "repositories": {
        TEAM: {"service": "my-product", "image": f"europe-west1-docker.pkg.dev/{PROJECT}/images/my-product"}
    },
}


def measure() -> bool:
    """Measure and print. Returns whether a sweep that finds nothing to do lists pages, and gets nothing by itself."""
    os.environ[VARIABLE] = json.dumps({"mode": "act", AUTOMATION: SECTION})  # a function reads it when it is imported
    with LocalCloud(now=NOON) as cloud:
        seed(cloud, world_from(_world()))
        sweeps = _Sweeps(cloud)
        every_preview = range(1, PULL_REQUESTS + 1)
        sweeps.sweep("the first, which makes all previews", applied=True)
        sweeps.until_all_is_reported("their comments and deployments, as many at a time as GitHub takes")
        sweeps.sweep("nothing to do, all are running", applied=False)
        quiet = sweeps.calls
        for number in every_preview:
            cloud.github.push(TEAM, number, _sha(PULL_REQUESTS + number))
        sweeps.until_all_is_reported("a commit was pushed to each, and its image is not there")
        sweeps.sweep("nothing to do, all wait for an image", applied=False)
        for number in every_preview:
            cloud.github.close(TEAM, number)
        sweeps.sweep("all were closed, and no webhook came", applied=True)
        sweeps.until_all_is_reported("their comments and deployments")
        sweeps.sweep("nothing to do, none is open", applied=False)
        sweeps.close()
    show("A sweep of 500 open pull requests", [], sweeps.notes)
    return quiet == QUIET


class _Sweeps:
    """Ticks that come one after another, and what each has called."""

    def __init__(self, cloud: LocalCloud) -> None:
        from functions.manage_previews.settings import Settings

        self.notes: list[str] = []
        self.calls: dict[str, int] = {}
        self._cloud = cloud
        self._clients = Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
        self._configuration = parse({"mode": "act", AUTOMATION: SECTION}, AUTOMATION, Settings)

    def sweep(self, what: str, *, applied: bool) -> None:
        """One tick. Raises ``RuntimeError`` if it does nothing and should have, or the other way round."""
        begun = time.perf_counter()
        outcome = self._tick()
        took = time.perf_counter() - begun
        if (outcome is Outcome.APPLIED) is not applied:
            raise RuntimeError(f"{what}: {outcome}")
        counts = ", ".join(f"{number} {kind}" for kind, number in sorted(self.calls.items(), key=lambda one: -one[1]))
        self.notes.append(f"{what}: {sum(self.calls.values())} calls ({counts}), {took:.2f} s")

    def until_all_is_reported(self, what: str) -> None:
        """Sweep until one has nothing to do; note the sweeps, and the most requests to GitHub in an hour."""
        requests: list[int] = []
        while not requests or self.calls.keys() & {
            "POST comments",
            "PATCH comments",
            "POST deployments",
            "POST statuses",
        }:
            self._tick()
            requests.append(sum(number for kind, number in self.calls.items() if " " in kind))
        most = max(sum(requests[start : start + 12]) for start in range(len(requests)))
        minutes = len(requests) * TICK // timedelta(minutes=1)
        self.notes.append(f"{what}: {sum(requests)} requests to GitHub in {minutes} minutes, at most {most} in an hour")

    def _tick(self) -> Outcome:
        self._cloud.clock.advance(TICK)
        return self._run(tick_event(AUTOMATION, f"{len(self.notes)}", self._cloud.clock.now()))

    def _run(self, event: CloudEvent) -> Outcome:
        """One run: its outcome, and in ``calls`` how many it made of each kind."""
        from functions.manage_previews.automation import AUTOMATION as MANAGE_PREVIEWS

        self._cloud.server.clear_calls()
        reports: list[Report] = []
        runtime = Runtime(self._clients, clock=self._cloud.clock.now, report=reports.append)
        run(MANAGE_PREVIEWS, self._configuration, event, runtime)
        self.calls = dict(Counter(_kind(call.method) for call in self._cloud.server.calls))
        return reports[-1].outcome

    def close(self) -> None:
        """End all connections."""
        self._clients.close()


def _kind(method: str) -> str:
    """A call without what it names: a method of Google's, or ``VERB collection`` of GitHub's."""
    verb, is_http, path = method.partition(" ")
    parts = [part for part in path.split("/") if not part.isdecimal()]
    return f"{verb} {parts[-1]}" if is_http else method.rpartition("/")[2]


def _world() -> dict[str, object]:
    numbers = range(1, PULL_REQUESTS + 1)
    images = {f"sha256:{number:064x}": [_sha(number)] for number in numbers}
    return {
        "projects": {
            PROJECT: {
                "location": "europe-west1",
                "secrets": {"github-token": {"versions": [TOKEN]}},
                "repositories": {"images": {"images": {"my-product": images}}},
            }
        },
        "github": {
            "repositories": {
                TEAM: {"pull_requests": {f"{n}": {"head_sha": _sha(n), "head_ref": f"topic-{n}"} for n in numbers}}
            },
            "tokens": {TOKEN: {"login": "caretaker-bot"}},
        },
    }


def _sha(number: int) -> str:
    return f"{number:040x}"


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
