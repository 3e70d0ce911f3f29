"""GitHub's webhooks in the story: its own example payloads, sent to `receive_github` as GitHub sends them.

The examples are the tests' (tests/functions/receive_github/payloads, MIT, from npm's ``@octokit/webhooks-examples``).
They are sent with the story's time and names in place of theirs. None of them is a second push, a fork, or a comment on
a pull request: those are derived, and say so.
"""

import functools
import hmac
import itertools
import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

from infra.suite.automations import ROOT
from local.story.player import Player
from local.suite import Suite
from shared.decoding import decoded

EXAMPLES = ROOT / "tests/functions/receive_github/payloads"
REPOSITORY = "my-team/my-product"
AUTHOR = "my-team"
"""Does everything in the examples, and owns the repository."""
THEIRS = {"Codertocat": "my-team", "Hello-World": "my-product"}
"""Names in the examples, and those of the story."""
NUMBER = 2
HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
"""Of the pull request in the examples, and the commit that it is at."""

Payload = dict[str, Any]
_deliveries = itertools.count(1)


def example(event: str, action: str) -> Payload:
    """GitHub's own example of an action."""
    payload: Payload = msgspec.json.decode(_examples(event)[action])
    return payload


@functools.cache
def _examples(event: str) -> dict[str, msgspec.Raw]:
    """GitHub's own examples of an event, by their actions."""
    text = (EXAMPLES / f"{event}.json").read_text(encoding="utf-8")
    for theirs, ours in THEIRS.items():
        text = text.replace(theirs, ours)
    listed = decoded(text, list[msgspec.Raw])
    return {decoded(one, _Example).action: one for one in reversed(listed)}  # the first of each counts


class _Example(msgspec.Struct):
    action: str


def derived_push(sha: str) -> Payload:
    """Derived: another commit is pushed. In the examples a push leads to the same commit as the rest."""
    payload = example("pull_request", "synchronize")
    payload |= {"before": HEAD, "after": sha}
    payload["pull_request"]["head"]["sha"] = sha
    return payload


def derived_pull_request(action: str, number: int, sha: str, *, fork_of: str = "") -> Payload:
    """Derived: the example of another pull request, from someone's fork if one is given."""
    payload = example("pull_request", action)
    payload["number"] = payload["pull_request"]["number"] = number
    payload["pull_request"]["head"]["sha"] = sha
    if fork_of:
        payload["pull_request"]["head"]["repo"] |= {"fork": True, "full_name": f"{fork_of}/my-product", "id": 7}
        payload["sender"]["login"] = payload["pull_request"]["user"]["login"] = fork_of
    return payload


def derived_comment(number: int, text: str, author: str, comment_id: int) -> Payload:
    """Derived: a comment on a pull request. In the examples all comments are on issues."""
    payload = example("issue_comment", "created")
    payload["issue"] |= {"number": number, "pull_request": {"url": f"https://github.com/{REPOSITORY}/pull/{number}"}}
    payload["comment"] |= {"id": comment_id, "body": text}
    payload["comment"]["user"]["login"] = payload["sender"]["login"] = author
    return payload


def send(player: Player, suite: Suite, event: str, payload: Payload, *, secret: bytes = b"") -> int:
    """Send a webhook to the suite's door, signed with its secret unless there is another; the status of the answer."""
    now = f"{player.cloud.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    for part, time in (("pull_request", "updated_at"), ("comment", "created_at")):
        if part in payload:
            payload[part][time] = now
    body = json.dumps(payload, separators=(",", ":")).encode()
    signature = hmac.new(secret or suite.webhook_secret, body, "sha256").hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/story",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-{next(_deliveries):012x}",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    what = f"webhook: {event} {payload['action']}, {len(body) // 1024} KB"
    player.console.detail("event", what + (", signed with another secret" if secret else ""))
    try:
        with urlopen(Request(f"{suite.address}/receive_github/", body, headers), timeout=30) as answer:
            status: int = answer.status
            return status
    except HTTPError as error:
        return error.code
