"""Pub/Sub of the local cloud, through the official clients.

What Google's emulator does too is checked in `tests/conformance`; here is what obeys the Clock, and what it lacks.
"""

import base64
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from localcloud import LocalCloud
from localcloud.core.clock import Clock
from localcloud.pubsub.push import Pusher
from tests.localcloud.inbox import Inbox, open_inbox
from tests.localcloud.messenger import Messenger, backoff, data_of

pytestmark = pytest.mark.one_python

START = datetime(2026, 11, 1, 9, 58, 20, 123456, tzinfo=UTC)
PUBLISHED = START.replace(microsecond=123000)
PUBLISHED_TEXT = "2026-11-01T09:58:20.123Z"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


@pytest.fixture
def clock(cloud: LocalCloud) -> Clock:
    return cloud.clock


@pytest.fixture
def inbox(clock: Clock) -> Iterator[Inbox]:
    with open_inbox(clock.now) as inbox:
        yield inbox


@pytest.fixture
def messenger(cloud: LocalCloud) -> Iterator[Messenger]:
    messenger = Messenger(cloud.address)
    messenger.create_topic()
    messenger.create_topic("dead-letters")
    yield messenger
    messenger.clients.close()


@pytest.fixture
def dead_letters(messenger: Messenger) -> dict[str, Any]:
    """A dead-letter policy, to a topic from which subscription "dead" can be pulled."""
    messenger.subscribe("dead", "dead-letters")
    return {"dead_letter_topic": messenger.topic("dead-letters"), "max_delivery_attempts": 5}


def to(inbox: Inbox, path: str = "/") -> dict[str, str]:
    """A push configuration."""
    return {"push_endpoint": inbox.url + path}


def test_a_push_is_as_google_documents_it(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox, "/projects/demo-project/topics/ticks?token=x"))
    message_id = messenger.publish(b"\x00look", kind="tick")
    clock.settle()
    (push,) = inbox.pushes
    assert push.path == "/projects/demo-project/topics/ticks?token=x"
    assert push.headers["Content-Type"] == "application/json"
    assert push.body == {
        "message": {
            "data": base64.b64encode(b"\x00look").decode(),
            "attributes": {"kind": "tick"},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": PUBLISHED_TEXT,
            "publish_time": PUBLISHED_TEXT,
        },
        "subscription": "projects/demo-project/subscriptions/inbox",
    }


def test_a_push_without_a_wrapper_is_the_data_alone(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox) | {"no_wrapper": {}})
    messenger.publish(b'{"look": 1}', kind="tick")
    clock.settle()
    (push,) = inbox.pushes
    assert push.body == {"look": 1}
    assert not {"kind", "x-goog-pubsub-message-id"} & {name.lower() for name in push.headers}


def test_a_push_without_a_wrapper_can_have_metadata(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox) | {"no_wrapper": {"write_metadata": True}})
    awkward = {"Content-Length": "1", "two words": "x", "lines": "a\r\nb"}
    message_id = messenger.publish(b'{"look": 1}', kind="tick", **awkward)
    clock.settle()
    (push,) = inbox.pushes
    assert push.body == {"look": 1}
    assert push.headers["kind"] == "tick"
    assert push.headers["x-goog-pubsub-message-id"] == message_id
    assert push.headers["x-goog-pubsub-subscription-name"] == "projects/demo-project/subscriptions/inbox"
    assert not {"two words", "lines"} & set(push.headers)


def test_a_push_leaves_out_what_is_empty(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    # Google's emulator sends data and attributes that are empty.
    messenger.subscribe(push_config=to(inbox))
    messenger.publish_all({"attributes": {"a": "b"}}, {"data": b"x"}, {"data": b"x", "ordering_key": "k"})
    clock.settle()
    always = {"messageId", "message_id", "publishTime", "publish_time"}
    keys = sorted(sorted(set(push.body["message"]) - always) for push in inbox.pushes)
    assert keys == [["attributes"], ["data"], ["data", "orderingKey"]]


def test_attempts_are_reported_with_a_dead_letter_policy(
    clock: Clock, messenger: Messenger, inbox: Inbox, dead_letters: dict[str, Any]
) -> None:
    messenger.subscribe(push_config=to(inbox), dead_letter_policy=dead_letters, retry_policy=backoff(1, 1))
    inbox.answer_with([500, 500])
    messenger.publish()
    clock.advance(10 * SECOND)
    assert [push.body["deliveryAttempt"] for push in inbox.pushes] == [1, 2, 3]


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_these_statuses_acknowledge(clock: Clock, messenger: Messenger, inbox: Inbox, status: int) -> None:
    messenger.subscribe(push_config=to(inbox))
    inbox.answer_with([status])
    messenger.publish()
    clock.advance(HOUR)
    assert len(inbox.pushes) == 1


@pytest.mark.parametrize("status", [203, 206, 301, 302, 400, 404, 429, 500, 503])
def test_other_statuses_do_not(clock: Clock, messenger: Messenger, inbox: Inbox, status: int) -> None:
    messenger.subscribe(push_config=to(inbox))
    inbox.answer_with([status])
    messenger.publish()
    clock.advance(HOUR)
    assert len(inbox.pushes) == 2


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        ({"retry_policy": backoff(10, 600)}, [10, 20, 40, 80, 160, 320, 600, 600]),
        ({"retry_policy": backoff(3, 5)}, [3, 5, 5, 5]),
        ({"retry_policy": {}}, [10, 20, 40, 80, 160, 320, 600, 600]),
        ({"retry_policy": backoff(0, 1)}, [0.1, 0.2, 0.4, 0.8, 1, 1]),
        ({}, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60]),
    ],
)
def test_pushes_back_off(
    clock: Clock, messenger: Messenger, inbox: Inbox, policy: dict[str, Any], waits: list[float]
) -> None:
    messenger.subscribe(push_config=to(inbox), **policy)
    inbox.answer_with([500] * len(waits))
    messenger.publish()
    clock.advance(HOUR)
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(inbox.pushes)]
    assert gaps == [timedelta(seconds=wait) for wait in waits]


def test_the_same_message_comes_again_with_its_id_and_time(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox))
    inbox.answer_with([500])
    messenger.publish()
    clock.advance(SECOND)
    first, second = inbox.pushes
    assert first.body == second.body


def test_an_endpoint_that_cannot_be_reached_does_not_acknowledge(
    clock: Clock, messenger: Messenger, inbox: Inbox
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        messenger.subscribe(push_config={"push_endpoint": f"http://127.0.0.1:{closed.getsockname()[1]}/"})
        messenger.publish()
        clock.settle()
    messenger.set_push_config(to(inbox))
    clock.advance(SECOND)
    assert len(inbox.pushes) == 1


def test_too_many_attempts_end_in_the_dead_letter_topic(
    clock: Clock, messenger: Messenger, inbox: Inbox, dead_letters: dict[str, Any]
) -> None:
    messenger.subscribe(push_config=to(inbox), dead_letter_policy=dead_letters, retry_policy=backoff(10, 10))
    inbox.answer_with([500] * 5)
    message_id = messenger.publish(kind="tick")
    clock.advance(HOUR)
    assert len(inbox.pushes) == 5
    (dead,) = messenger.pull("dead")
    assert dead.message.data == b"look"
    assert dict(dead.message.attributes) == {
        "kind": "tick",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "inbox",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "demo-project",
        "CloudPubSubDeadLetterSourceTopicPublishTime": PUBLISHED_TEXT,
    }
    # It is a new message.
    assert int(dead.message.message_id) > int(message_id)
    assert dead.message.publish_time == PUBLISHED + 40 * SECOND


def test_without_its_dead_letter_topic_a_message_is_tried_on(
    clock: Clock, messenger: Messenger, inbox: Inbox, dead_letters: dict[str, Any]
) -> None:
    messenger.subscribe(push_config=to(inbox), dead_letter_policy=dead_letters, retry_policy=backoff(1, 1))
    messenger.delete_topic("dead-letters")
    messenger.create_topic("dead-letters")
    inbox.answer_with([500] * 8)
    messenger.publish()
    clock.advance(HOUR)
    assert len(inbox.pushes) == 9
    assert messenger.get().dead_letter_policy.dead_letter_topic == "_deleted-topic_"


def test_a_filter_chooses_what_is_delivered(messenger: Messenger) -> None:
    # Google's emulator ignores filters.
    messenger.subscribe(filter='NOT attributes.eventType = "TOPIC_CONFIGURED"')
    messenger.publish(b"", eventType="TOPIC_CONFIGURED")
    messenger.publish(b"wanted", eventType="SECRET_ROTATE")
    messenger.publish(b"wanted too")
    assert data_of(messenger.pull()) == [b"wanted", b"wanted too"]


def test_a_subscription_with_a_wrong_filter_is_refused(messenger: Messenger) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="Invalid filter 'eventType'"):
        messenger.subscribe(filter="eventType")


def test_what_is_not_acknowledged_in_time_comes_again(clock: Clock, messenger: Messenger) -> None:
    messenger.subscribe(ack_deadline_seconds=20)
    messenger.publish()
    (first,) = messenger.pull()
    clock.advance(19 * SECOND)
    assert messenger.pull() == []
    clock.advance(SECOND)
    (second,) = messenger.pull()
    assert second.message == first.message
    assert second.ack_id != first.ack_id
    # The first delivery's id has expired: it acknowledges nothing, and is no error.
    messenger.acknowledge(first)
    clock.advance(20 * SECOND)
    assert len(messenger.pull()) == 1


def test_what_is_acknowledged_does_not_come_again(clock: Clock, messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish_all({"data": b"1"}, {"data": b"2"})
    first, second = messenger.pull()
    messenger.acknowledge(first)
    clock.advance(HOUR)
    assert data_of(messenger.pull()) == [second.message.data]


def test_the_deadline_can_be_moved(clock: Clock, messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish()
    (delivery,) = messenger.pull()
    messenger.defer(delivery, 60)
    clock.advance(59 * SECOND)
    assert messenger.pull() == []
    clock.advance(SECOND)
    assert len(messenger.pull()) == 1


def test_what_is_given_back_waits_as_the_retry_policy_says(clock: Clock, messenger: Messenger) -> None:
    messenger.subscribe(retry_policy=backoff(30, 600))
    messenger.publish()
    (delivery,) = messenger.pull()
    messenger.defer(delivery, 0)
    clock.advance(29 * SECOND)
    assert messenger.pull() == []
    clock.advance(SECOND)
    assert len(messenger.pull()) == 1


def test_messages_are_kept_for_a_time_only(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(message_retention_duration=HOUR)
    often = backoff(600, 600)
    messenger.subscribe("pushing", push_config=to(inbox), retry_policy=often, message_retention_duration=HOUR)
    inbox.answer_with([500] * 100)
    messenger.publish()
    clock.advance(12 * HOUR)
    assert messenger.pull() == []
    # Every ten minutes, the first time included.
    assert len(inbox.pushes) == 6


def test_a_detached_subscription_holds_nothing(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    # Google's emulator cannot detach.
    messenger.subscribe()
    messenger.subscribe("pushing", push_config=to(inbox), retry_policy=backoff(10, 10))
    inbox.answer_with([500])
    messenger.publish()
    clock.settle()
    for name in ("inbox", "pushing"):
        request = {"subscription": messenger.subscription(name)}
        messenger.publisher.detach_subscription(request=request, retry=None)
        assert messenger.get(name).detached
    messenger.publish()
    clock.advance(HOUR)
    with pytest.raises(exceptions.FailedPrecondition, match="detached"):
        messenger.pull()
    assert len(inbox.pushes) == 1


def test_a_deleted_subscription_is_not_pushed_to_again(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox), retry_policy=backoff(10, 10))
    inbox.answer_with([500])
    messenger.publish()
    clock.settle()
    messenger.delete()
    # One of the same name is another subscription: it has none of the messages.
    messenger.subscribe(push_config=to(inbox))
    clock.advance(HOUR)
    assert len(inbox.pushes) == 1


def test_an_update_holds_for_what_is_on_its_way(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox, "/old"), retry_policy=backoff(10, 10))
    inbox.answer_with([500], "/old")
    inbox.answer_with([500], "/new")
    messenger.publish()
    clock.settle()
    messenger.update("push_config", "retry_policy", push_config=to(inbox, "/new"), retry_policy=backoff(60, 60))
    clock.advance(HOUR)
    pushed = [(push.path, (push.at - START).seconds) for push in inbox.pushes]
    assert pushed == [("/old", 0), ("/new", 10), ("/new", 70)]


@pytest.mark.parametrize(
    "message",
    [
        {"data": b"x", "attributes": {"": "value"}},
        {"data": b"x", "attributes": {"google": "value"}},
        {"data": b"x", "attributes": {"k" * 257: "value"}},
        {"data": b"x", "attributes": {"key": "v" * 1025}},
        {"data": b"x", "attributes": {f"key{number}": "value" for number in range(101)}},
        {"data": b"x" * 10_000_000},
    ],
    ids=["no key", "goog", "long key", "long value", "many attributes", "large"],
)
def test_messages_out_of_bounds_are_refused(messenger: Messenger, message: dict[str, Any]) -> None:
    # Google's emulator takes all of these.
    with pytest.raises(exceptions.InvalidArgument):
        messenger.publish_all(message)


def test_messages_at_the_bounds_are_taken(messenger: Messenger) -> None:
    attributes = {f"{number:03d}{'k' * 253}": "v" * 1024 for number in range(100)}
    assert messenger.publish_all({"data": b"x", "attributes": attributes})


def test_one_wrong_message_keeps_the_others_back(messenger: Messenger) -> None:
    messenger.subscribe()
    with pytest.raises(exceptions.InvalidArgument):
        messenger.publish_all({"data": b"right"}, {})
    assert messenger.pull() == []


def test_deadlines_have_bounds(messenger: Messenger) -> None:
    # Google's emulator takes less than ten seconds, and moves a deadline by any time.
    with pytest.raises(exceptions.InvalidArgument, match="ack_deadline_secs=9"):
        messenger.subscribe(ack_deadline_seconds=9)
    messenger.subscribe()
    messenger.publish()
    (delivery,) = messenger.pull()
    for seconds in (-1, 601):
        with pytest.raises(exceptions.InvalidArgument, match=f"ack_deadline_secs={seconds}"):
            messenger.defer(delivery, seconds)


def test_topics_and_subscriptions_are_listed_by_project(cloud: LocalCloud, messenger: Messenger) -> None:
    other = Messenger(cloud.address, "demo-project-2")
    other.create_topic()
    other.subscribe()
    for number in range(5):
        messenger.create_topic(f"topic-{number}")
        messenger.subscribe(f"subscription-{number}", f"topic-{number}")
    request = {"project": messenger.project, "page_size": 3}
    pages = list(messenger.publisher.list_topics(request=request, retry=None).pages)
    assert [len(page.topics) for page in pages] == [3, 3, 1]
    found = messenger.subscriber.list_subscriptions(request=request, retry=None)
    assert [one.topic for one in found] == [messenger.topic(f"topic-{number}") for number in range(5)]
    other.clients.close()


def test_what_is_handed_out_is_a_copy(cloud: LocalCloud, messenger: Messenger) -> None:
    messenger.subscribe()
    request = types.GetSubscriptionRequest(subscription=messenger.subscription("inbox"))
    cloud.pubsub.get_subscription(request).labels["changed"] = "yes"
    assert not messenger.get().labels


def test_many_messages_are_pushed_once_each(clock: Clock, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config=to(inbox))
    ids = messenger.publish_all(*[{"data": str(number).encode()} for number in range(60)])
    clock.settle()
    assert sorted(push.body["message"]["messageId"] for push in inbox.pushes) == sorted(ids)


def test_a_push_under_way_is_broken_off_when_the_cloud_stops() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = {"push_endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}/"}
        with LocalCloud(now=START) as cloud:
            messenger = Messenger(cloud.address)
            messenger.create_topic()
            messenger.subscribe(push_config=endpoint, ack_deadline_seconds=600)
            messenger.publish()
            messenger.clients.close()
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(4) == b"POST"
                before = time.monotonic()
                cloud.stop()
                assert time.monotonic() - before < 60


def test_the_ack_deadline_bounds_a_push() -> None:
    answered = threading.Event()
    answers: list[bool] = []

    def done(accepted: bool) -> None:  # noqa: FBT001 - how a push reports
        answers.append(accepted)
        answered.set()

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        config = types.PushConfig(push_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        # Less than a subscription may have, for a quick test.
        subscription = types.Subscription(push_config=config, ack_deadline_seconds=1)
        pusher = Pusher(Clock(START))
        pusher.push(subscription, types.PubsubMessage(data=b"x"), 1, done)
        assert answered.wait(60)
        pusher.close()
    assert answers == [False]


def test_answers_are_as_recorded_of_the_real_service(messenger: Messenger) -> None:
    """As logs of 2025 show them: GoogleCloudPlatform/k8s-config-connector."""
    assert messenger.create_topic("plain").state == types.Topic.State.STATE_UNSPECIFIED
    version = {"x-goog-version": "v1"}
    created = messenger.subscribe("pushing", push_config={"push_endpoint": "https://example.com/push"})
    assert dict(created.push_config.attributes) == version
    assert not messenger.get("pushing").push_config.attributes
    pulling = messenger.subscribe("pulling")
    assert not pulling.push_config.attributes
    assert dict(messenger.update("labels", subscription="pulling", labels={"a": "b"}).push_config.attributes) == version
    assert messenger.get("pulling").labels == {"a": "b"}

    to_bigquery = messenger.subscribe("to-bigquery", bigquery_config={"table": "p.d.t"})
    assert to_bigquery.bigquery_config.state == types.BigQueryConfig.State.ACTIVE
    export = {"bucket": "exports", "max_duration": timedelta(seconds=400)}
    to_storage = messenger.subscribe("to-storage", cloud_storage_config=export, ack_deadline_seconds=300)
    assert (to_storage.ack_deadline_seconds, "text_config" in to_storage.cloud_storage_config) == (400, True)


def test_topics_are_updated_and_name_their_subscriptions(messenger: Messenger) -> None:
    messenger.subscribe("one")
    messenger.subscribe("elsewhere", "dead-letters")
    topic = {"name": messenger.topic("ticks"), "labels": {"a": "b"}}
    request = {"topic": topic, "update_mask": {"paths": ["labels"]}}
    assert messenger.publisher.update_topic(request=request, retry=None).labels == {"a": "b"}
    listed = messenger.publisher.list_topic_subscriptions(topic=messenger.topic("ticks"))
    assert list(listed) == [messenger.subscription("one")]
    with pytest.raises(exceptions.InvalidArgument, match="name field in the Topic is not mutable"):
        messenger.publisher.update_topic(request={**request, "update_mask": {"paths": ["name"]}}, retry=None)


def test_policies_of_topics_and_subscriptions_go_with_them(messenger: Messenger) -> None:
    binding = {"role": "roles/pubsub.publisher", "members": ["serviceAccount:a@b.iam.gserviceaccount.com"]}
    messenger.subscribe("one")
    for resource, client in (
        (messenger.topic("ticks"), messenger.publisher),
        (messenger.subscription("one"), messenger.subscriber),
    ):
        request = {"resource": resource, "policy": {"bindings": [binding]}}
        assert client.get_iam_policy(request={"resource": resource}).version == 0
        assert client.set_iam_policy(request=request).version == 1
        assert client.get_iam_policy(request={"resource": resource}).bindings[0].role == "roles/pubsub.publisher"
        asked = {"resource": resource, "permissions": ["pubsub.topics.publish"]}
        assert list(client.test_iam_permissions(request=asked).permissions) == ["pubsub.topics.publish"]
    messenger.delete_topic()
    messenger.create_topic()
    assert not messenger.publisher.get_iam_policy(request={"resource": messenger.topic("ticks")}).bindings
