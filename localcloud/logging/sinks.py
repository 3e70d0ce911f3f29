"""Sinks of Cloud Logging: each publishes the entries of its project that its filter matches to a topic.

https://cloud.google.com/logging/docs/export/pubsub
"""

import json
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types as pubsub

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, page, project_number
from localcloud.core.server import ApiError
from localcloud.logging.filter import all_hold, parse_filter

if TYPE_CHECKING:
    from google.cloud.logging_v2.types import (
        CreateSinkRequest,
        DeleteSinkRequest,
        GetSinkRequest,
        ListSinksRequest,
        ListSinksResponse,
        LogSink,
        UpdateSinkRequest,
    )

TOPIC = re.compile(r"pubsub\.googleapis\.com/(?P<topic>projects/[^/]+/topics/[^/]+)")
TIMESTAMP = "logging.googleapis.com/timestamp"
LARGEST_PAGE = 1000


class Publisher(Protocol):
    """The part of Pub/Sub that a sink needs."""

    def publish(self, request: pubsub.PublishRequest) -> pubsub.PublishResponse:
        """Publish the messages of ``request`` to its topic."""


class Sinks:
    """Serves ``google.cloud.logging_v2``'s ``ConfigServiceV2Client``, limited to projects' sinks to Pub/Sub topics."""

    def __init__(self, clock: Clock, publisher: Publisher) -> None:
        self._clock = clock
        self._publisher = publisher
        self._sinks: dict[str, LogSink] = {}
        self._lock = threading.Lock()

    def create_sink(self, request: "CreateSinkRequest") -> "LogSink":
        """Create a sink. INVALID_ARGUMENT for a destination or filter that is not understood, ALREADY_EXISTS."""
        name = f"{request.parent}/sinks/{request.sink.name}"
        with self._lock:
            if name in self._sinks:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Sink {name} already exists")
            self._sinks[name] = _checked(request.sink, request.parent, self._clock)
            return self._sinks[name]

    def get_sink(self, request: "GetSinkRequest") -> "LogSink":
        """A sink, by its full name. NOT_FOUND."""
        with self._lock:
            return self._sink(request.sink_name)

    def list_sinks(self, request: "ListSinksRequest") -> "ListSinksResponse":
        """The sinks of a project, by name."""
        from google.cloud.logging_v2.types import ListSinksResponse

        with self._lock:
            here = {name: one for name, one in self._sinks.items() if name.startswith(f"{request.parent}/sinks/")}
        shown, token = page(here, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
        return ListSinksResponse(sinks=shown, next_page_token=token)

    def update_sink(self, request: "UpdateSinkRequest") -> "LogSink":
        """Replace destination and filter of a sink. NOT_FOUND, INVALID_ARGUMENT."""
        with self._lock:
            self._sink(request.sink_name)
            parent = request.sink_name.partition("/sinks/")[0]
            self._sinks[request.sink_name] = _checked(request.sink, parent, self._clock)
            return self._sinks[request.sink_name]

    def delete_sink(self, request: "DeleteSinkRequest") -> Empty:
        """Delete a sink. NOT_FOUND."""
        with self._lock:
            self._sink(request.sink_name)
            del self._sinks[request.sink_name]
        return Empty()

    def route(self, project: str, entry: Mapping[str, object]) -> None:
        """Publish an entry to the topics of the sinks whose filter it matches. A topic that is gone gets nothing."""
        with self._lock:
            sinks = [one for name, one in self._sinks.items() if name.startswith(f"projects/{project}/sinks/")]
        for sink in sinks:
            if all_hold(parse_filter(sink.filter), entry):
                self._publish(sink, entry)

    def _sink(self, name: str) -> "LogSink":
        if name not in self._sinks:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Sink {name} does not exist")
        return self._sinks[name]

    def _publish(self, sink: "LogSink", entry: Mapping[str, object]) -> None:
        found = TOPIC.fullmatch(sink.destination)
        if found is None:
            return
        attributes = {TIMESTAMP: str(entry["timestamp"])}
        message = pubsub.PubsubMessage(data=json.dumps(entry).encode(), attributes=attributes)
        try:
            self._publisher.publish(pubsub.PublishRequest(topic=found["topic"], messages=[message]))
        except ApiError:
            return  # Google reports it in the project's own log, and goes on


def _checked(sink: "LogSink", parent: str, clock: Clock) -> "LogSink":
    from google.cloud.logging_v2.types import LogSink

    if not TOPIC.fullmatch(sink.destination):
        raise invalid(f"Invalid destination {sink.destination!r}: only Pub/Sub topics are served here.")
    parse_filter(sink.filter)
    kept = LogSink(sink)
    number = project_number(parent.partition("/")[2])
    kept.writer_identity = f"serviceAccount:service-{number}@gcp-sa-logging.iam.gserviceaccount.com"
    kept.create_time = kept.update_time = clock.now()
    return kept
