"""Cases of Pub/Sub that the local cloud and Google's emulator answer alike.

Left out because the emulator (0.8.20) is known to differ from the service: it ignores filters, leaves `deliveryAttempt`
out of pushes and puts empty data and attributes in, takes 203 for an acknowledgement and 202 not, checks no attributes
or sizes of messages, allows ack deadlines below ten seconds, cannot detach a subscription or change its labels.
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions

from tests.conformance.clouds import Cloud
from tests.localcloud.inbox import Inbox
from tests.localcloud.messenger import Messenger, backoff, data_of

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

DAY = timedelta(days=1)


@pytest.mark.parametrize("topic", ["abc", "a.b-c_d~e+f%20", "A" * 255])
def test_topic_names(messenger: Messenger, topic: str) -> None:
    assert messenger.create_topic(topic).name == messenger.topic(topic)


@pytest.mark.parametrize("topic", ["", "ab", "1abc", "google", "a/b", "a bc", "a" * 256])
def test_wrong_topic_names(messenger: Messenger, topic: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        messenger.create_topic(topic)


@pytest.mark.parametrize("subscription", ["ab", "1abc", "google", "a bc"])
def test_wrong_subscription_names(messenger: Messenger, subscription: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        messenger.subscribe(subscription)


def test_what_exists_is_not_made_again(messenger: Messenger) -> None:
    messenger.subscribe()
    with pytest.raises(exceptions.AlreadyExists):
        messenger.create_topic()
    with pytest.raises(exceptions.AlreadyExists):
        messenger.subscribe()


@pytest.mark.parametrize(
    "use",
    [
        lambda messenger: messenger.delete_topic("absent"),
        lambda messenger: messenger.publish(topic="absent"),
        lambda messenger: messenger.subscribe(topic="absent"),
        lambda messenger: messenger.get("absent"),
        lambda messenger: messenger.update("push_config", subscription="absent"),
        lambda messenger: messenger.delete("absent"),
        lambda messenger: messenger.pull("absent"),
        lambda messenger: messenger.acknowledge_ids("any", subscription="absent"),
        lambda messenger: messenger.set_push_config({}, "absent"),
        lambda messenger: messenger.subscribe(dead_letter_policy={"dead_letter_topic": messenger.topic("absent")}),
        lambda messenger: messenger.subscribe(dead_letter_policy={"max_delivery_attempts": 5}),
    ],
)
def test_what_is_absent_is_not_found(messenger: Messenger, use: Callable[[Messenger], object]) -> None:
    with pytest.raises(exceptions.NotFound):
        use(messenger)


def test_a_subscription_is_filled_in(messenger: Messenger) -> None:
    made = messenger.subscribe(retry_policy={}, dead_letter_policy={"dead_letter_topic": messenger.topic("ticks")})
    for subscription in (made, messenger.get()):
        assert subscription.ack_deadline_seconds == 10
        assert subscription.message_retention_duration == 7 * DAY
        assert subscription.retry_policy.minimum_backoff == timedelta(seconds=10)
        assert subscription.retry_policy.maximum_backoff == timedelta(minutes=10)
        assert subscription.dead_letter_policy.max_delivery_attempts == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": timedelta(minutes=9)},
        {"retry_policy": {"minimum_backoff": timedelta(seconds=601)}},
        {"retry_policy": {"minimum_backoff": timedelta(seconds=-1)}},
        {"retry_policy": backoff(20, 10)},
        {"push_config": {"push_endpoint": "nonsense"}},
        {"push_config": {"push_endpoint": "ftp://127.0.0.1/"}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:port/"}},
    ],
)
def test_wrong_subscriptions(messenger: Messenger, fields: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        messenger.subscribe(**fields)


@pytest.mark.parametrize("attempts", [1, 4, 101])
def test_delivery_attempts_have_a_range(messenger: Messenger, attempts: int) -> None:
    policy = {"dead_letter_topic": messenger.topic("ticks"), "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.OutOfRange, match=f"You passed {attempts}"):
        messenger.subscribe(dead_letter_policy=policy)


def test_updates_are_masked(messenger: Messenger) -> None:
    messenger.subscribe(ack_deadline_seconds=20, retry_policy=backoff(1, 2))
    messenger.update("ack_deadline_seconds", ack_deadline_seconds=30, retry_policy=backoff(5, 6))
    changed = messenger.get()
    assert (changed.ack_deadline_seconds, changed.retry_policy.maximum_backoff) == (30, timedelta(seconds=2))
    messenger.update("ack_deadline_seconds", "retry_policy")
    cleared = messenger.get()
    assert cleared.ack_deadline_seconds == 10
    assert "retry_policy" not in cleared


@pytest.mark.parametrize("paths", [[], ["name"], ["topic"], ["filter"], ["absent"], ["pushConfig"]])
def test_wrong_update_masks(messenger: Messenger, paths: list[str]) -> None:
    messenger.subscribe()
    with pytest.raises(exceptions.InvalidArgument):
        messenger.update(*paths, topic=messenger.topic("ticks"), filter="attributes:x")


@pytest.mark.parametrize("messages", [[], [{}], [{"data": b"x"}] * 1001], ids=["none", "an empty one", "too many"])
def test_wrong_publications(messenger: Messenger, messages: list[dict[str, Any]]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        messenger.publish_all(*messages)


def test_the_server_numbers_and_dates_messages(pubsub: Cloud, messenger: Messenger) -> None:
    messenger.subscribe()
    before = pubsub.now() - timedelta(milliseconds=1)
    ids = messenger.publish_all({"data": b"1"}, {"data": b"2"})
    mine = {"data": b"3", "message_id": "mine", "publish_time": datetime(2000, 1, 1, tzinfo=UTC)}
    ids += messenger.publish_all(mine)
    received = {one.message.message_id: one.message for one in messenger.pull()}
    assert [received[message_id].data for message_id in ids] == [b"1", b"2", b"3"]
    numbers = [int(message_id) for message_id in ids]
    assert numbers == sorted(set(numbers))
    for message in received.values():
        published = message.publish_time
        assert isinstance(published, datetime)
        assert before <= published <= pubsub.now()
        assert published.microsecond % 1000 == 0


def test_attributes_come_through(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish(b"", kind="tick", empty="", other="ü")
    (received,) = messenger.pull()
    assert dict(received.message.attributes) == {"kind": "tick", "empty": "", "other": "ü"}


def test_each_subscription_gets_every_message_from_then_on(messenger: Messenger) -> None:
    messenger.publish(b"before")
    messenger.subscribe("first")
    messenger.publish(b"1")
    messenger.subscribe("second")
    messenger.publish(b"2")
    assert data_of(messenger.pull("first")) == [b"1", b"2"]
    assert data_of(messenger.pull("second")) == [b"2"]


def test_a_pull_takes_so_many(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish_all({"data": b"1"}, {"data": b"2"}, {"data": b"3"})
    taken = [messenger.pull(most=2) for _ in range(3)]
    assert [len(one) for one in taken] == [2, 1, 0]
    assert data_of([one for many in taken for one in many]) == [b"1", b"2", b"3"]
    with pytest.raises(exceptions.InvalidArgument):
        messenger.pull(most=0)


def test_acknowledging_twice_is_no_error(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish()
    (received,) = messenger.pull()
    messenger.acknowledge(received)
    messenger.acknowledge(received)
    assert messenger.pull() == []


def test_what_is_given_back_comes_again_at_once(pubsub: Cloud, messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish()
    (first,) = messenger.pull()
    # Attempts are counted only for a dead-letter policy.
    assert first.delivery_attempt == 0
    messenger.defer(first, 0)
    messenger.acknowledge(first)
    again = pulled(pubsub, messenger)
    assert again[0].message == first.message
    assert again[0].ack_id != first.ack_id


def test_wrong_ack_ids(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.subscribe("other")
    messenger.publish()
    (received,) = messenger.pull()
    with pytest.raises(exceptions.InvalidArgument):
        messenger.acknowledge_ids("nonsense")
    with pytest.raises(exceptions.InvalidArgument):
        messenger.acknowledge_ids()
    with pytest.raises(exceptions.InvalidArgument):
        messenger.acknowledge(received, subscription="other")
    with pytest.raises(exceptions.InvalidArgument):
        messenger.defer(received, -1)


def test_what_comes_too_often_goes_to_the_dead_letter_topic(pubsub: Cloud, messenger: Messenger) -> None:
    messenger.create_topic("dead-letters")
    messenger.subscribe("dead", "dead-letters")
    policy = {"dead_letter_topic": messenger.topic("dead-letters"), "max_delivery_attempts": 5}
    messenger.subscribe(dead_letter_policy=policy)
    message_id = messenger.publish(b"look", kind="tick")
    for attempt in (1, 2, 3, 4, 5):
        (received,) = pulled(pubsub, messenger)
        assert received.delivery_attempt == attempt
        messenger.defer(received, 0)
    buried: list[Any] = []

    def is_buried() -> bool:
        # The emulator buries it when it is asked for once more.
        assert messenger.pull() == []
        buried.extend(messenger.pull("dead"))
        return bool(buried)

    pubsub.settle(is_buried)
    (dead,) = buried
    attributes = dict(dead.message.attributes)
    publish_time = datetime.fromisoformat(attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime"))
    assert attributes == {
        "kind": "tick",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "inbox",
        "CloudPubSubDeadLetterSourceSubscriptionProject": messenger.project.removeprefix("projects/"),
    }
    assert abs(publish_time - pubsub.now()) < DAY
    assert (dead.message.data, int(dead.message.message_id) > int(message_id)) == (b"look", True)


def test_a_topic_of_the_same_name_is_another_topic(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish(b"old")
    messenger.delete_topic()
    messenger.create_topic()
    messenger.publish(b"new")
    assert messenger.get().topic == "_deleted-topic_"
    assert data_of(messenger.pull()) == [b"old"]


def test_a_deleted_subscription_is_gone(messenger: Messenger) -> None:
    messenger.subscribe()
    messenger.publish()
    messenger.delete()
    messenger.subscribe()
    assert messenger.pull() == []


def test_a_push_carries_the_message(messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config={"push_endpoint": f"{inbox.url}/projects/p/topics/ticks?x=y"})
    message_id = messenger.publish(b"\x00look", kind="tick")
    (push,) = inbox.wait_for(1)
    assert push.path == "/projects/p/topics/ticks?x=y"
    assert push.headers["Content-Type"] == "application/json"
    assert set(push.body) == {"message", "subscription"}
    assert push.body["subscription"] == messenger.subscription("inbox")
    message = push.body["message"]
    assert set(message) == {"data", "attributes", "messageId", "message_id", "publishTime", "publish_time"}
    assert base64.b64decode(message["data"]) == b"\x00look"
    assert message["attributes"] == {"kind": "tick"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")
    assert abs(datetime.fromisoformat(message["publishTime"]) - push.at) < timedelta(seconds=20)


def test_statuses_that_acknowledge_and_those_that_do_not(pubsub: Cloud, messenger: Messenger, inbox: Inbox) -> None:
    taken, refused = ["/102", "/200", "/201", "/204"], ["/206", "/302", "/400", "/404", "/429", "/500", "/503"]
    for path in taken + refused:
        inbox.answer_with([int(path[1:])], path)
        messenger.subscribe(f"to-{path[1:]}", push_config={"push_endpoint": inbox.url + path})
    messenger.publish()

    def times(paths: list[str]) -> list[int]:
        return [sum(push.path == path for push in inbox.pushes) for path in paths]

    pubsub.settle(lambda: times(refused) == [2] * len(refused))
    assert times(taken) == [1] * len(taken)


def test_a_push_is_tried_again_after_the_minimum_backoff(pubsub: Cloud, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config={"push_endpoint": f"{inbox.url}/"}, retry_policy=backoff(1, 1))
    inbox.answer_with([500])
    messenger.publish()
    pubsub.settle(lambda: len(inbox.pushes) == 2)
    first, second = inbox.pushes
    assert second.body == first.body
    assert second.at - first.at >= timedelta(milliseconds=950)


def test_pull_can_become_push(pubsub: Cloud, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe()
    messenger.publish(b"waiting")
    messenger.set_push_config({"push_endpoint": inbox.url})
    messenger.publish(b"fresh")
    pubsub.settle(lambda: len(inbox.pushes) == 2)
    pushed = {base64.b64decode(push.body["message"]["data"]) for push in inbox.pushes}
    assert pushed == {b"waiting", b"fresh"}


def test_push_can_become_pull(pubsub: Cloud, messenger: Messenger, inbox: Inbox) -> None:
    messenger.subscribe(push_config={"push_endpoint": f"{inbox.url}/"}, retry_policy=backoff(1, 1))
    inbox.answer_with([500])
    messenger.publish()
    inbox.wait_for(1)
    messenger.update("push_config")
    assert data_of(pulled(pubsub, messenger)) == [b"look"]
    assert len(inbox.pushes) == 1


def pulled(pubsub: Cloud, messenger: Messenger, subscription: str = "inbox") -> list[Any]:
    """The messages to pull, as soon as there are any."""
    received: list[Any] = []

    def has_come() -> bool:
        received.extend(messenger.pull(subscription))
        return bool(received)

    pubsub.settle(has_come)
    return received
