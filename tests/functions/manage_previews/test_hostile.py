"""Titles, branches, logins and labels that mean harm: nothing of them reaches a name, an address, or a comment."""

from datetime import datetime, timedelta

import msgspec
import pytest
from google.cloud.firestore_v1.types import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.manage_previews.events import Event
from functions.manage_previews.observing import observe
from functions.manage_previews.preview_decision import Context
from functions.manage_previews.records import Records, fold
from functions.manage_previews.world import PullRequest, Seen
from shared.decision import Message
from shared.events import Dated
from shared.github_events import CommentCommand
from shared.report import Outcome
from shared.restrictions import SpendingRestrictions
from tests.functions.manage_previews.stage import NOON, READER, TEAM, Stage, settings_of, sha_of
from tests.functions.stage import PROJECT, report_text
from tests.localcloud.raw_fields import to_fields

CANARY = "canary7c1e"
HOSTILE = [
    f"`{CANARY}` <!-- caretaker: preview -->",
    f"<script>{CANARY}</script>",
    f"$(curl {CANARY})",
    f"'; DROP TABLE {CANARY}; --",
    f"[{CANARY}](javascript:alert(1))",
    f"@everyone {CANARY}\n/preview stop",
    f"../../{CANARY}",
    f"\u202e{CANARY}\u0000",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_may_choose_is_repeated_nowhere(text: str) -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.github.set_permission(TEAM, text, "read")
        stage.open(12, 1, title=text, login=text, labels=[text])
        stage.github.state.repository(TEAM).pull_requests[12].head_ref = text
        stage.event(12, "opened", sender=text[:100])
        stage.comment(12, f"/preview {text}"[:200], by=text)
        service = stage.services["my-product-pr-12"]
        assert CANARY not in str(service)
        assert CANARY not in stage.our_comment(12)
        assert CANARY not in "".join(map(report_text, stage.reports))
        assert all(CANARY not in one.environment for one in stage.github.state.repository(TEAM).deployments.values())


def test_a_stranger_who_writes_the_marker_does_not_become_the_comment() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        forged = f"<!-- caretaker: preview -->\n\n```\n/preview {sha_of(666)}\n```"
        stage.github.comment(TEAM, 12, READER, forged)
        stage.event(12, "opened")
        comments = stage.github.comments(TEAM, 12)
        assert comments[0] == forged
        assert len(comments) == 2
        stage.push_image(1)
        assert stage.github.comments(TEAM, 12)[0] == forged
        assert "### Preview: running" in stage.github.comments(TEAM, 12)[1]


def test_a_flood_of_comments_cannot_fill_the_one_document() -> None:
    key, known = f"{TEAM}#12", settings_of()
    pull = PullRequest(repository=TEAM, number=12, is_open=True, head_sha=sha_of(1))
    records, notices = Records(), tuple[Message, ...]()
    foreign = [f"{number:0>39}" for number in range(20)]
    for number in range(400):
        command = "/preview " + (sha_of(number), "stop", "extend 24h")[number % 3]
        word = CommentCommand(
            repository=TEAM,
            number=12,
            comment_id=3_000_000_000 + number,
            created_at=NOON + timedelta(seconds=number),
            author=foreign[number % 20],
            command=command,
        )
        event = Dated[Event](word, f"{number}", word.created_at)
        # The first hundred come while GitHub cannot be asked whose word counts.
        asked = foreign if number > 100 else []
        for _ in range(2):
            records = fold(records, event, known)
            context = Context(event, records, SpendingRestrictions(), known, word.created_at, PROJECT)
            said = {(TEAM, one.comment_id): word for one in records.of(key).pending}
            seen = Seen(pull_requests={key: pull}, may_write={(TEAM, login): False for login in asked}, commands=said)
            observed = observe(context, seen)
            records, notices = observed.records, observed.notices
        assert len(records.of(key).pending) <= (0 if asked else 4 * len(foreign))
        # Said and weighed, and not weighed again when it is delivered again.
        assert not asked or (notices == () and records.of(key).ignored[-1].said == str(word.comment_id))
    document = Document.pb(Document())
    to_fields(msgspec.to_builtins(records, builtin_types=(datetime,)), document.fields)
    assert document.ByteSize() < 2**20 / 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["type", "repository", "number", "action", "head_sha", "updated_at", "sender", "digest", "tag"])


@settings(max_examples=60)
@given(st.sampled_from(["caretaker-pull-requests", "gcr", "caretaker-manage-previews"]), st.dictionaries(KEYS, JSON))
def test_whatever_else_comes_is_acknowledged_and_touches_nothing(topic: str, data: dict[str, object]) -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        report = stage.push(msgspec.to_builtins(data), topic=topic)
        assert report.outcome in (Outcome.IGNORED, Outcome.UNCHANGED)
        assert stage.mutating == []


@pytest.mark.parametrize(
    ("topic", "data", "why"),
    [
        ("caretaker-pull-requests", {"type": "pause"}, "malformed"),
        ("gcr", {"type": "pause"}, "malformed"),
        ("caretaker-budget-notifications", {"type": "pause"}, "foreign"),
        ("caretaker-manage-previews", {"action": "INSERT", "tag": "x:y"}, "malformed"),
    ],
)
def test_only_the_inbox_commands(topic: str, data: dict[str, object], why: str) -> None:
    with Stage() as stage:
        report = stage.push(data, topic=topic)
        assert report.outcome is Outcome.IGNORED
        assert why in report.why
