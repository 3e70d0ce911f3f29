"""2,000 pull-request events an hour: the requests to GitHub that they cost, of the 5,000 that it grants a token.

500 pull requests are opened, pushed to, labeled and closed; each commit's image is pushed a minute after the commit;
and a sweep comes every five minutes. First, a push alone.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from benchmarks.harness import Figure, show
from benchmarks.preview_runs import IMAGES, NOON, PLACE, TEAM, PreviewRuns, digest_of, sha_of
from localcloud import LocalCloud
from localcloud.github.state import Head
from shared.github_events import TOPIC

TIME = timedelta(hours=1)
PULL_REQUESTS = 500
STEPS = ("opened", "synchronize", "labeled", "closed")
EVENTS = len(STEPS) * PULL_REQUESTS
GRANTED = 5_000
"""Requests in an hour: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api."""
OF_A_PUSH = 8
LATER = timedelta(minutes=1)
"""The time at which a commit's image is there."""
SWEEP = timedelta(minutes=5)
ALONE = PULL_REQUESTS + 1
"""The pull request of the push alone."""


def measure() -> bool:
    """Measure and print. Returns whether the requests are within their bounds."""
    with LocalCloud(now=NOON) as cloud:
        played = _Played(cloud)
        of_a_push = played.a_push_alone()
        cloud.clock.advance(timedelta(hours=1))
        asked = played.pass_by()
        notes = [
            f"{EVENTS} events of {PULL_REQUESTS} pull requests, {played.images} pushed images, {played.sweeps} sweeps",
            ", ".join(f"{number} {kind}" for kind, number in played.calls.most_common() if " " in kind),
        ]
        played.runs.close()
    figures = [
        Figure("requests for a push with its image", "bound", of_a_push, OF_A_PUSH, "", at_most=1.0),
        Figure(f"requests for {EVENTS} events in an hour", "granted", asked, GRANTED, "", at_most=1.0),
    ]
    show("Pull-request events", figures, notes)
    return all(one.ratio <= 1 for one in figures)


class _Played:
    """Events in their time, and what was called in it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.runs = PreviewRuns(cloud, are_open=False, is_by_wire=False)
        self.calls: Counter[str] = Counter()
        self.images = self.sweeps = 0
        self._cloud = cloud

    def a_push_alone(self) -> int:
        """The requests to GitHub for a push, and then its image, to a pull request that has a preview."""
        self._step(ALONE, "opened")
        self._image(ALONE)
        self.calls.clear()
        self._step(ALONE, "synchronize")
        self._image(ALONE + PULL_REQUESTS)
        return self._requests()

    def pass_by(self) -> int:
        """Let the time pass. Returns the requests to GitHub."""
        self.calls.clear()
        ends = self._cloud.clock.now() + TIME
        for at, happens in sorted(self._plan(), key=lambda one: one[0]):
            if at >= ends:
                break
            self._cloud.clock.advance_to(max(at, self._cloud.clock.now()))
            kind, number = happens
            if kind == "sweep":
                self.sweeps += 1
                self.runs.tick()
                self.calls.update(self.runs.calls)
            elif kind == "image":
                self._image(number)
            else:
                self._step(number, kind)
        return self._requests()

    def _plan(self) -> Iterator[tuple[datetime, tuple[str, int]]]:
        """The events by time: one step of all pull requests after another."""
        begins = self._cloud.clock.now()
        for place in range(EVENTS):
            step, number = STEPS[place // PULL_REQUESTS], place % PULL_REQUESTS + 1
            at = begins + TIME * place / EVENTS
            yield at, (step, number)
            if step in ("opened", "synchronize"):
                yield at + LATER, ("image", number if step == "opened" else number + PULL_REQUESTS)
        yield from ((begins + SWEEP * place, ("sweep", 0)) for place in range(-(-TIME // SWEEP)))

    def _step(self, number: int, step: str) -> None:
        """One thing that a person does, and its webhook's message."""
        github, pushed = self._cloud.github, number + PULL_REQUESTS
        match step:
            case "opened":
                github.open_pull_request(TEAM, number, Head(sha_of(number), f"topic-{number}"))
            case "synchronize":
                github.push(TEAM, number, sha_of(pushed))
            case "labeled":
                github.label(TEAM, number, "bug")
            case _:
                github.close(TEAM, number)
        event = {
            "type": "pull_request",
            "repository": TEAM,
            "number": number,
            "action": step,
            "head_sha": sha_of(number if step == "opened" else pushed),
            "updated_at": self._cloud.clock.now(),
            "sender": "octocat",
            "label": "bug" if step == "labeled" else "",
        }
        self._message(event, TOPIC)

    def _image(self, commit: int) -> None:
        """The image of a commit is pushed, and the registry's message comes."""
        self.images += 1
        uri = self._cloud.artifact_registry.push_image(IMAGES, "my-product", digest_of(commit), [sha_of(commit)])
        self._message({"action": "INSERT", "digest": uri, "tag": f"{PLACE}:{sha_of(commit)}"}, "gcr")

    def _message(self, data: dict[str, object], topic: str) -> None:
        self.runs.message(data, topic)
        self.calls.update(self.runs.calls)

    def _requests(self) -> int:
        return sum(number for kind, number in self.calls.items() if " " in kind)


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
