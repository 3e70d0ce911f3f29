"""GitHub's example payloads, and payloads that are derived from them because there is no example."""

import json
from functools import cache
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"
REPOSITORY = "Codertocat/Hello-World"
HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"

Payload = dict[str, Any]


@cache
def _text(event: str) -> str:
    return (PAYLOADS / f"{event}.json").read_text(encoding="utf-8")


def examples(event: str) -> list[Payload]:
    """All of GitHub's examples of an event; a copy that the reader may change."""
    listed: list[Payload] = json.loads(_text(event))
    return listed


def example(event: str, action: str) -> Payload:
    """The first example of an action."""
    return next(payload for payload in examples(event) if payload["action"] == action)


def derived_comment(text: str, action: str = "created") -> Payload:
    """Derived: a comment on a pull request. In the examples all comments are on issues."""
    payload = example("issue_comment", action)
    payload["issue"]["pull_request"] = {"url": f"https://api.github.com/repos/{REPOSITORY}/pulls/1"}
    payload["comment"]["body"] = text
    return payload


def derived_fork(action: str) -> Payload:
    """Derived: a pull request whose head is in a fork."""
    payload = example("pull_request", action)
    payload["pull_request"]["head"]["repo"] |= {"fork": True, "full_name": "stranger/Hello-World", "id": 7}
    payload["pull_request"]["head"] |= {"label": "stranger:changes", "sha": "f" * 40}
    payload["sender"]["login"] = "stranger"
    return payload


def derived_fork_that_is_gone(action: str) -> Payload:
    """Derived: a pull request whose fork was deleted."""
    payload = derived_fork(action)
    payload["pull_request"]["head"]["repo"] = None
    return payload


def derived_merged() -> Payload:
    """Derived: a pull request that was merged."""
    payload = example("pull_request", "closed")
    payload["pull_request"] |= {"merged": True, "merged_at": payload["pull_request"]["closed_at"]}
    return payload


def body_of(payload: object) -> bytes:
    """A payload as GitHub sends it: without white space between its tokens."""
    return json.dumps(payload, separators=(",", ":")).encode()
