"""What Pub/Sub refuses: names, sizes and deadlines out of bounds.

Limits: https://cloud.google.com/pubsub/quotas#resource_limits
"""

import re
from collections.abc import Sequence
from typing import Any

import grpc

from local.cloud.engine import ApiError
from local.cloud.pubsub_filter import compile_filter

LARGEST_REQUEST = 10_000_000
MOST_ATTRIBUTES = 100
LONGEST_KEY, LONGEST_VALUE = 256, 1024
MOST_MESSAGES = 1000
_TOPIC = re.compile(r"^projects/[^/]+/topics/(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$")
_SUBSCRIPTION = re.compile(r"^projects/[^/]+/subscriptions/(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$")


def _invalid(message: str) -> ApiError:
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, message)


def check_topic_name(name: str) -> None:
    """Raises INVALID_ARGUMENT unless it is a full topic name."""
    if not _TOPIC.match(name):
        raise _invalid(f"Invalid [topics] name: (name={name})")


def check_message(messages: Sequence[Any]) -> None:
    """Raises INVALID_ARGUMENT for messages that Pub/Sub does not publish."""
    if not messages:
        raise _invalid(
            "The value for message_count is too small. You passed 0 in the request, but the minimum value is 1."
        )
    if len(messages) > MOST_MESSAGES:
        raise _invalid(f"The value for message_count is too large: the maximum value is {MOST_MESSAGES}.")
    if sum(message.ByteSize() for message in messages) > LARGEST_REQUEST:
        raise _invalid(f"Request payload size exceeds the limit: {LARGEST_REQUEST} bytes.")
    for message in messages:
        if not message.data and not message.attributes:
            raise _invalid("Some messages in the PublishRequest are empty: each needs data or an attribute.")
        if len(message.attributes) > MOST_ATTRIBUTES:
            raise _invalid(f"A message may have at most {MOST_ATTRIBUTES} attributes.")
        for key, value in message.attributes.items():
            if not key or len(key.encode()) > LONGEST_KEY or key.startswith("goog"):
                raise _invalid(f"Invalid attribute key {key!r}.")
            if len(value.encode()) > LONGEST_VALUE:
                raise _invalid(f"The value of attribute {key!r} is longer than {LONGEST_VALUE} bytes.")


def check_subscription(resource: Any) -> None:
    """Raises INVALID_ARGUMENT for a subscription that Pub/Sub does not make."""
    if not _SUBSCRIPTION.match(resource.name):
        raise _invalid(f"Invalid [subscriptions] name: (name={resource.name})")
    if not 10 <= resource.ack_deadline_seconds <= 600:
        raise _invalid(f"Invalid ack deadline given (ack_deadline_secs={resource.ack_deadline_seconds}): 10 to 600.")
    attempts = resource.dead_letter_policy.max_delivery_attempts
    if resource.dead_letter_policy.dead_letter_topic and attempts and not 5 <= attempts <= 100:
        raise _invalid(f"max_delivery_attempts is {attempts}: it is 5 to 100.")
    for name in ("minimum_backoff", "maximum_backoff"):
        seconds = getattr(resource.retry_policy, name).ToSeconds()
        if not 0 <= seconds <= 600:
            raise _invalid(f"{name} is {seconds} s: it is 0 to 600.")
    compile_filter(resource.filter)
