"""A sweep of 500 open pull requests: its API calls, by kind, and the seconds that it takes."""

import sys
import time
from datetime import timedelta

from benchmarks.harness import show
from benchmarks.preview_runs import NOON, PULL_REQUESTS, TEAM, PreviewRuns, sha_of
from functions.manage_previews.hearing import HEARD_AGAIN
from localcloud import LocalCloud
from shared.report import Outcome

TICK = timedelta(minutes=5)
QUIET = {
    **dict.fromkeys(("BatchGetDocuments", "AccessSecretVersion", "ListServices", "GET comments"), 1),
    "GET pulls": PULL_REQUESTS // 100,
}
"""A page of GitHub's has a hundred."""
WRITES = {"POST comments", "PATCH comments", "POST deployments", "POST statuses", "DELETE environments"}


def measure() -> bool:
    """Measure and print. Returns whether a sweep that finds nothing to do lists pages, and gets nothing by itself."""
    with LocalCloud(now=NOON) as cloud:
        sweeps = _Sweeps(cloud)
        every_preview = range(1, PULL_REQUESTS + 1)
        sweeps.sweep("the first, which makes all previews", applied=True)
        sweeps.until_all_is_reported("their comments and deployments, as many at a time as GitHub takes")
        sweeps.sweep("nothing to do, all are running", applied=False)
        quiet = sweeps.runs.calls
        for number in every_preview:
            cloud.github.push(TEAM, number, sha_of(PULL_REQUESTS + number))
        sweeps.until_all_is_reported("a commit was pushed to each, and its image is not there")
        sweeps.sweep("nothing to do, all wait for an image", applied=False)
        for number in every_preview:
            cloud.github.close(TEAM, number)
        sweeps.sweep("all were closed, and no webhook came", applied=True)
        sweeps.until_all_is_reported("their comments, deployments and environments")
        sweeps.sweep("nothing to do, none is open", applied=False)
        sweeps.runs.close()
    show("A sweep of 500 open pull requests", [], sweeps.notes)
    return quiet == QUIET


class _Sweeps:
    """Ticks that come one after another, and what each has called."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.notes: list[str] = []
        self.runs = PreviewRuns(cloud, are_open=True)

    def sweep(self, what: str, *, applied: bool) -> None:
        """One tick. Raises ``RuntimeError`` if it does nothing and should have, or the other way round."""
        if not applied:
            self.runs.cloud.clock.advance(HEARD_AGAIN)  # a sweep reads the comments of that time, our own among them
        begun = time.perf_counter()
        outcome = self._tick()
        took = time.perf_counter() - begun
        if (outcome is Outcome.APPLIED) is not applied:
            raise RuntimeError(f"{what}: {outcome}")
        calls = self.runs.calls
        counts = ", ".join(f"{number} {kind}" for kind, number in sorted(calls.items(), key=lambda one: -one[1]))
        self.notes.append(f"{what}: {sum(calls.values())} calls ({counts}), {took:.2f} s")

    def until_all_is_reported(self, what: str) -> None:
        """Sweep until one has nothing to do; note the sweeps, and the most requests to GitHub in an hour."""
        requests: list[int] = []
        while not requests or self.runs.calls.keys() & WRITES:
            self._tick()
            requests.append(self.runs.requests)
        most = max(sum(requests[start : start + 12]) for start in range(len(requests)))
        minutes = len(requests) * TICK // timedelta(minutes=1)
        self.notes.append(f"{what}: {sum(requests)} requests to GitHub in {minutes} minutes, at most {most} in an hour")

    def _tick(self) -> Outcome:
        self.runs.cloud.clock.advance(TICK)
        return self.runs.tick()


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
