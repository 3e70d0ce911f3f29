"""The CloudEvents of laws and simulations are those that functions-framework makes of a push."""

import warnings
from datetime import UTC, datetime

import flask
import pytest
from functions_framework.event_conversion import background_event_to_cloud_event
from google.pubsub_v1 import types as pubsub
from werkzeug.test import EnvironBuilder

from localcloud.pubsub.push import push_body
from tests.laws.pushed import cloud_event_of
from tests.laws.scenario import Event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "event",
    [
        Event(name="m1", topic="caretaker-cap-spending", data={"type": "tick"}, published=NOON),
        Event(name="m2", topic="t", text="{", attributes={"a": "b"}, published=NOON.replace(microsecond=120001)),
    ],
)
def test_it_is_what_functions_framework_makes_of_a_push(event: Event) -> None:
    topic = f"projects/home/topics/{event.topic}"
    message = pubsub.PubsubMessage(
        message_id=event.name, data=event.payload, attributes=event.attributes, publish_time=event.published
    )
    subscription = pubsub.Subscription(name="projects/home/subscriptions/s", topic=topic)
    body = push_body(subscription, message, 1)
    request = EnvironBuilder(path=f"/{topic}", method="POST", json=body).get_request(flask.Request)
    with warnings.catch_warnings():
        # It calls datetime.utcnow(), which Python has deprecated since 3.12.
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = background_event_to_cloud_event(request)
    made = cloud_event_of(event, "home")
    assert made.get_attributes() == expected.get_attributes()
    assert made.data == expected.data
