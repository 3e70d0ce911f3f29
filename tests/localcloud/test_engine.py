"""The behaviour that every service of the local cloud shares: calls, records of them, faults."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.protobuf.wrappers_pb2 import StringValue
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from localcloud.core.calls import Call, Method, Recorder, is_read
from localcloud.core.clock import Clock
from localcloud.core.server import ApiError, Server, copy_of
from localcloud.core.transports import RESPONSE_STREAM, UNARY, rpcs_of
from shared.clients import Clients

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
TOPIC = "projects/demo-project/topics/ticks"
SERVICE = "google.pubsub.v1.Publisher"


class Topics:
    """A service that makes topics, and keeps them as they came."""

    def __init__(self) -> None:
        self.made: list[types.Topic] = []

    def create_topic(self, request: types.Topic) -> types.Topic:
        """Keep a topic, and do to it what a service might do."""
        self.made.append(request)
        request.labels["kept"] = "yes"
        return request

    def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """There is none."""
        metadata = {"topic": request.topic}
        raise ApiError(grpc.StatusCode.NOT_FOUND, "no such topic", reason="TOPIC_GONE", metadata=metadata)

    def delete_topic(self, request: types.DeleteTopicRequest) -> types.Topic:
        """Fail as a service with a fault of its own does."""
        raise RuntimeError(f"a fault of the service: {request.topic}")


@pytest.fixture
def service() -> Topics:
    return Topics()


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def server(service: Topics, clock: Clock) -> Iterator[Server]:
    server = Server(clock)
    server.add(PublisherGrpcTransport, service)
    yield server
    server.stop()


@pytest.fixture
def address(server: Server) -> str:
    return f"127.0.0.1:{server.start()}"


@pytest.fixture
def clients(address: str) -> Iterator[Clients]:
    clients = Clients("demo-project", endpoint=address)
    yield clients
    clients.close()


@pytest.fixture
def publisher(clients: Clients) -> PublisherClient:
    return clients.of(PublisherClient)


def create(publisher: PublisherClient) -> types.Topic:
    return publisher.create_topic(name=TOPIC, retry=None)


def test_a_call_is_recorded_as_it_was_received(server: Server, publisher: PublisherClient, clock: Clock) -> None:
    clock.advance(timedelta(minutes=3))
    create(publisher)
    with pytest.raises(exceptions.NotFound):
        publisher.get_topic(topic=TOPIC, retry=None)
    topic, question = types.Topic.pb()(name=TOPIC), types.GetTopicRequest.pb()(topic=TOPIC)
    now = START + timedelta(minutes=3)
    assert server.calls == [
        Call(f"{SERVICE}/CreateTopic", topic, mutating=True, at=now, code=grpc.StatusCode.OK),
        Call(f"{SERVICE}/GetTopic", question, mutating=False, at=now, code=grpc.StatusCode.NOT_FOUND),
    ]


def test_the_record_is_a_snapshot(server: Server, publisher: PublisherClient) -> None:
    create(publisher)
    calls = server.calls
    create(publisher)
    assert len(calls) == 1
    server.clear_calls()
    assert server.calls == []


def test_the_record_keeps_the_newest_calls(clock: Clock) -> None:
    recorder = Recorder(clock, most=2)
    for number in range(3):
        recorder.record(Method(f"m{number}", None), StringValue(), grpc.StatusCode.OK)
    assert [call.method for call in recorder.calls] == ["m1", "m2"]


def test_an_error_carries_its_reason(publisher: PublisherClient) -> None:
    with pytest.raises(exceptions.NotFound, match="no such topic") as caught:
        publisher.get_topic(topic=TOPIC, retry=None)
    assert (caught.value.reason, caught.value.domain) == ("TOPIC_GONE", "googleapis.com")
    assert caught.value.metadata == {"topic": TOPIC}


def test_what_a_service_lacks_is_refused_by_name(server: Server, publisher: PublisherClient) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match=f"{SERVICE}/ListTopics is not served"):
        publisher.list_topics(project="projects/demo-project", retry=None)
    assert server.calls[0].code == grpc.StatusCode.UNIMPLEMENTED


def test_an_api_that_is_not_served_is_refused_by_name(server: Server, clients: Clients) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match=r"google\.pubsub\.v1\.Subscriber/Pull is not served"):
        clients.of(SubscriberClient).pull(subscription="any", max_messages=1, retry=None)
    assert (server.calls[0].method, server.calls[0].mutating) == ("google.pubsub.v1.Subscriber/Pull", False)


def test_a_stream_of_requests_is_refused_by_name(clients: Clients) -> None:
    requests = iter([types.StreamingPullRequest(subscription="any", stream_ack_deadline_seconds=10)])
    with pytest.raises(exceptions.MethodNotImplemented, match="StreamingPull is not served"):
        list(clients.of(SubscriberClient).streaming_pull(requests, retry=None))


def test_a_fault_of_a_service_is_loud(
    server: Server, publisher: PublisherClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(exceptions.Unknown, match="a fault of the service"):
        publisher.delete_topic(topic=TOPIC, retry=None)
    assert server.calls[0].code == grpc.StatusCode.UNKNOWN
    assert "a fault of the service" in caplog.text


def outcomes(publisher: PublisherClient, count: int) -> list[str]:
    """The answer to each of some calls."""
    found = []
    for _ in range(count):
        try:
            create(publisher)
        except exceptions.GoogleAPICallError as error:
            found.append(type(error).__name__)
        else:
            found.append("OK")
    return found


def test_calls_can_be_failed(server: Server, service: Topics, publisher: PublisherClient) -> None:
    server.fail("Publisher/CreateTopic", grpc.StatusCode.UNAVAILABLE, times=2, skip=1)
    assert outcomes(publisher, 4) == ["OK", "ServiceUnavailable", "ServiceUnavailable", "OK"]
    assert len(service.made) == 2


def test_faults_queue_up(server: Server, publisher: PublisherClient) -> None:
    server.fail("CreateTopic", grpc.StatusCode.UNAVAILABLE)
    server.fail("CreateTopic", grpc.StatusCode.ABORTED)
    server.fail("GetTopic", grpc.StatusCode.INTERNAL)
    assert outcomes(publisher, 3) == ["ServiceUnavailable", "Aborted", "OK"]


def test_the_answer_alone_can_be_lost(server: Server, service: Topics, publisher: PublisherClient) -> None:
    server.fail("CreateTopic", grpc.StatusCode.DEADLINE_EXCEEDED, after_effect=True, message="lost on the way")
    with pytest.raises(exceptions.DeadlineExceeded, match="lost on the way"):
        create(publisher)
    assert [topic.name for topic in service.made] == [TOPIC]


def test_faults_can_be_forgotten(server: Server, publisher: PublisherClient) -> None:
    server.fail("CreateTopic", grpc.StatusCode.UNAVAILABLE, times=9)
    server.clear_faults()
    assert outcomes(publisher, 1) == ["OK"]


@pytest.mark.parametrize(
    ("message", "change"),
    [(types.Topic(name="old"), "name"), (StringValue(value="old"), "value")],
)
def test_a_copy_shares_nothing(message: types.Topic | StringValue, change: str) -> None:
    copy = copy_of(message)
    setattr(copy, change, "new")
    assert getattr(message, change) == "old"
    assert type(copy) is type(message)


def test_rpcs_are_read_off_a_transport() -> None:
    original = grpc.intercept_channel
    rpcs = {rpc.snake_name: rpc for rpc in rpcs_of(FirestoreGrpcTransport)}
    assert rpcs["commit"].path == "/google.firestore.v1.Firestore/Commit"
    assert (rpcs["commit"].kind, rpcs["batch_get_documents"].kind) == (UNARY, RESPONSE_STREAM)
    assert rpcs["commit"].request.__name__ == "CommitRequest"
    assert grpc.intercept_channel is original


def test_a_port_serves_one_server(server: Server) -> None:
    port = server.start()
    with pytest.raises(RuntimeError):
        Server(Clock(START)).start(port)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("google.cloud.run.v2.Services/ListServices", True),
        ("google.cloud.run.v2.Services/UpdateService", False),
        ("google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion", True),
        ("GET api.github.com/repos/acme/shop/pulls", True),
        ("POST api.github.com/repos/acme/shop/deployments", False),
        ("DELETE api.github.com/repos/acme/shop/issues/7/labels/Test", False),
        ("POST api.github.com/app/installations/99/access_tokens", True),
        ("DELETE api.github.com/app/installations/99/access_tokens", False),
        ("POST api.github.com/repos/acme/shop/access_tokens/7", False),
    ],
)
def test_what_only_reads(method: str, *, expected: bool) -> None:
    assert is_read(method) is expected
