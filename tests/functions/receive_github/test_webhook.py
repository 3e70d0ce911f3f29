"""The answer to a request from outside, and the events in the topic then."""

import io
import json
import socket
import time
from http import HTTPStatus

import grpc
import msgspec
import pytest

from functions.receive_github.bodies import LARGEST_BODY
from functions.receive_github.publishing import Publisher
from shared.clients import Clients, RetryPolicy
from shared.github_events import CommentCommand, PullRequestEvent
from tests.functions.receive_github.examples import (
    HEAD,
    body_of,
    derived_comment,
    derived_fork,
    derived_merged,
    example,
    examples,
)
from tests.functions.receive_github.stage import DELIVERY, PROJECT, SECRET, Stage, signature_of

OPENED = body_of(example("pull_request", "opened"))
NOT_A_WEBHOOK = pytest.mark.parametrize(
    ("status", "request_"),
    [
        (HTTPStatus.METHOD_NOT_ALLOWED, {"method": "GET"}),
        (HTTPStatus.METHOD_NOT_ALLOWED, {"method": "PUT"}),
        (HTTPStatus.METHOD_NOT_ALLOWED, {"method": "DELETE"}),
        (HTTPStatus.METHOD_NOT_ALLOWED, {"method": "OPTIONS"}),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"content_type": None}),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"content_type": "text/plain"}),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"content_type": "application/x-www-form-urlencoded"}),
        (HTTPStatus.UNAUTHORIZED, {"signature": ""}),
        (HTTPStatus.UNAUTHORIZED, {"signature": "", "headers": {"X-Hub-Signature": "sha1=" + "0" * 40}}),
        (HTTPStatus.FORBIDDEN, {"signature": "sha256=" + "0" * 63}),
        (HTTPStatus.FORBIDDEN, {"signature": signature_of(OPENED).upper()}),
        (HTTPStatus.FORBIDDEN, {"signature": signature_of(OPENED) + "0"}),
        (HTTPStatus.FORBIDDEN, {"signature": signature_of(OPENED).removeprefix("sha256=")}),
        (HTTPStatus.FORBIDDEN, {"signature": "sha256=" + "\u00e9" * 64}),
    ],
)
BADLY_SIGNED = pytest.mark.parametrize(
    "signature",
    [signature_of(OPENED, b"another"), signature_of(OPENED + b" "), signature_of(b""), "sha256=" + "0" * 64],
)


class Stream(io.RawIOBase):
    """A body of any length that notes how much of it is read."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        """Fill as much as there is left, with nothing but spaces."""
        count = min(len(into), self.length - self.read_so_far)
        into[:count] = b" " * count
        self.read_so_far += count
        return count


def sent_in_chunks(stream: Stream) -> dict[str, object]:
    """A chunked body as gunicorn passes it on: no length, and an end."""
    chunked = {"wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return {"environ_overrides": chunked}


def sent_with_length(stream: Stream, length: int, *, terminated: bool = False) -> dict[str, object]:
    """A body with a length as a server passes it on; gunicorn ends it, too."""
    given = {"wsgi.input": stream, "CONTENT_LENGTH": str(length)}
    return {"environ_overrides": given | ({"wsgi.input_terminated": True} if terminated else {})}


def test_a_pull_request_is_published_when_202_is_answered(stage: Stage) -> None:
    assert stage.post(OPENED).status_code == HTTPStatus.ACCEPTED
    ((event, delivery),) = stage.published()
    assert isinstance(event, PullRequestEvent)
    assert (event.action, event.number, event.head_sha, delivery) == ("opened", 2, HEAD, DELIVERY)
    assert stage.calls() == ["Publish", "Pull"]


def test_a_command_is_published(stage: Stage) -> None:
    answer = stage.post(body_of(derived_comment("/preview stop\nthank you")), "issue_comment")
    assert answer.status_code == HTTPStatus.ACCEPTED
    ((event, _),) = stage.published()
    assert isinstance(event, CommentCommand)
    assert (event.number, event.command) == (1, "/preview stop")


def test_a_redelivery_is_published_again_with_the_same_id(stage: Stage) -> None:
    assert [stage.post(OPENED).status_code for _ in range(2)] == [HTTPStatus.ACCEPTED] * 2
    first, second = stage.published()
    assert first == second


def test_derived_forks_and_merges_are_published(stage: Stage) -> None:
    for payload in (derived_fork("synchronize"), derived_merged()):
        assert stage.post(body_of(payload)).status_code == HTTPStatus.ACCEPTED
    assert {event.action for event, _ in stage.published() if isinstance(event, PullRequestEvent)} == {
        "synchronize",
        "closed",
    }


def test_publishing_that_fails_once_is_tried_again(stage: Stage) -> None:
    stage.cloud.server.fail("Publish", grpc.StatusCode.UNAVAILABLE)
    assert stage.post(OPENED).status_code == HTTPStatus.ACCEPTED
    assert [call.code for call in stage.cloud.server.calls] == [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK]
    assert len(stage.published()) == 1


@pytest.mark.parametrize("after_effect", [False, True])
def test_publishing_that_fails_is_answered_503(stage: Stage, *, after_effect: bool) -> None:
    stage.cloud.server.fail("Publish", grpc.StatusCode.PERMISSION_DENIED, after_effect=after_effect)
    assert stage.post(OPENED).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(stage.published()) == int(after_effect)


def test_publishing_that_goes_on_failing_is_given_up(stage: Stage) -> None:
    stage.cloud.server.fail("Publish", grpc.StatusCode.UNAVAILABLE, times=10_000)
    assert stage.post(OPENED).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(stage.calls()) > 1
    assert stage.published() == []


def test_publishing_that_is_not_answered_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        retry = RetryPolicy(first=0.01, give_up=0.1, timeout=0.05)
        clients = Clients(PROJECT, http_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", retry=retry)
        monkeypatch.setattr(stage.main, "publisher", Publisher(clients))
        begun = time.monotonic()
        assert stage.post(OPENED).status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert time.monotonic() - begun < 10
        clients.close()


@pytest.mark.parametrize("number", range(4))
def test_a_ping_is_answered(stage: Stage, number: int) -> None:
    assert stage.post(body_of(examples("ping")[number]), "ping").status_code == HTTPStatus.OK
    assert stage.calls() == []


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("pull_request", body_of(example("pull_request", "assigned"))),
        ("issue_comment", body_of(derived_comment("looks good"))),
        ("issue_comment", body_of(example("issue_comment", "created"))),
        ("push", b"{}"),
        ("", OPENED),
    ],
)
def test_what_no_automation_wants_is_answered_204(stage: Stage, event: str, body: bytes) -> None:
    answer = stage.post(body, event)
    assert (answer.status_code, answer.data) == (HTTPStatus.NO_CONTENT, b"")
    assert stage.calls() == []


@pytest.mark.parametrize("name", ["stranger/Hello-World", "Codertocat/Hello-World-2", "Codertocat/Hello"])
def test_of_other_repositories_nothing_is_published(stage: Stage, name: str) -> None:
    payload = example("pull_request", "opened")
    payload["repository"]["full_name"] = name
    assert stage.post(body_of(payload)).status_code == HTTPStatus.NO_CONTENT
    assert stage.calls() == []


@NOT_A_WEBHOOK
def test_of_what_is_no_webhook_the_body_is_not_read(
    stage: Stage, status: HTTPStatus, request_: dict[str, object]
) -> None:
    stream = Stream(LARGEST_BODY * 2)
    assert stage.post(OPENED, **(sent_in_chunks(stream) | request_)).status_code == status  # type: ignore[arg-type]
    assert stream.read_so_far == 0
    assert stage.calls() == []


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"method": "GET"}, "webhooks are sent with POST"),
        ({"content_type": "text/plain"}, "webhooks are application/json: set that at GitHub"),
        ({"signature": signature_of(OPENED, b"another")}, "the signature is of another secret, or of another body"),
        ({"headers": {"X-GitHub-Delivery": "?"}}, "a webhook has an X-GitHub-Delivery"),
    ],
)
def test_a_header_says_why_a_request_is_refused(stage: Stage, request_: dict[str, object], why: str) -> None:
    answer = stage.post(OPENED, **request_)  # type: ignore[arg-type]
    assert (answer.headers["X-Caretaker-Refused"], answer.data) == (why, b"")
    assert answer.headers["Content-Length"] == "0"


def test_which_method_would_do_is_said(stage: Stage) -> None:
    assert stage.post(OPENED, method="GET").headers["Allow"] == "POST"
    assert stage.post(OPENED, method="HEAD").data == b""


@BADLY_SIGNED
def test_a_bad_signature_is_answered_403(stage: Stage, signature: str) -> None:
    assert stage.post(OPENED, signature=signature).status_code == HTTPStatus.FORBIDDEN
    assert stage.calls() == []


def test_githubs_own_example_of_a_signature(stage: Stage) -> None:
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    stage.current.write_text("It's a Secret to Everybody")
    stage.start()
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert stage.post(b"Hello, World!", "ping", signature=signature).status_code == HTTPStatus.OK
    assert stage.post(b"Hello, World?", "ping", signature=signature).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"null", b'{"action": "opened"}'])
def test_malformed_json_that_is_well_signed_is_answered_400(stage: Stage, body: bytes) -> None:
    assert stage.post(body).status_code == HTTPStatus.BAD_REQUEST
    assert stage.calls() == []


@pytest.mark.parametrize("delivery", ["", "a b", "x" * 65, "7;drop"])
def test_a_webhook_has_an_id(stage: Stage, delivery: str) -> None:
    assert stage.post(OPENED, headers={"X-GitHub-Delivery": delivery}).status_code == HTTPStatus.BAD_REQUEST
    assert stage.calls() == []


@pytest.mark.parametrize("terminated", [False, True], ids=["werkzeug", "gunicorn"])
def test_too_large_by_its_length_is_not_read(stage: Stage, *, terminated: bool) -> None:
    stream = Stream(LARGEST_BODY * 2)
    answer = stage.post(OPENED, **sent_with_length(stream, LARGEST_BODY + 2, terminated=terminated))  # type: ignore[arg-type]
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert stream.read_so_far == 0


def test_too_large_in_chunks_is_not_read_to_its_end(stage: Stage) -> None:
    stream = Stream(LARGEST_BODY * 2)
    answer = stage.post(OPENED, **sent_in_chunks(stream))  # type: ignore[arg-type]
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert stream.read_so_far == LARGEST_BODY + 1


@pytest.mark.parametrize(
    ("more", "status"), [(0, HTTPStatus.OK), (1, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)], ids=["largest", "larger"]
)
def test_the_largest_webhook_is_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, more: int, status: HTTPStatus
) -> None:
    monkeypatch.setattr("functions.receive_github.bodies.LARGEST_BODY", 100_000)
    body = b" " * (100_000 + more)
    assert stage.post(body, "ping").status_code == status
    in_chunks = sent_in_chunks(Stream(len(body)))
    assert stage.post(body, "ping", **in_chunks).status_code == status  # type: ignore[arg-type]


def test_what_comes_after_the_length_is_not_read(stage: Stage) -> None:
    stream = Stream(len(OPENED) * 2)
    answer = stage.post(OPENED, **sent_with_length(stream, len(OPENED)))  # type: ignore[arg-type]
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert stream.read_so_far == len(OPENED)


@pytest.mark.parametrize("length", ["", "-1", "1e3", "many"])
def test_without_chunks_or_a_length_nothing_is_read(stage: Stage, length: str) -> None:
    stream = Stream(1000)
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": length}
    assert stage.post(b"", "ping", environ_overrides=environ).status_code == HTTPStatus.OK
    assert stream.read_so_far == 0


@pytest.mark.parametrize("terminated", [False, True], ids=["werkzeug", "gunicorn"])
def test_a_length_beside_chunks_does_not_count(stage: Stage, *, terminated: bool) -> None:
    stream = Stream(LARGEST_BODY * 2)
    chunks = {"wsgi.input": stream, "CONTENT_LENGTH": "10", "HTTP_TRANSFER_ENCODING": "chunked"}
    environ = chunks | ({"wsgi.input_terminated": True} if terminated else {})
    stage.post(OPENED, environ_overrides=environ)
    assert stream.read_so_far == (LARGEST_BODY + 1 if terminated else 0)


def test_a_body_that_ends_too_early_is_answered_400(stage: Stage) -> None:
    answer = stage.post(OPENED, **sent_with_length(Stream(10), len(OPENED)))  # type: ignore[arg-type]
    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_a_payload_larger_than_pubsub_allows_is_published_small(stage: Stage) -> None:
    payload = example("pull_request", "labeled")
    payload["pull_request"]["body"] = "x" * 11_000_000
    payload["label"]["name"] = "\N{ROCKET}" * 50  # as long as GitHub lets a label be
    assert stage.post(body_of(payload)).status_code == HTTPStatus.ACCEPTED
    largest_command = body_of(derived_comment("/preview " + "\N{ROCKET}" * 10_000))
    assert stage.post(largest_command, "issue_comment").status_code == HTTPStatus.ACCEPTED
    assert len(stage.published()) == 2
    sizes = [
        len(message.data)
        for call in stage.cloud.server.calls
        if call.method.endswith("Publish")
        for message in call.request.messages  # type: ignore[attr-defined]
    ]
    assert max(sizes) < 10_000


@pytest.mark.parametrize("outcome", ["published", "refused", "malformed", "not published"])
def test_nothing_of_a_payload_or_secret_is_logged_or_answered(
    stage: Stage, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    payload = example("pull_request", "opened")
    payload["pull_request"] |= {"title": "canary", "body": "canary"}
    payload["pull_request"]["head"]["ref"] = "canary"
    payload["sender"]["login"] = "canary"
    if outcome == "malformed":
        payload["pull_request"]["head"]["sha"] = "canary"
    if outcome == "not published":
        stage.cloud.server.fail("Publish", grpc.StatusCode.PERMISSION_DENIED)
    body = body_of(payload)
    signature = signature_of(body, b"canary-another" if outcome == "refused" else SECRET)
    answer = stage.post(body, signature=signature)
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["severity"] for line in lines] == {
        "published": ["INFO"],
        "refused": [],  # Cloud Run logs each request: strangers cause no lines of ours
        "malformed": ["INFO"],
        "not published": ["ERROR", "INFO"],
    }[outcome]
    for secret in ("canary", signature, SECRET.decode()):
        assert secret not in printed.out + printed.err + answer.text


def test_what_was_not_published_is_logged_in_fields(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.cloud.server.fail("Publish", grpc.StatusCode.PERMISSION_DENIED)
    stage.post(OPENED)
    line = msgspec.json.decode(capsys.readouterr().out.splitlines()[0])
    assert line["message"].startswith(f"webhook {DELIVERY}: not published: PermissionDenied: ")
    # What the alert "a webhook was not published" looks for: a message alone would be stored as text.
    assert line["webhook"] == {"delivery": DELIVERY, "outcome": "not published"}


def test_what_was_published_is_logged_with_its_delivery(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.post(OPENED)
    (line,) = capsys.readouterr().out.splitlines()
    assert msgspec.json.decode(line)["webhook"] == {"delivery": DELIVERY, "outcome": "published"}
