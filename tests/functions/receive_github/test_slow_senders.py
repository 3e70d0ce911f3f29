"""Slow senders without the secret do not stall webhooks, on the server that is deployed."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from google.pubsub_v1 import PublisherClient

from benchmarks.functions import (
    PATIENCE_SECONDS,
    PROJECT,
    bundle,
    environment,
    post,
    serving,
    slow_sender,
    wait_for,
    webhook,
    webhook_headers,
    webhook_section,
)
from infra.suite.automations import load_functions
from localcloud import LocalCloud
from shared.clients import Clients
from shared.github_events import TOPIC

STRANGERS = 50


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the function, on the server and with the environment that it is deployed with."""
    folder = tmp_path_factory.mktemp("function")
    with LocalCloud() as cloud:
        clients = Clients(PROJECT, endpoint=cloud.address)
        clients.of(PublisherClient).create_topic(request={"name": f"projects/{PROJECT}/topics/{TOPIC}"})
        clients.close()
        variables = (
            environment(cloud.address, cloud.http_address, more=webhook_section(folder))
            | load_functions()["receive_github"].environment
        )
        with serving(bundle(folder / "function", "receive_github"), "receive_github", variables) as hosted:
            wait_for(hosted.port)
            yield hosted.port


def status_of(sender: socket.socket) -> int:
    """The status of the answer to what was sent."""
    answer = http.client.HTTPResponse(sender)
    answer.begin()
    return answer.status


def test_fifty_slow_strangers_stall_no_webhook(port: int) -> None:
    body = webhook()
    with contextlib.ExitStack() as stack:
        strangers = [
            stack.enter_context(slow_sender(port, webhook_headers(b"", b"another secret"))) for _ in range(STRANGERS)
        ]
        for _ in range(5):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
            with contextlib.closing(connection):
                assert post(connection, body, "/", webhook_headers(body)) == HTTPStatus.ACCEPTED
        assert {status_of(stranger) for stranger in strangers} == {HTTPStatus.REQUEST_TIMEOUT}


@pytest.mark.parametrize(
    ("missing", "status"),
    [("X-Hub-Signature-256", HTTPStatus.UNAUTHORIZED), ("X-GitHub-Delivery", HTTPStatus.BAD_REQUEST)],
)
def test_headers_are_checked_before_the_body_is_waited_for(port: int, missing: str, status: HTTPStatus) -> None:
    headers = {name: value for name, value in webhook_headers(b"").items() if name != missing}
    with slow_sender(port, headers) as sender:
        assert status_of(sender) == status


def test_there_is_a_thread_for_each_request_that_cloud_run_sends() -> None:
    entry = load_functions()["receive_github"]
    assert int(entry.environment["THREADS"]) == entry.concurrency
