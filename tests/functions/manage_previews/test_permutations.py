"""All orders in which the events of a pull request may arrive: what counts is how it stands."""

import itertools
from collections.abc import Callable

import pytest

from tests.functions.manage_previews.stage import TEAM, Stage, image, sha_of

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

TOPIC = "caretaker-pull-requests"
Data = dict[str, object]


def a_life(stage: Stage, *, ends: bool) -> list[tuple[str, Data]]:
    """Act on a pull request, on GitHub and in the registry; return the resulting messages, unsent."""
    registry, later = stage.cloud.artifact_registry, stage.cloud.clock

    def pass_a_minute(messages: Data, topic: str = TOPIC) -> tuple[str, Data]:
        later.advance_to(later.now().replace(minute=later.now().minute + 1))
        return topic, messages

    stage.open(12, 1)
    life = [pass_a_minute(stage.event_data(12, "opened"))]
    uri = registry.push_image(
        "projects/my-previews/locations/europe-west1/repositories/images", "api", f"sha256:{2:064x}", [sha_of(2)]
    )
    stage.github.push(TEAM, 12, sha_of(2))
    life.append(pass_a_minute(stage.event_data(12, "synchronize")))
    tag = f"europe-west1-docker.pkg.dev/my-previews/images/api:{sha_of(2)}"
    life.append(pass_a_minute({"action": "INSERT", "digest": uri, "tag": tag}, "gcr"))
    life.append(pass_a_minute(stage.comment_data(12, "/preview extend 3d")))
    if ends:
        stage.github.close(TEAM, 12)
        life.append(pass_a_minute(stage.event_data(12, "closed")))
    return life


@pytest.mark.parametrize("ends", [False, True], ids=["open", "closed"])
def test_every_order_ends_alike(*, ends: bool) -> None:
    count = 5 if ends else 4
    check: Callable[[Stage], None] = gone if ends else shown
    for order in itertools.permutations(range(count)):
        with Stage() as stage:
            life = a_life(stage, ends=ends)
            for place in order:
                topic, data = life[place]
                stage.push(data, topic=topic)
            check(stage)
            stage.tick()
            assert stage.mutating == [], order


def gone(stage: Stage) -> None:
    assert stage.services == {}
    assert all(statuses[-1] == "inactive" for _, statuses in stage.deployments(12))
    assert "gone" in stage.our_comment(12) or not stage.our_comment(12)


def shown(stage: Stage) -> None:
    assert stage.shown == {"my-product-pr-12": image(2)}
    assert "### Preview: running" in stage.our_comment(12)
    # To the minute it depends on when the push was heard of.
    assert "Expires | 2026-11-19 12:0" in stage.our_comment(12)
