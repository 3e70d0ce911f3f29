"""The commands for GPU pools: their spelling, who may send them, and which one counts."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.scale_gpu_pools.commands import Awake, Off, Status, pools_of
from functions.scale_gpu_pools.parse import Event, parse
from functions.scale_gpu_pools.records import Override, Records, fold
from functions.scale_gpu_pools.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import Dated, PubsubMessage, RestrictionsChanged, Tick, inbox_of
from shared.report import Outcome
from tests.functions.scale_gpu_pools.stage import GPU, MONDAY, Stage, a_pool, settings_of
from tests.functions.stage import PROJECT

WORKERS = {"project": "my-product", "region": "europe-west4", "name": "render"}
SETTINGS = settings_of(gpu=a_pool(), render=a_pool(node_pool=None, worker_pool=WORKERS))
INBOX = f"projects/{PROJECT}/topics/{inbox_of('scale_gpu_pools')}"
SIX = datetime(2026, 11, 16, 18, tzinfo=UTC)

moments = some.integers(0, 5).map(lambda hours: MONDAY + timedelta(hours=hours))
words = some.builds(
    Dated[Event],
    event=some.one_of(
        some.builds(Awake, until=moments, pool=some.sampled_from(["", "gpu", "render"])),
        some.builds(Off, until=moments, pool=some.sampled_from(["", "gpu", "render"])),
        some.sampled_from([Tick(every_seconds=300), RestrictionsChanged(), Status()]),
    ),
    message_id=some.just("1"),
    published=moments,
)


def a_message(data: object, topic: str = INBOX) -> PubsubMessage:
    """A message as it comes by a topic: bytes as they are, anything else as JSON."""
    encoded = data if isinstance(data, bytes) else json.dumps(data).encode()
    return PubsubMessage(topic, "1", MONDAY, {}, encoded)


def folded(messages: list[Dated[Event]], settings: Settings = SETTINGS) -> Records:
    """The records after these messages, one after another."""
    records = Records()
    for message in messages:
        records = fold(records, message, settings)
    return records


def awake(until: float, said: float, pool: str = "") -> Dated[Event]:
    """The command, with its two times in hours after noon."""
    return Dated(Awake(until=MONDAY + timedelta(hours=until), pool=pool), f"{said}", MONDAY + timedelta(hours=said))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "tick", "every_seconds": 300}, Tick(every_seconds=300)),
        ({"type": "restrictions_changed"}, RestrictionsChanged()),
        ({"type": "status"}, Status()),
        ({"type": "awake", "until": "2026-11-16T18:00:00Z"}, Awake(until=SIX)),
        ({"type": "off", "until": "2026-11-16T19:00:00+01:00", "pool": "gpu"}, Off(until=SIX, pool="gpu")),
        ({"type": "awake", "until": "2026-11-16T19:00:00+01:00", "pool": "gpu"}, Awake(until=SIX, pool="gpu")),
        ({"type": "awake", "until": "2026-11-16T18:00:00", "pool": "render"}, Awake(until=SIX, pool="render")),
    ],
)
def test_what_the_inbox_carries(said: dict[str, object], meant: object) -> None:
    event = parse(a_message(said), SETTINGS)
    assert event == meant
    if isinstance(event, Awake):
        assert event.until.tzinfo is UTC


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"type": "awake", "until": "2026-11-16T18:00:00Z", "pool": "gqu"},
            "no pool is called 'gqu': there are gpu, render",
        ),
        ({"type": "awake", "until": "tonight"}, "malformed: not of a shape that is known here"),
        ({"type": "awake", "until": "2026-11-16"}, "malformed: not of a shape that is known here"),
        ({"type": "awake", "until": 18}, "malformed: Expected `datetime`, got `int` - at `$.until`"),
        ({"type": "awake", "until": "9999-12-31T23:59:59-12:00"}, "malformed: until is out of range"),
        ({"type": "awake"}, "malformed: Object missing required field `until`"),
        (
            {"type": "awake", "until": "2026-11-16T18:00:00Z", "pools": ["gpu"]},
            "malformed: not of a shape that is known here",
        ),
        (
            {"type": "awake", "until": "2026-11-16T18:00:00Z", "pool": None},
            "malformed: Expected `str`, got `null` - at `$.pool`",
        ),
        ({"type": "asleep"}, "malformed: not of a shape that is known here"),
        ({"type": "status", "pool": "gpu"}, "malformed: not of a shape that is known here"),
        ({"type": "tick"}, "malformed: Object missing required field `every_seconds`"),
        ({"status": True}, "malformed: Object missing required field `type`"),
        ([], "malformed: Expected `object`, got `array`"),
        (b"status", "malformed: not of a shape that is known here"),
        (b"\xff", "malformed: not of a shape that is known here"),
    ],
)
def test_what_cannot_be_done_is_said(said: object, why: str) -> None:
    with pytest.raises(IgnoredMessage) as ignored:
        parse(a_message(said), SETTINGS)
    assert str(ignored.value) == why


def test_without_pools_none_can_be_named() -> None:
    message = a_message({"type": "awake", "until": "2026-11-16T18:00:00Z", "pool": "gpu"})
    with pytest.raises(IgnoredMessage, match=r"^no pool is called 'gpu': there are none$"):
        parse(message, settings_of())


@pytest.mark.parametrize(
    "topic",
    [
        f"projects/{PROJECT}/topics/caretaker-cap-spending",
        f"{INBOX}-dead-letters",
        f"projects/{PROJECT}/topics/not-caretaker-scale-gpu-pools",
        "caretaker-scale-gpu-pools",
        "",
    ],
)
@pytest.mark.parametrize("said", [{"type": "status"}, {"type": "tick", "every_seconds": 300}])
def test_only_the_inbox_can_command(topic: str, said: dict[str, object]) -> None:
    with pytest.raises(IgnoredMessage) as ignored:
        parse(a_message(said, topic), SETTINGS)
    assert str(ignored.value) == f"foreign: nothing is expected by the topic {topic}"


def test_a_command_is_for_one_pool_or_all() -> None:
    assert pools_of(Awake(until=SIX), SETTINGS) == ["gpu", "render"]
    assert pools_of(Awake(until=SIX, pool="render"), SETTINGS) == ["render"]
    assert pools_of(Awake(until=SIX), settings_of()) == []


def test_the_newest_word_counts_for_each_pool() -> None:
    known = folded([awake(9, 3), awake(5, 1, "gpu"), awake(7, 4, "gpu"), awake(8, 2, "render")])
    assert known.overrides == {
        GPU: Override(MONDAY + timedelta(hours=7), said=MONDAY + timedelta(hours=4)),
        SETTINGS.pools["render"].full_name: Override(MONDAY + timedelta(hours=9), said=MONDAY + timedelta(hours=3)),
    }


def test_of_two_words_of_one_moment_the_longer_counts() -> None:
    for messages in ([awake(5, 1, "gpu"), awake(7, 1)], [awake(7, 1), awake(5, 1, "gpu")]):
        assert folded(messages).overrides[GPU].until == MONDAY + timedelta(hours=7)


def test_what_is_no_word_about_a_pool_changes_no_record() -> None:
    known = folded([awake(7, 1)])
    for hint in (Tick(every_seconds=300), RestrictionsChanged(), Status()):
        assert fold(known, Dated(hint, "2", SIX), SETTINGS) is known


@given(some.lists(words, max_size=6), some.data())
def test_the_order_is_no_matter_nor_how_often(messages: list[Dated[Event]], draw: some.DataObject) -> None:
    known = folded(messages)
    assert folded(draw.draw(some.permutations(messages + messages))) == known


def test_a_newer_word_takes_an_older_one_back() -> None:
    with Stage() as stage:
        stage.tick(6 * 60)
        stage.command(type="awake", until="2026-11-17T06:00:00Z", pool="gpu")
        assert stage.gpu == (4, "1..4")
        report = stage.command(5, type="awake", until=MONDAY.isoformat())
        assert (report.outcome, stage.gpu) == (Outcome.APPLIED, (0, "off"))


def test_what_is_ignored_is_reported_and_touches_nothing() -> None:
    with Stage() as stage:
        report = stage.command(type="awake", until="2026-11-17T06:00:00Z", pool="gqu")
        assert (report.outcome, report.why) == (Outcome.IGNORED, "no pool is called 'gqu': there are gpu")
        report = stage.push({"type": "asleep"})
        assert (report.outcome, report.why) == (Outcome.IGNORED, "malformed: not of a shape that is known here")
        assert stage.calls == []


def test_off_keeps_a_pool_at_zero_until_its_time_and_the_last_word_counts() -> None:
    with Stage() as stage:
        report = stage.command(type="off", until=(MONDAY + timedelta(hours=2)).isoformat())
        assert report.status == ("gpu: kept off until 2026-11-16 14:00 UTC",)
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.command(type="awake", until=(MONDAY + timedelta(hours=1)).isoformat())
        stage.tick()
        stage.tick()
        assert stage.gpu == (4, "1..4")
        stage.command(type="off", pool="gpu", until=(MONDAY + timedelta(hours=2)).isoformat())
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.tick(2 * 60)
        stage.tick()
        assert stage.gpu == (4, "1..4")


def test_off_with_a_time_that_has_gone_by_takes_it_back() -> None:
    with Stage() as stage:
        stage.command(type="off", until=(MONDAY + timedelta(hours=5)).isoformat())
        stage.tick()
        report = stage.command(type="off", until=(MONDAY - timedelta(hours=5)).isoformat())
        assert report.status == ("gpu: it is not kept off, as 2026-11-16 07:00 UTC has gone by",)
        stage.tick()
        stage.tick()
        assert stage.gpu == (4, "1..4")
