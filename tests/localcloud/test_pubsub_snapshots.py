"""Pub/Sub's snapshots: what they retain, for how long, and seeking to them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import types

from localcloud import LocalCloud
from tests.localcloud.inbox import open_inbox
from tests.localcloud.messenger import Messenger, subscribed

pytestmark = pytest.mark.one_python

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
NAME = "projects/demo-project/snapshots/before"
TICKS = "projects/demo-project/topics/ticks"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


@pytest.fixture
def messenger(cloud: LocalCloud) -> Messenger:
    return subscribed(cloud.address)


def publish(messenger: Messenger, *texts: str) -> None:
    """Publish messages; the first letter is their attribute `kind`."""
    messages = [types.PubsubMessage(data=text.encode(), attributes={"kind": text[0]}) for text in texts]
    messenger.publisher.publish(topic=TICKS, messages=messages)


def pull(messenger: Messenger, subscription: str = "inbox", *, acknowledge: bool = True) -> list[bytes]:
    """The messages that wait in a subscription."""
    name = messenger.subscription(subscription)
    received = messenger.subscriber.pull(subscription=name, max_messages=9).received_messages
    if received and acknowledge:
        messenger.subscriber.acknowledge(subscription=name, ack_ids=[one.ack_id for one in received])
    return [one.message.data for one in received]


def snapshot(messenger: Messenger, name: str = NAME, subscription: str = "inbox") -> types.Snapshot:
    """Make a snapshot of a subscription."""
    request = {"name": name, "subscription": messenger.subscription(subscription), "labels": {"team": "a"}}
    return messenger.subscriber.create_snapshot(request=request)


def seek(messenger: Messenger, name: str = NAME, subscription: str = "inbox") -> None:
    """Bring a subscription to a snapshot."""
    messenger.subscriber.seek(request={"subscription": messenger.subscription(subscription), "snapshot": name})


def test_a_snapshot_brings_back_its_backlog_and_what_came_later(cloud: LocalCloud, messenger: Messenger) -> None:
    messenger.subscribe("a-only", filter='attributes.kind = "a"')
    publish(messenger, "a-done")
    assert pull(messenger) == [b"a-done"]
    publish(messenger, "a-waits", "b-out")
    assert pull(messenger, acknowledge=False) == [b"a-waits", b"b-out"]
    made = snapshot(messenger)
    assert (made.topic, made.expire_time, made.labels) == (TICKS, START + timedelta(days=7), {"team": "a"})
    cloud.clock.advance(timedelta(minutes=1))
    publish(messenger, "c-later")
    assert sorted(pull(messenger)) == [b"a-waits", b"b-out", b"c-later"]
    seek(messenger)
    assert sorted(pull(messenger)) == [b"a-waits", b"b-out", b"c-later"]
    # Another subscription of the topic can seek to it, and gets what its filter lets pass.
    assert pull(messenger, "a-only") == [b"a-done", b"a-waits"]
    seek(messenger, subscription="a-only")
    assert pull(messenger, "a-only") == [b"a-waits"]


def test_a_snapshot_of_pushes_has_what_the_endpoint_has_not_acknowledged(
    cloud: LocalCloud, messenger: Messenger
) -> None:
    with open_inbox(cloud.clock.now) as inbox:
        inbox.answer_with([200, 500])
        messenger.set_push_config({"push_endpoint": f"{inbox.url}/"})
        publish(messenger, "accepted")
        cloud.clock.settle()
        publish(messenger, "refused")
        cloud.clock.settle()
        snapshot(messenger)
        cloud.clock.advance(timedelta(minutes=2))
        assert len(inbox.wait_for(3)) == 3
    messenger.set_push_config({})
    seek(messenger)
    assert pull(messenger) == [b"refused"]


def test_snapshots_are_listed_changed_and_deleted(messenger: Messenger) -> None:
    made = snapshot(messenger)
    client = messenger.subscriber
    assert [made] == [client.get_snapshot(snapshot=NAME)] == list(client.list_snapshots(project=messenger.project))
    assert list(messenger.publisher.list_topic_snapshots(topic=TICKS)) == [NAME]
    wanted = types.Snapshot(name=NAME, labels={"team": "b"})
    changed = client.update_snapshot(snapshot=wanted, update_mask=FieldMask(paths=["labels"]))
    assert (changed.labels, changed.topic) == ({"team": "b"}, TICKS)
    messenger.delete_topic()
    assert client.get_snapshot(snapshot=NAME).topic == "_deleted-topic_"
    client.delete_snapshot(snapshot=NAME)
    assert not list(client.list_snapshots(project=messenger.project))


def test_a_snapshot_lives_seven_days_less_the_age_of_its_backlog(cloud: LocalCloud, messenger: Messenger) -> None:
    publish(messenger, "old")
    cloud.clock.advance(timedelta(days=6, hours=22))
    assert snapshot(messenger).expire_time == START + timedelta(days=7)
    cloud.clock.advance(timedelta(hours=1, minutes=30))
    with pytest.raises(exceptions.FailedPrecondition, match="expire in less than 1 hour"):
        snapshot(messenger, f"{NAME}-2")
    cloud.clock.advance(timedelta(minutes=30))
    with pytest.raises(exceptions.NotFound, match=r"Resource not found \(resource=before\)"):
        messenger.subscriber.get_snapshot(snapshot=NAME)


REFUSED: dict[str, tuple[Callable[[Messenger], object], type[Exception], str]] = {
    "a name that is taken": (snapshot, exceptions.AlreadyExists, "already exists in the project"),
    "another name": (lambda one: snapshot(one, TICKS), exceptions.InvalidArgument, "snapshots"),
    "no subscription": (lambda one: snapshot(one, f"{NAME}-2", "gone"), exceptions.NotFound, "resource=gone"),
    "no snapshot": (lambda one: seek(one, f"{NAME}-2"), exceptions.NotFound, "resource=before-2"),
    "no target": (lambda one: seek(one, ""), exceptions.InvalidArgument, "target"),
    "another topic": (lambda one: seek(one, subscription="other"), exceptions.InvalidArgument, "topic"),
    "no mask": (
        lambda one: one.subscriber.update_snapshot(snapshot=types.Snapshot(name=NAME), update_mask=FieldMask()),
        exceptions.InvalidArgument,
        "update_mask",
    ),
    "a fixed field": (
        lambda one: one.subscriber.update_snapshot(
            snapshot=types.Snapshot(name=NAME), update_mask=FieldMask(paths=["topic"])
        ),
        exceptions.InvalidArgument,
        "topic field in the Snapshot is not mutable",
    ),
}


def test_what_is_refused_of_snapshots(messenger: Messenger) -> None:
    messenger.create_topic("others")
    messenger.subscribe("other", topic="others")
    snapshot(messenger)
    for call, error, words in REFUSED.values():
        with pytest.raises(error, match=words):
            call(messenger)
