"""Pub/Sub's validation and defaults.

Limits: https://cloud.google.com/pubsub/quotas#resource_limits, and the message descriptions of ``google.pubsub.v1``.
Texts and codes are those that Google's emulator and users' reports show.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

import grpc
from google.pubsub_v1 import types

from localcloud.core.messages import Resource, invalid, page
from localcloud.core.server import ApiError
from localcloud.pubsub.filter import compile_filter

LARGEST_PAGE = 1000
LARGEST_REQUEST = 10_000_000
MOST_MESSAGES = 1000
MOST_ATTRIBUTES = 100
LONGEST_KEY, LONGEST_VALUE = 256, 1024
ACK_DEADLINES = (10, 600)
DELIVERY_ATTEMPTS = (5, 100)
LONGEST_BACKOFF = timedelta(minutes=10)
RETENTIONS = (timedelta(minutes=10), timedelta(days=31))

# https://cloud.google.com/pubsub/docs/subscription-properties
ACK_DEADLINE = 10
FIRST_BACKOFF = timedelta(seconds=10)
RETENTION = timedelta(days=7)
EXPIRATION = timedelta(days=31)
PUSH_VERSION = {"x-goog-version": "v1"}
"""Fields of push configurations that creations and updates return, and Get and List do not."""

_NAME = re.compile(
    r"projects/[^/]+/(?P<collection>topics|subscriptions|snapshots)/(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}"
)


class Paged(Protocol):
    """A request for a list."""

    page_size: int
    page_token: str


def page_of(resources: Mapping[str, Resource], request: Paged) -> tuple[list[Resource], str]:
    """The page that a request asks for of resources by name, and the token of the next. Raises ``ApiError``."""
    return page(resources, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)


def check_name(collection: str, name: str) -> None:
    """Raises INVALID_ARGUMENT unless it is the full name of a resource of ``collection``, such as topics."""
    match = _NAME.fullmatch(name)
    if not match or match["collection"] != collection:
        raise invalid(f"Invalid [{collection}] name: (name={name})")


def not_found(name: str) -> ApiError:
    """The error for a resource that does not exist."""
    return ApiError(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name.rpartition('/')[2]}).")


def already_exists(name: str) -> ApiError:
    """The error for a name that is taken."""
    text = f"Resource already exists in the project (resource={name.rpartition('/')[2]})."
    return ApiError(grpc.StatusCode.ALREADY_EXISTS, text)


def masked(request: str, resource: str, paths: Iterable[str], unchangeable: frozenset[str]) -> list[str]:
    """The paths of an update mask. Raises INVALID_ARGUMENT if there is none, or one that cannot be changed."""
    chosen = list(paths)
    if not chosen:
        raise invalid(f"The update_mask in the {request} must be set, and must contain a non-empty paths list.")
    if fixed := unchangeable.intersection(chosen):
        raise invalid(
            f"Invalid update_mask provided in the {request}: the {min(fixed)} field in the {resource} is not mutable."
        )
    return chosen


def check_messages(messages: Sequence[types.PubsubMessage]) -> None:
    """Raises INVALID_ARGUMENT for messages that cannot be published in one request."""
    if not messages:
        raise invalid(
            "The value for message_count is too small. You passed 0 in the request, but the minimum value is 1."
        )
    if len(messages) > MOST_MESSAGES:
        raise invalid(
            f"The value for message_count is too large. You passed {len(messages)} in the request, but the maximum"
            f" value is {MOST_MESSAGES}."
        )
    if sum(types.PubsubMessage.pb(message).ByteSize() for message in messages) > LARGEST_REQUEST:
        raise invalid(f"Request payload size exceeds the limit: {LARGEST_REQUEST} bytes.")
    for message in messages:
        _check_message(message)


def _check_message(message: types.PubsubMessage) -> None:
    if not message.data and not message.attributes:
        raise invalid(
            "One or more messages in the publish request is empty. Each message must contain either non-empty data,"
            " or at least one attribute."
        )
    if len(message.attributes) > MOST_ATTRIBUTES:
        raise invalid(f"A message has {len(message.attributes)} attributes, and may have {MOST_ATTRIBUTES}.")
    for key, value in message.attributes.items():
        if not key or key.startswith("goog") or len(key.encode()) > LONGEST_KEY:
            raise invalid(f"The attribute key {key[:LONGEST_KEY]!r} is empty, begins with goog, or is too long.")
        if len(value.encode()) > LONGEST_VALUE:
            raise invalid(f"The value of the attribute {key!r} is longer than {LONGEST_VALUE} bytes.")


def completed(subscription: types.Subscription) -> types.Subscription:
    """A copy of a subscription, with what Pub/Sub fills in."""
    full = types.Subscription(subscription)
    full.state = types.Subscription.State.ACTIVE
    full.push_config = full.push_config or types.PushConfig()
    _complete_exports(full)
    full.ack_deadline_seconds = full.ack_deadline_seconds or ACK_DEADLINE
    if "message_retention_duration" not in full:
        full.message_retention_duration = RETENTION
    if "expiration_policy" not in full:
        full.expiration_policy = types.ExpirationPolicy(ttl=EXPIRATION)
    if "retry_policy" in full:
        if "minimum_backoff" not in full.retry_policy:
            full.retry_policy.minimum_backoff = FIRST_BACKOFF
        if "maximum_backoff" not in full.retry_policy:
            full.retry_policy.maximum_backoff = LONGEST_BACKOFF
    if "dead_letter_policy" in full:
        full.dead_letter_policy.max_delivery_attempts = (
            full.dead_letter_policy.max_delivery_attempts or DELIVERY_ATTEMPTS[0]
        )
    return full


def answered(subscription: types.Subscription) -> types.Subscription:
    """A subscription as the answer to its creation or update shows it."""
    shown = types.Subscription(subscription)
    shown.push_config.attributes = {**PUSH_VERSION, **shown.push_config.attributes}
    return shown


def kept(subscription: types.Subscription) -> types.Subscription:
    """A subscription as Get and List show it: without the attributes of its pushes."""
    shown = types.Subscription(subscription)
    shown.push_config.attributes = {}
    return shown


def _complete_exports(full: types.Subscription) -> None:
    """Fill in what is exported to BigQuery or Cloud Storage. Nothing is exported here: their messages wait."""
    if "bigquery_config" in full:
        full.bigquery_config.state = types.BigQueryConfig.State.ACTIVE
    if "cloud_storage_config" not in full:
        return
    config = full.cloud_storage_config
    config.state = types.CloudStorageConfig.State.ACTIVE
    if "avro_config" not in config:
        config.text_config = config.text_config or types.CloudStorageConfig.TextConfig()
    # A file is written for so long before its messages are acknowledged.
    full.ack_deadline_seconds = max(full.ack_deadline_seconds, int(config.max_duration.total_seconds()))


def check_subscription(subscription: types.Subscription) -> None:
    """Raises INVALID_ARGUMENT or OUT_OF_RANGE for a (completed) subscription that Pub/Sub would not make."""
    check_name("subscriptions", subscription.name)
    seconds = subscription.ack_deadline_seconds
    if not ACK_DEADLINES[0] <= seconds <= ACK_DEADLINES[1]:
        raise invalid(f"Invalid ack deadline given (ack_deadline_secs={seconds}).")
    if not RETENTIONS[0] <= subscription.message_retention_duration <= RETENTIONS[1]:
        raise invalid(f"Invalid message retention duration given: {subscription.message_retention_duration}.")
    if "retry_policy" in subscription:
        _check_retry(subscription.retry_policy)
    if "dead_letter_policy" in subscription:
        _check_attempts(subscription.dead_letter_policy.max_delivery_attempts)
    if subscription.push_config.push_endpoint:
        _check_endpoint(subscription.push_config.push_endpoint)
    compile_filter(subscription.filter)


def _check_retry(policy: types.RetryPolicy) -> None:
    for name, backoff in (("minimum_backoff", policy.minimum_backoff), ("maximum_backoff", policy.maximum_backoff)):
        if not timedelta(0) <= backoff <= LONGEST_BACKOFF:
            raise invalid(
                f"The value for {name} is out of bounds. You passed {backoff.total_seconds():g}s in the request, but"
                f" the value must be between 0s and {LONGEST_BACKOFF.total_seconds():g}s."
            )
    if policy.maximum_backoff < policy.minimum_backoff:
        raise invalid(
            f"The value for maximum_backoff is too small. You passed {policy.maximum_backoff.total_seconds():g}s in the"
            f" request, but the minimum value is {policy.minimum_backoff.total_seconds():g}s."
        )


def _check_attempts(attempts: int) -> None:
    fewest, most = DELIVERY_ATTEMPTS
    if not fewest <= attempts <= most:
        is_small = attempts < fewest
        raise ApiError(
            grpc.StatusCode.OUT_OF_RANGE,
            f"The value for max_delivery_attempts is too {'small' if is_small else 'large'}. You passed {attempts} in"
            f" the request, but the {'minimum' if is_small else 'maximum'} value is {fewest if is_small else most}.",
        )


def _check_endpoint(endpoint: str) -> None:
    """Unlike Google, we also push over plain HTTP: everything is on this machine."""
    try:
        url = urlsplit(endpoint)
        is_url = bool(url.scheme in ("http", "https") and url.hostname and url.port != 0)
    except ValueError:
        is_url = False
    if not is_url or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise invalid(f"Invalid push endpoint given (endpoint={endpoint}).")
