"""GitHub's own examples, and what is published of them."""

from datetime import UTC, datetime

import msgspec
import pytest

from functions.receive_github.payload import read_payload
from shared.errors import IgnoredMessage
from shared.github_events import LONGEST_COMMAND, CommentCommand, GithubEvent, PullRequestEvent
from tests.functions.receive_github.examples import (
    HEAD,
    REPOSITORY,
    Payload,
    body_of,
    derived_comment,
    derived_fork,
    derived_fork_that_is_gone,
    derived_merged,
    example,
    examples,
)

WANTED = {
    "opened",
    "reopened",
    "synchronize",
    "closed",
    "labeled",
    "unlabeled",
    "converted_to_draft",
    "ready_for_review",
}
PULL_REQUESTS = examples("pull_request")


def read(payload: Payload, event: str = "pull_request") -> GithubEvent | None:
    """The event published for a payload."""
    return read_payload(event, body_of(payload))


def read_pull_request(payload: Payload) -> PullRequestEvent:
    """The event published for a payload that is wanted."""
    event = read(payload)
    assert isinstance(event, PullRequestEvent)
    return event


def read_comment(payload: Payload) -> CommentCommand:
    """The event published for a comment that is a command."""
    event = read(payload, "issue_comment")
    assert isinstance(event, CommentCommand)
    return event


def test_there_are_29_examples_and_every_wanted_action_is_among_them() -> None:
    assert len(PULL_REQUESTS) == 29
    assert {payload["action"] for payload in PULL_REQUESTS} > WANTED


@pytest.mark.parametrize(
    "payload", PULL_REQUESTS, ids=[f"{number}-{payload['action']}" for number, payload in enumerate(PULL_REQUESTS)]
)
def test_each_example_of_a_pull_request(payload: Payload) -> None:
    action = payload["action"]
    event = read(payload)
    assert event == (
        PullRequestEvent(
            repository=REPOSITORY,
            number=payload["number"],
            action=action,
            head_sha=HEAD,
            updated_at=datetime.fromisoformat(payload["pull_request"]["updated_at"]),
            sender="Codertocat",
            label="bug" if action in {"labeled", "unlabeled"} else "",
        )
        if action in WANTED
        else None
    )
    assert event is None or len(msgspec.json.encode(event)) < 400


@pytest.mark.parametrize("payload", examples("issue_comment"))
def test_no_example_of_a_comment_is_a_command(payload: Payload) -> None:
    assert read(payload, "issue_comment") is None


@pytest.mark.parametrize("event", ["push", "check_run", "pull_request_review", "installation", "", "PULL_REQUEST"])
def test_of_other_events_nothing_is_read(event: str) -> None:
    assert read_payload(event, b"\xff not even JSON") is None


def test_derived_a_fork_is_an_event_like_others() -> None:
    event = read_pull_request(derived_fork("opened"))
    assert (event.repository, event.head_sha, event.sender) == (REPOSITORY, "f" * 40, "stranger")
    assert read_pull_request(derived_fork_that_is_gone("closed")).head_sha == "f" * 40


def test_derived_merged_is_closed() -> None:
    assert read_pull_request(derived_merged()) == read_pull_request(example("pull_request", "closed"))


def test_derived_a_label_that_is_no_more() -> None:
    payload = example("pull_request", "unlabeled")
    del payload["label"]
    assert read_pull_request(payload).label == ""


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/preview", "/preview"),
        ("/preview stop\r\nthank you", "/preview stop"),
        ("\n  /preview extend 24h  \nplease", "/preview extend 24h"),
        (f"/preview {HEAD}", f"/preview {HEAD}"),
        ("/preview `<script>`", "/preview `<script>`"),
        ("/preview " + "x" * 65_536, ("/preview " + "x" * 200)[:LONGEST_COMMAND]),
    ],
)
def test_derived_a_command_is_the_first_line_of_a_comment(text: str, command: str) -> None:
    said = example("issue_comment", "created")
    assert read_comment(derived_comment(text)) == CommentCommand(
        repository=REPOSITORY,
        number=1,
        comment_id=said["comment"]["id"],
        created_at=datetime.fromisoformat(said["comment"]["created_at"]),
        author="Codertocat",
        command=command,
    )


@pytest.mark.parametrize(
    "text", ["", " \n ", "looks good", "please /preview", "thanks\n/preview", "/previews", "/PREVIEW", "preview"]
)
def test_derived_other_comments_on_a_pull_request_are_not_wanted(text: str) -> None:
    assert read(derived_comment(text), "issue_comment") is None


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_derived_a_command_counts_when_it_is_written(action: str) -> None:
    assert read(derived_comment("/preview", action), "issue_comment") is None


def test_derived_a_command_on_an_issue_is_not_wanted() -> None:
    payload = derived_comment("/preview")
    del payload["issue"]["pull_request"]
    assert read(payload, "issue_comment") is None


def test_derived_a_command_of_nobody_is_not_wanted() -> None:
    payload = derived_comment("/preview")
    payload["comment"]["user"] = None
    assert read(payload, "issue_comment") is None


def test_derived_times_are_published_in_utc() -> None:
    payload = example("pull_request", "opened")
    payload["pull_request"]["updated_at"] = "2026-11-15T13:00:00+01:00"
    assert read_pull_request(payload).updated_at == datetime(2026, 11, 15, 12, tzinfo=UTC)
    assert read_pull_request(payload).updated_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("pull_request", "head", "sha"), "canary-g" * 5),
        (("pull_request", "head", "sha"), None),
        (("pull_request", "head"), None),
        (("pull_request", "number"), 0),
        (("pull_request", "number"), 2**63),
        (("pull_request", "number"), "canary"),
        (("pull_request", "updated_at"), "canary"),
        (("pull_request", "updated_at"), "0001-01-01T00:00:00+14:00"),
        (("repository", "full_name"), "canary"),
        (("repository", "full_name"), "a/b/canary"),
        (("repository",), "canary"),
        (("sender", "login"), ""),
        (("sender", "login"), "canary" * 20),
        (("action",), 7),
    ],
)
def test_derived_what_github_does_not_send_is_malformed_and_not_repeated(place: tuple[str, ...], value: object) -> None:
    payload = example("pull_request", "opened")
    *way, last = place
    within = payload
    for key in way:
        within = within[key]
    within[last] = value
    with pytest.raises(IgnoredMessage, match=r"^malformed: ") as refusal:
        read(payload)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b'"x"', b"{", b"[" * 100_000, b'{"action": "\\ud800"}'])
def test_what_is_no_payload_is_malformed(body: bytes) -> None:
    for event in ("pull_request", "issue_comment"):
        with pytest.raises(IgnoredMessage, match=r"^malformed: "):
            read_payload(event, body)
