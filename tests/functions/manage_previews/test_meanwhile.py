"""Messages that arrive during a run: none waits for a tick, even if that run fails."""

from collections.abc import Callable

import grpc
import pytest

from shared.errors import RunFailed
from shared.report import Outcome
from tests.functions.manage_previews.stage import REGISTRY, Stage, digest_of, sha_of
from tests.laws.probe import Probe

pytestmark = pytest.mark.one_python


class Meanwhile(Probe):
    """Another run, from beginning to end, before this one creates a service."""

    def __init__(self, stage: Stage, happens: Callable[[], object]) -> None:
        super().__init__()
        self._stage = stage
        self._happens: Callable[[], object] | None = happens

    def before(self, method: str) -> None:
        if method.endswith("CreateService") and self._happens:
            happens, self._happens = self._happens, None
            self._stage.switchboard.disconnect()
            happens()
            self._stage.switchboard.connect(self)
        super().before(method)


def two_pull_requests(stage: Stage) -> None:
    """Two are open, and their images are there."""
    for number in (1, 2):
        stage.open(number, number)
        stage.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(number), [sha_of(number)])


def test_a_webhook_of_another_pull_request_is_seen_to_by_the_run_that_is_at_work() -> None:
    with Stage() as stage:
        two_pull_requests(stage)
        waiting = []
        stage.switchboard.connect(Meanwhile(stage, lambda: waiting.append(stage.event(2, "opened").outcome)))
        assert stage.event(1, "opened").outcome is Outcome.APPLIED
        assert waiting == [Outcome.WAITING]
        assert len(stage.services) == 2
        assert stage.our_comment(1)
        assert stage.our_comment(2)


def test_what_somebody_asks_of_a_run_that_cannot_go_on_is_not_acknowledged_for_nothing() -> None:
    with Stage() as stage:
        two_pull_requests(stage)
        stage.event(1, "opened")
        stage.cloud.server.fail("CreateService", grpc.StatusCode.ALREADY_EXISTS)  # its name is still being deleted
        stage.switchboard.connect(Meanwhile(stage, lambda: stage.command("pause")))
        with pytest.raises(RunFailed, match="another run has requested a rerun"):
            stage.event(2, "opened")
        stage.switchboard.disconnect()
        assert stage.records.is_paused
        stage.event(2, "opened")  # as Pub/Sub delivers it again
        assert not stage.services
