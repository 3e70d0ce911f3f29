"""After any events, in any order, with any faults, one quiet sweep makes the previews equal the policy."""

from datetime import timedelta

import pytest
from google.cloud import artifactregistry
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import RunFailed
from tests.functions.manage_previews.stage import (
    BOT,
    READER,
    REGISTRY,
    TEAM,
    WRITER,
    Stage,
    digest_of,
    image,
    settings_of,
    sha_of,
)
from tests.laws.probe import Crash, CrashingProbe

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

MAXIMUM = 2
FORK = 3
"""The pull request that comes from a fork."""
NUMBERS = st.sampled_from([1, 2, FORK])
COMMITS = st.sampled_from([FORK, 1, 2, 4])
AUTHORS = st.sampled_from([READER, WRITER])

ACTIONS = st.one_of(
    st.tuples(st.just("tell"), NUMBERS),
    st.tuples(st.just("close"), NUMBERS),
    st.tuples(st.just("reopen"), NUMBERS),
    st.tuples(st.just("draft"), NUMBERS, st.booleans()),
    st.tuples(st.just("push"), NUMBERS, COMMITS),
    st.tuples(st.just("image"), COMMITS, st.booleans()),
    st.tuples(st.just("comment"), NUMBERS, AUTHORS, st.sampled_from(["stop", "", "extend 24h", "what"])),
    st.tuples(st.just("comment"), NUMBERS, st.just(READER), st.sampled_from(["stop", ""])),
    st.tuples(st.just("approve"), AUTHORS, COMMITS),
    st.tuples(st.just("redeliver"), st.integers(0, 30)),
    st.tuples(st.just("fail"), st.sampled_from(["GET api.github", "POST api", "PATCH", "Service", "Commit", "Tag"])),
    st.tuples(st.just("die"), st.integers(0, 40), st.booleans()),
    st.tuples(st.just("restrict"), st.booleans()),
    st.tuples(st.just("pass"), st.sampled_from([1, 5, 60])),
    st.just(("tick",)),
)


class Simulation:
    """A stage on which things happen, and what the policy says of it in the end."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sent: list[tuple[dict[str, object], str]] = []
        self.stopped: dict[int, bool] = {}
        self.approved: set[int] = set()
        self.is_restricted = False
        for number in (1, 2, FORK):
            stage.open(number, number, fork="passer-by/my-product" if number == FORK else "")
            self._image(number, False)  # noqa: FBT003 - as hypothesis draws it
        stage.tick()

    def do(self, action: tuple[object, ...]) -> None:
        """Let one thing happen."""
        kind, *arguments = action
        getattr(self, f"_{kind}")(*arguments)

    def _deliver(self, data: dict[str, object], topic: str) -> None:
        """A message is delivered once; what raises is not, here: the quiet sweep has to make up for it."""
        self.sent.append((data, topic))
        try:
            self.stage.push(data, topic=topic)
        except (RunFailed, Crash):
            """The webhook is lost."""
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self.stage.cloud.server.clear_faults()
        self.stage.switchboard._probes.clear()  # noqa: SLF001 - a probe is for one run

    def _tell(self, number: int) -> None:
        self._deliver(self.stage.event_data(number, "synchronize"), "caretaker-pull-requests")

    def _close(self, number: int) -> None:
        self.stage.github.close(TEAM, number)

    def _reopen(self, number: int) -> None:
        self.stage.github.reopen(TEAM, number)

    def _draft(self, number: int, is_draft: bool) -> None:  # noqa: FBT001 - as hypothesis draws it
        self.stage.github.set_draft(TEAM, number, draft=is_draft)

    def _push(self, number: int, commit: int) -> None:
        self.stage.github.push(TEAM, number, sha_of(commit))

    def _image(self, commit: int, is_heard: bool) -> None:  # noqa: FBT001 - as hypothesis draws it
        uri = self.stage.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(commit), [sha_of(commit)])
        if is_heard:
            tag = f"europe-west1-docker.pkg.dev/my-previews/images/api:{sha_of(commit)}"
            self._deliver({"action": "INSERT", "digest": uri, "tag": tag}, "gcr")

    def _comment(self, number: int, by: str, what: str) -> None:
        self.stage.cloud.clock.advance(timedelta(seconds=1))
        data = self.stage.comment_data(number, f"/preview {what}".strip(), by=by)
        if by == WRITER and what in ("", "stop"):
            self.stopped[number] = what == "stop"
        self._heard(data)

    def _approve(self, by: str, commit: int) -> None:
        self.stage.cloud.clock.advance(timedelta(seconds=1))
        data = self.stage.comment_data(FORK, f"/preview {sha_of(commit)}", by=by)
        if by == WRITER:
            self.approved = {commit}
            self.stopped[FORK] = False
        self._heard(data)

    def _heard(self, data: dict[str, object]) -> None:
        """Words are not in the world, so Pub/Sub has to bring them; it delivers until that is acknowledged."""
        self._deliver(data, "caretaker-pull-requests")
        self.stage.push(data, topic="caretaker-pull-requests")

    def _redeliver(self, place: int) -> None:
        if self.sent:
            self._deliver(*self.sent[place % len(self.sent)])

    def _fail(self, method: str) -> None:
        self.stage.cloud.server.fail(method, StatusCode.UNAVAILABLE, times=3, skip=1)

    def _die(self, at: int, answer_lost: bool) -> None:  # noqa: FBT001 - as hypothesis draws it
        self.stage.switchboard.connect(CrashingProbe(at, answer_lost=answer_lost))

    def _restrict(self, is_on: bool) -> None:  # noqa: FBT001 - as hypothesis draws it
        self.is_restricted = is_on
        self._let_go()
        self.stage.restrict(because="a budget" if is_on else None)

    def _pass(self, minutes: int) -> None:
        self.stage.cloud.clock.advance(timedelta(minutes=minutes))

    def _tick(self) -> None:
        self._deliver({"type": "tick", "every_seconds": 300}, "")

    def check(self) -> None:
        """One quiet sweep; then compare with the policy."""
        self._let_go()
        self.stage.tick()
        listed = artifactregistry.ListDockerImagesRequest(parent=REGISTRY, page_size=1000)
        images = self.stage.cloud.artifact_registry.list_docker_images(listed).docker_images
        tags = {one for image in images for one in image.tags}
        for number in (1, 2, FORK):
            pull = self.stage.github.state.repository(TEAM).pull_requests[number]
            commit = int(pull.head_sha, 16)
            shown = self.stage.shown.get(f"my-product-pr-{number}")
            is_wanted = pull.state == "open" and not pull.draft and not self.stopped.get(number, False)
            if not is_wanted or self.is_restricted:
                assert shown is None, (number, "is not wanted")
            elif sha_of(commit) in tags and (number != FORK or commit in self.approved):
                assert shown == image(commit) or (shown is None and len(self.stage.services) == MAXIMUM), number
            elif shown is not None:
                assert number != FORK or shown != image(commit) or commit in self.approved, "it was not approved"
        assert len(self.stage.services) <= MAXIMUM
        self._check_comments()
        self.stage.tick()
        assert self.stage.mutating == [], "it comes to rest"

    def _check_comments(self) -> None:
        comments = self.stage.github.state.repository(TEAM).comments.values()
        ours = [one.number for one in comments if one.login == BOT]
        assert len(ours) == len(set(ours)), "one comment for each pull request"
        for number in set(ours):
            is_running = "### Preview: running" in self.stage.our_comment(number)
            assert not is_running or f"my-product-pr-{number}" in self.stage.services
        for number in (1, 2, FORK):
            states = [statuses[-1] for _, statuses in self.stage.deployments(number)]
            is_shown = f"my-product-pr-{number}" in self.stage.services
            assert [state for state in states if state != "inactive"] == (["success"] if is_shown else [])


@settings(max_examples=40)
@given(st.lists(ACTIONS, min_size=6, max_size=24))
def test_after_a_quiet_sweep_the_previews_equal_the_policy(actions: list[tuple[object, ...]]) -> None:
    with Stage(settings_of(maximum=MAXIMUM)) as stage:
        simulation = Simulation(stage)
        for action in actions:
            simulation.do(action)
        simulation.check()
