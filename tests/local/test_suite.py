"""The functions in a process of their own, and the player that watches them."""

import hmac
import io
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient
from rich.console import Console as RichConsole

from infra.suite.automations import ROOT, load_automations
from infra.suite.settings import load_caretaker_yaml
from local.console import Console
from local.story.player import Player
from local.suite import WEBHOOK_SECRET_FILE, Suite
from localcloud import LocalCloud
from shared.github_events import TOPIC
from shared.report import Outcome

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
INBOX = "projects/my-product/topics/caretaker-cap-spending"
STORY = load_caretaker_yaml(ROOT / "local" / "story" / "caretaker.yaml")
SECTION = cast("dict[str, object]", STORY["cap_spending"])
CAP_SPENDING = {key: value for key, value in SECTION.items() if key != "spend_caps"}
OWNER = {"mode": STORY["mode"], "cap_spending": CAP_SPENDING}
WEBHOOKS = {"receive_github": {"repositories": ["my-team/my-product"]}}


def a_player(cloud: LocalCloud) -> tuple[Player, Callable[[], str]]:
    """A player, and what it has printed so far."""
    out = io.StringIO()
    return Player(cloud, Console(RichConsole(file=out, highlight=False, soft_wrap=True))), out.getvalue


def test_the_suite_at_work(tmp_path: Path) -> None:
    with LocalCloud(now=NOON) as cloud:
        player, printed = a_player(cloud)
        owner = OWNER | WEBHOOKS
        with Suite(cloud, "my-product", owner, on_line=player.on_line, error_log=tmp_path / "log") as suite:
            _is_provisioned(suite)
            _takes_webhooks(suite, (tmp_path / WEBHOOK_SECRET_FILE).read_bytes())
            _answers(suite, player, NOON)
            player.pass_time(timedelta(minutes=10))
            _answers(suite, player, NOON + timedelta(minutes=10))
        assert "cap_spending on Tick" in printed()
        assert not _is_listening(suite)


def _is_listening(suite: Suite) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", int(suite.address.rpartition(":")[2]))) == 0


def _is_provisioned(suite: Suite) -> None:
    entry = load_automations()["cap_spending"]
    found = list(suite.clients.of(SubscriberClient).list_subscriptions(project="projects/my-product"))
    (kept,) = (one for one in found if not one.push_config.push_endpoint)
    assert (kept.topic, kept.message_retention_duration.total_seconds()) == (f"{INBOX}-dead-letters", 14 * 24 * 3600)
    subscriptions = [one for one in found if one is not kept]
    assert {one.topic.rpartition("/")[2] for one in subscriptions} == {"caretaker-cap-spending", *entry.topics}
    for one in subscriptions:
        assert one.push_config.push_endpoint == suite.url("cap_spending", one.topic.rpartition("/")[2])
        assert one.ack_deadline_seconds == entry.time_limit_seconds + 30
        assert one.dead_letter_policy.dead_letter_topic == f"{INBOX}-dead-letters"
        assert one.dead_letter_policy.max_delivery_attempts == entry.dead_letter_after
        assert one.retry_policy.minimum_backoff.total_seconds() == entry.retry.minimum_backoff_seconds
        assert one.retry_policy.maximum_backoff.total_seconds() == entry.retry.maximum_backoff_seconds
    (job,) = suite.clients.of(CloudSchedulerClient).list_jobs(parent="projects/my-product/locations/europe-west1")
    assert (job.name.rpartition("/")[2], job.pubsub_target.topic_name) == ("caretaker-cap-spending-tick", INBOX)
    assert entry.tick
    assert json.loads(job.pubsub_target.data) == {"type": "tick", "every_seconds": entry.tick.every_seconds}


def _takes_webhooks(suite: Suite, secret: bytes) -> None:
    topic = f"projects/{suite.project}/topics/{TOPIC}"
    assert suite.clients.of(PublisherClient).get_topic(topic=topic).name == topic
    for used, status in {secret: 200, b"another": 403}.items():
        headers = {
            "X-Hub-Signature-256": "sha256=" + hmac.new(used, b"{}", "sha256").hexdigest(),
            "X-GitHub-Event": "ping",
            "X-GitHub-Delivery": "1",
            "Content-Type": "application/json",
        }
        assert (
            requests.post(f"{suite.address}/receive_github/", b"{}", headers=headers, timeout=10).status_code == status
        )


def _answers(suite: Suite, player: Player, now: datetime) -> None:
    status = PubsubMessage(data=b'{"type": "status"}')
    published = suite.clients.of(PublisherClient).publish(topic=INBOX, messages=[status])
    report = player.show(published.message_ids[0])
    assert report
    assert (report.outcome, report.at, report.status) == (
        Outcome.UNCHANGED,
        now,
        ("monthly: no notification yet",),
    )


def test_functions_that_do_not_start_say_why(tmp_path: Path) -> None:
    with LocalCloud(now=NOON) as cloud:
        owner = {"cap_spending": {"budgets": 7}}
        suite = Suite(cloud, "my-product", owner, on_line=lambda _line: None, error_log=tmp_path / "log")
        said = "the functions did not start: .*invalid value 7 for cap_spending.budgets;"
        with pytest.raises(RuntimeError, match=said), suite:
            """It does not come to this."""


def test_functions_do_not_outlive_what_failed_around_them(tmp_path: Path) -> None:
    with LocalCloud(now=NOON) as cloud:
        suite = Suite(cloud, "no good name!", OWNER, on_line=lambda _line: None, error_log=tmp_path / "log")
        with pytest.raises(GoogleAPICallError), suite:
            """It does not come to this."""
        assert not _is_listening(suite)


def test_a_wrong_end_state_is_counted_and_shown() -> None:
    with LocalCloud(now=NOON) as cloud:
        player, printed = a_player(cloud)
        player.check("maximum", lambda: 1, 1)
        player.check("maximum", lambda: 20, 1)
        assert player.wrong == 1
        assert printed().splitlines() == ["  checked   maximum: 1", "  WRONG     maximum: 20, not 1"]


def test_lines_are_shown_as_they_come_once_the_story_is_over() -> None:
    with LocalCloud(now=NOON) as cloud:
        player, printed = a_player(cloud)
        player.on_line(b'{"severity": "WARNING", "message": "before"}')
        player.on_line(b"a warning of some library")
        player.follow()
        player.on_line(b'{"severity": "WARNING", "message": "after"}')
        assert printed() == "  log       WARNING: after\n"
