"""The requests in a comment."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.manage_previews.requests import Kind, read_requests
from shared.github_events import CommentCommand

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
SHA = "0123456789abcdef0123456789abcdef01234567"
LONGEST = timedelta(days=14)


def said(command: str) -> CommentCommand:
    return CommentCommand(repository="o/r", number=1, comment_id=5, created_at=NOON, author="somebody", command=command)


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ("/preview", [Kind.START]),
        ("/preview ", [Kind.START]),
        (f"/preview {SHA}", [Kind.START, Kind.APPROVE]),
        ("/preview stop", [Kind.STOP]),
        ("/preview extend 24h", [Kind.EXTEND]),
        ("/preview  extend   3d", [Kind.EXTEND]),
        ("/preview extend", []),
        ("/preview extend 0h", []),
        ("/preview extend -1h", []),
        ("/preview extend 24", []),
        ("/preview extend 24h now", []),
        ("/preview extend ٣d", []),
        ("/preview STOP", []),
        (f"/preview {SHA[:7]}", []),
        (f"/preview {SHA.upper()}", []),
        (f"/preview {SHA} {SHA}", []),
        ("/preview $(reboot)", []),
    ],
)
def test_commands(command: str, kinds: list[Kind]) -> None:
    assert [word.kind for word in read_requests(said(command), LONGEST)] == kinds


@pytest.mark.parametrize(
    ("length", "until"),
    [
        ("24h", NOON + timedelta(hours=24)),
        ("3d", NOON + timedelta(days=3)),
        ("14d", NOON + LONGEST),
        ("9999d", NOON + LONGEST),
    ],
)
def test_an_extension_is_counted_from_the_comment_and_has_an_end(length: str, until: datetime) -> None:
    (word,) = read_requests(said(f"/preview extend {length}"), LONGEST)
    assert word.until == until


def test_an_approval_is_of_the_commit_that_it_names() -> None:
    start, approval = read_requests(said(f"/preview {SHA}"), LONGEST)
    assert (start.sha, approval.sha, approval.by, approval.said) == ("", SHA, "somebody", "5")
