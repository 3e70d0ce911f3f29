"""A local cloud and GitHub with 500 pull requests, and runs of `manage_previews` on them, with their calls by kind."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from cloudevents.http import CloudEvent

from benchmarks.functions import PROJECT, message_event, tick_event
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.direct_clients import DirectClients
from shared.report import Outcome, Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import VARIABLE, parse
from shared.watching import NoWatcher

AUTOMATION = "manage_previews"
PULL_REQUESTS = 500
TEAM = "my-team/my-product"
TOKEN = "github_pat_of_the_benchmark"  # noqa: S105 - of a local GitHub
PLACE = f"europe-west1-docker.pkg.dev/{PROJECT}/images/my-product"
IMAGES = f"projects/{PROJECT}/locations/europe-west1/repositories/images"
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
SECTION: dict[str, object] = {
    "github": {"token_secret": f"projects/{PROJECT}/secrets/github-token"},
    "project": PROJECT,
    "region": "europe-west1",
    "service_account": f"preview@{PROJECT}.iam.gserviceaccount.com",
    "maximum": 900,
    "repositories": {TEAM: {"service": "my-product", "image": PLACE}},
}


class PreviewRuns:
    """Runs that come one after another, and what the last one has called."""

    def __init__(self, cloud: LocalCloud, *, are_open: bool, is_by_wire: bool = True) -> None:
        """``are_open`` says whether the pull requests are open at the beginning; else there are none.

        Where seconds are of no interest, the runs reach the cloud without a wire, which takes half of the time.
        """
        # A function reads the settings when it is imported.
        os.environ[VARIABLE] = json.dumps({"mode": "act", AUTOMATION: SECTION})
        from functions.manage_previews.settings import Settings

        self.calls: dict[str, int] = {}
        self.cloud = cloud
        seed(cloud, world_from(_world(range(1, PULL_REQUESTS + 1) if are_open else range(0))))
        self._clients = (
            Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
            if is_by_wire
            else DirectClients(PROJECT, cloud, watcher=NoWatcher())
        )
        self._configuration = parse({"mode": "act", AUTOMATION: SECTION}, AUTOMATION, Settings)
        self._count = 0

    @property
    def requests(self) -> int:
        """The number of the last run's calls that were requests to GitHub."""
        return sum(number for kind, number in self.calls.items() if " " in kind)

    def tick(self) -> Outcome:
        """One run for a tick."""
        return self._run(tick_event(AUTOMATION, self._next_id(), self.cloud.clock.now()))

    def message(self, data: Mapping[str, object], topic: str) -> Outcome:
        """One run for a message by this topic."""
        return self._run(message_event(topic, self._next_id(), data, self.cloud.clock.now()))

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count)

    def _run(self, event: CloudEvent) -> Outcome:
        from functions.manage_previews.automation import AUTOMATION as MANAGE_PREVIEWS

        self.cloud.server.clear_calls()
        reports: list[Report] = []
        runtime = Runtime(self._clients, clock=self.cloud.clock.now, report=reports.append)
        run(MANAGE_PREVIEWS, self._configuration, event, runtime)
        self.calls = dict(Counter(_kind(call.method) for call in self.cloud.server.calls))
        return reports[-1].outcome

    def close(self) -> None:
        """End all connections."""
        self._clients.close()


def _kind(method: str) -> str:
    """A call without what it names: a method of Google's, or ``VERB collection`` of GitHub's."""
    verb, is_http, path = method.partition(" ")
    parts = [part for part in path.split("/") if not part.isdecimal() and "-pr-" not in part]
    return f"{verb} {parts[-1]}" if is_http else method.rpartition("/")[2]


def _world(numbers: range) -> dict[str, object]:
    images = {digest_of(number): [sha_of(number)] for number in numbers}
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
                TEAM: {"pull_requests": {f"{n}": {"head_sha": sha_of(n), "head_ref": f"topic-{n}"} for n in numbers}}
            },
            "tokens": {TOKEN: {"login": "caretaker-bot"}},
        },
    }


def sha_of(number: int) -> str:
    """A commit."""
    return f"{number:040x}"


def digest_of(number: int) -> str:
    """The digest of its image."""
    return f"sha256:{number:064x}"
