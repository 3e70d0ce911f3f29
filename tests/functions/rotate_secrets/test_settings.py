"""Valid and invalid settings for secrets, and the parsing of messages."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.rotate_secrets.commands import RollBack, Rotate, Status
from functions.rotate_secrets.parse import Event, SecretEvent, VersionAdded, parse
from functions.rotate_secrets.records import Records, fold
from shared.errors import IgnoredMessage
from shared.events import Dated, PubsubMessage, Tick
from tests.functions.rotate_secrets.stage import PRODUCT, a_secret, settings_of
from tests.wrong_settings import refused

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
INBOX = "projects/p/topics/caretaker-rotate-secrets"
NOTIFICATIONS = "projects/p/topics/caretaker-secret-notifications"
SETTINGS = settings_of({"key": a_secret(), "other": a_secret("other")})
POSTGRES = {"kind": "postgres", "admin_secret": f"{PRODUCT}/secrets/admin"}
GITHUB = {"kind": "github_webhook", "repository": "o/r", "hook": 1, "github": {"token_secret": f"{PRODUCT}/secrets/t"}}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"secrets": {"key": a_secret("a b")}}, r"secrets\.key\.secret: 'projects/my-product/secrets/a b'"),
    ({"secrets": {"key": a_secret(), "again": a_secret()}}, r"secrets\.again\.secret.*`key` has it"),
    ({"secrets": {"key": a_secret(every_days=0)}}, r"secrets\.key\.every_days: 0"),
    ({"secrets": {"key": a_secret(grace_hours=0)}}, r"secrets\.key\.grace_hours: 0"),
    ({"secrets": {"key": a_secret(value={"kind": "ssh"})}}, r"secrets\.key\.value"),
    ({"secrets": {"key": a_secret(value={"kind": "random", "length": 21})}}, r"length: 21; .*at least 22 characters"),
    (
        {"secrets": {"key": a_secret(value={"kind": "random", "alphabet": "01", "length": 127})}},
        "length: 127; .*at least 128 characters of this alphabet",
    ),
    (
        {"secrets": {"key": a_secret(value={"kind": "random", "alphabet": "aab"})}},
        "alphabet: 'aab'; .*each character once",
    ),
    ({"secrets": {"key": a_secret(value=POSTGRES | {"users": ["a"]})}}, "two users who take turns; or `accept_a_gap"),
    ({"secrets": {"key": a_secret(value=POSTGRES | {"users": ["a", "a"]})}}, "users: .*two users, or one"),
    ({"secrets": {"key": a_secret(value=POSTGRES | {"users": []})}}, "users"),
    ({"secrets": {"key": a_secret(value=GITHUB | {"github": {}})}}, "either `token_secret` or `app`"),
    ({"secrets": {"key": a_secret(value=GITHUB | {"hook": 0})}}, "hook: 0"),
    (
        {"secrets": {"key": a_secret(value=GITHUB | {"previous_secret": f"{PRODUCT}/secrets/key"})}},
        r"secrets\.key\.value\.previous_secret: .*`key` has it",
    ),
    (
        {"secrets": {"key": a_secret(value=GITHUB | {"previous_secret": f"{PRODUCT}/secrets/b"}), "b": a_secret("b")}},
        r"secrets\.key\.value\.previous_secret: .*`b` has it",
    ),
    (
        {
            "secrets": {
                "key": a_secret(value=POSTGRES | {"users": ["a", "b"], "admin_secret": f"{PRODUCT}/secrets/key"})
            }
        },
        r"secrets\.key\.value\.admin_secret: .*`key` rotates this one",
    ),
    (
        {"secrets": {"key": a_secret(value=POSTGRES | {"users": ["a", "b"]}), "admin": a_secret("admin")}},
        r"secrets\.key\.value\.admin_secret: .*`admin` rotates this one",
    ),
    (
        {
            "secrets": {
                "url": a_secret(value=POSTGRES | {"users": ["a", "b"]}),
                "direct": a_secret("direct", value=POSTGRES | {"users": ["b", "c"]}),
            }
        },
        r"secrets\.direct\.value\.users: .*`secrets\.url\.value\.other_addresses` instead",
    ),
    ({"at_once": 0}, "at_once: 0"),
    ({"dependents_in": [{"project": "my-product", "region": "here"}]}, r"dependents_in\[0\]\.region: 'here'"),
    ({"dependents_in": [{"project": "my-product", "region": "us-east1"}] * 2}, r"dependents_in\[1\].*region once"),
    ({"hours": {"time_zone": "Etc/UTC", "windows": ["now"]}}, r"windows\[0\]: 'now'"),
    ({"window": 1}, "window"),
]


@pytest.mark.parametrize(("more", "said"), WRONG)
def test_what_will_not_do_is_named(more: dict[str, Any], said: str) -> None:
    secrets = more.get("secrets")
    with refused(said):
        settings_of(secrets, **{key: value for key, value in more.items() if key != "secrets"})


def message(data: str, topic: str = INBOX, **attributes: str) -> PubsubMessage:
    return PubsubMessage(topic, "1", NOW, attributes, data.encode())


def notification(secret: str = "projects/123/secrets/key", event: str = "SECRET_ROTATE") -> PubsubMessage:
    return message("{}", NOTIFICATIONS, eventType=event, secretId=secret)


PARSED: list[tuple[PubsubMessage, Event]] = [
    (message('{"type": "tick", "every_seconds": 600}'), Tick(600)),
    (message('{"type": "rotate", "secret": "key"}'), Rotate(secret="key")),
    (message('{"type": "rotate"}'), Rotate()),
    (message('{"type": "roll_back", "secret": "key"}'), RollBack(secret="key")),
    (message('{"type": "status"}'), Status()),
    (notification(), SecretEvent("projects/123/secrets/key")),
    (notification(event="SECRET_VERSION_ADD"), VersionAdded("projects/123/secrets/key")),
]


@pytest.mark.parametrize(("given_", "event"), PARSED)
def test_a_message_is_one_event(given_: PubsubMessage, event: Event) -> None:
    assert parse(given_, SETTINGS) == event


IGNORED = [
    (message("not JSON"), "malformed"),
    (message('{"type": "rotate", "secret": "nobody"}'), "no secret is called 'nobody': there are key, other"),
    (message('{"type": "roll_back"}'), "malformed"),
    (message('{"type": "tick", "every_seconds": 600}', "projects/p/topics/else"), "foreign"),
    (message('{"type": "rotate"}', NOTIFICATIONS), "only SECRET_ROTATE and SECRET_VERSION_ADD are of interest"),
    (notification(event="SECRET_VERSION_DISABLE"), "only SECRET_ROTATE"),
    (notification(event="TOPIC_CONFIGURED"), "only SECRET_ROTATE"),
    (notification("projects/123/secrets/nobody"), "foreign"),
    (notification("projects/my-product/secrets/key"), "malformed: secretId"),
    (notification("projects/123/secrets/key/versions/1"), "malformed: secretId"),
]


@pytest.mark.parametrize(("given_", "why"), IGNORED)
def test_what_can_never_succeed_is_ignored_with_the_reason(given_: PubsubMessage, why: str) -> None:
    with pytest.raises(IgnoredMessage, match=why):
        parse(given_, SETTINGS)


events = some.sampled_from(
    [
        Tick(600),
        Rotate(),
        Rotate(secret="key"),
        RollBack(secret="other"),
        Status(),
        SecretEvent("projects/1/secrets/key"),
    ]
)


@given(some.lists(some.tuples(events, some.integers(0, 3)), max_size=4))
def test_the_newest_word_counts_in_whatever_order_they_come(said: list[tuple[Event, int]]) -> None:
    dated = [Dated(event, "1", NOW + timedelta(minutes=minutes)) for event, minutes in said]
    folded = set()
    for order in itertools.permutations(dated):
        records = Records()
        for event in (*order, *order[:1]):
            records = fold(records, event, SETTINGS)
        folded.add(repr(records))
    assert len(folded) == 1
