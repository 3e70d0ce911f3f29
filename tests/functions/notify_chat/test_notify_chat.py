"""`notify_chat`: which events become lines, each posted once, in messages that both products accept."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from hypothesis import given
from hypothesis import strategies as st

from functions.notify_chat.cards import card
from functions.notify_chat.cloud import apply
from functions.notify_chat.decide import decide
from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.log_entry import LogEntry
from functions.notify_chat.parse import JobEnded, Reported, parse
from functions.notify_chat.records import Context, Records, after_posting, fold
from functions.notify_chat.settings import Product, Settings
from localcloud import LocalCloud
from localcloud.chat import google_chat, slack
from shared.clients import Clients
from shared.errors import IgnoredMessage
from shared.events import Dated, PubsubMessage, Tick
from shared.restrictions import SpendingRestrictions
from shared.settings import convert
from shared.world import World

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
SECRET = "projects/my-caretaker/secrets/chat-webhook"  # noqa: S105 - a name
ADDRESSES = {
    Product.SLACK: "https://hooks.slack.com/services/T1/B1/abc",
    Product.GOOGLE_CHAT: "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t",
}
HELD = {
    "resource": "projects/p/locations/l/services/api",
    "field": "max_instances",
    "original": "20",
    "applied": "1",
    "undo": "./deploy.sh send cap_spending undo",
    "since": "2026-11-16T12:00:00Z",
    "reason": "cost has reached 412.30 USD",
}
ALERT = {"kind": "budget_silent", "subject": "monthly", "reason": "nothing for two days", "title": "a budget is silent"}
FAILED = {
    "kind": "SetMaxInstances",
    "target": "projects/p/locations/l/services/api",
    "field": "max_instances",
    "before": "20",
    "after": "1",
    "reason": "cost",
    "outcome": "failed",
    "error": "PermissionDenied",
    "is_money": True,
}


def settings_of(product: Product = Product.SLACK) -> Settings:
    """A section."""
    return convert({"product": product.value, "webhook_secret": SECRET}, Settings, "notify_chat")


def reported(minutes: int = 0, automation: str = "cap_spending", **fields: object) -> Reported:
    """A report, so many minutes after noon."""
    report = {"automation": automation, "mode": "act", "message_id": "7", "outcome": "applied", **fields}
    at = (NOON + timedelta(minutes=minutes)).isoformat()
    entry = msgspec.convert({"timestamp": at, "jsonPayload": {"report": {**report, "at": at}}}, LogEntry, strict=False)
    assert entry.json_payload.report
    return Reported(entry.json_payload.report)


def after(*events: Reported | JobEnded, records: Records | None = None) -> Records:
    """The records after these events, in this order."""
    records = records or Records()
    for event in events:
        records = fold(records, Dated(event, "1", NOON), settings_of())
    return records


def context_of(records: Records, now: datetime = NOON, product: Product = Product.SLACK) -> Context:
    """A run on a tick."""
    event = Dated(Tick(every_seconds=600), "1", now)
    return Context(event, records, SpendingRestrictions(), settings_of(product), now, "my-caretaker")


def lines(records: Records, now: datetime = NOON) -> list[tuple[str, str, str]]:
    """The lines that would be posted: kind, subject and event."""
    posts = decide(context_of(records, now), World(), ()).changes
    return [(item.kind.value, item.subject, item.what) for post in posts for item in post.lines]


def posted(records: Records, now: datetime = NOON) -> Records:
    """The records once everything was posted."""
    return decide(context_of(records, now), World(), decide(context_of(records, now), World(), ()).changes).records


def test_each_change_of_state_is_posted_once() -> None:
    held, alert = (HELD,), (ALERT,)
    records = after(reported(0, held=held, alerts=alert))
    assert lines(records) == [
        ("alert", "monthly", "a budget is silent"),
        ("held", "api", "max_instances 20 -> 1"),
    ]
    records = after(reported(10, held=held, alerts=alert), records=posted(records))
    assert lines(records) == []
    records = after(reported(20, alerts=alert), records=records)
    assert lines(records) == [("restored", "api", "no longer held; max_instances was 20")]
    records = after(reported(30), records=posted(records))
    assert lines(records) == [("alert_over", "monthly", "over: a budget is silent")]
    assert lines(posted(records)) == []


def test_two_alerts_on_one_subject_are_two() -> None:
    names = [ALERT | {"kind": "matches_nothing", "reason": f"services: '{name}'"} for name in ("api", "worker")]
    records = after(reported(0, alerts=tuple(names)))
    assert [subject for _, subject, _ in lines(records)] == ["monthly", "monthly"]
    records = after(reported(10, alerts=tuple(names[:1])), records=posted(records))
    assert [kind for kind, _, _ in lines(records)] == ["alert_over"]


def test_events_are_posted_by_their_kind() -> None:
    rung = FAILED | {"kind": "Notify", "target": "budgets/monthly", "reason": "cost passed", "outcome": "applied"}
    records = after(reported(changes=(FAILED, rung)))
    assert lines(records) == [
        ("failed", "api", "cannot change max_instances 20 -> 1"),
        ("notified", "monthly", "cost passed"),
    ]
    observed = FAILED | {"outcome": "observed"}
    assert lines(after(reported(mode="observe", changes=(observed,)))) == []
    assert lines(after(reported(mode="observe", plan_changed=True, changes=(observed,)))) == [
        ("would", "api", "would have changed max_instances 20 -> 1")
    ]
    job = msgspec.convert({"name": "prove_backup", "outcome": "failed", "why": "no"}, type=Any)
    entry = msgspec.convert({"timestamp": NOON.isoformat(), "jsonPayload": {"job": job}}, LogEntry, strict=False)
    assert entry.json_payload.job
    assert lines(after(JobEnded(entry.json_payload.job, NOON))) == [("failed", "prove_backup", "failed")]


def test_reports_may_arrive_in_any_order_and_twice() -> None:
    reports = [
        reported(0, held=(HELD,), changes=(FAILED,)),
        reported(5, alerts=(ALERT,), changes=(FAILED | {"error": "another"},)),
        reported(7, automation="rotate_secrets", alerts=(ALERT,)),
    ]
    found = {msgspec.json.encode(after(*order, order[0])) for order in permutations(reports)}
    assert len(found) == 1


def test_what_is_a_day_old_is_not_told_and_not_kept() -> None:
    records = after(reported(0, held=(HELD,), changes=(FAILED,)))
    late = NOON + timedelta(days=1, minutes=1)
    decision = decide(context_of(records, late), World(), ())
    assert (decision.changes, [str(one) for one in decision.notices]) == ((), ["2 lines not posted: older than a day"])
    assert lines(decision.records, late) == []
    assert decide(context_of(decision.records, late + timedelta(days=2)), World(), ()).records.posted_events == {}


@pytest.mark.parametrize(
    "payload",
    [{"report": {"automation": "notify_chat"}}, {"report": {"outcome": "ignored"}}, {"budget_cost": {}}, {}],
)
def test_what_is_not_for_the_room_is_ignored(payload: dict[str, dict[str, str]]) -> None:
    report = {"automation": "cap_spending", "mode": "act", "message_id": "1", "outcome": "applied"}
    fields = {"report": report | {"at": NOON.isoformat()} | payload["report"]} if "report" in payload else payload
    data = msgspec.json.encode({"timestamp": NOON.isoformat(), "jsonPayload": fields})
    message = PubsubMessage("projects/p/topics/caretaker-reports", "1", NOON, {}, data)
    with pytest.raises(IgnoredMessage):
        parse(message, settings_of())


items = st.builds(
    Item,
    kind=st.sampled_from(ItemKind),
    at=st.just(NOON),
    automation=st.text(max_size=20),
    subject=st.text(max_size=600),
    what=st.text(max_size=600),
    why=st.text(max_size=600),
    undo=st.text(max_size=200),
    message_id=st.text(max_size=20),
)


@given(st.lists(items, min_size=1, max_size=40))
def test_both_products_accept_every_message(listed: list[Item]) -> None:
    assert slack.refusal(card(Product.SLACK, listed, "my-caretaker")) is None
    body = card(Product.GOOGLE_CHAT, listed, "my-caretaker")
    google_chat.check_message(body, len(msgspec.json.encode(body)))


@given(items)
def test_nothing_is_read_as_markup(item: Item) -> None:
    hostile = msgspec.structs.replace(item, subject="<!channel> *bold*", what="<b>&amp;", why="<script>", undo="`x`")
    slack_text = msgspec.json.encode(card(Product.SLACK, [hostile], "p")).decode()
    google_text = msgspec.json.encode(card(Product.GOOGLE_CHAT, [hostile], "p")["cardsV2"]).decode()
    assert "<!channel>" not in slack_text
    assert "<script>" not in google_text
    assert "<b>&amp;" not in google_text


@pytest.mark.parametrize("product", Product)
def test_a_message_is_posted_and_an_answer_that_was_lost_is_not_a_second_one_in_google_chat(product: Product) -> None:
    with LocalCloud(now=NOON) as cloud:
        cloud.chat.add_slack("T1/B1/abc")
        cloud.chat.add_google_chat("AAAA", "k", "t")
        clients = with_secret(cloud, ADDRESSES[product])
        (post,) = decide(context_of(after(reported(held=(HELD,))), product=product), World(), ()).changes
        apply(post, clients)
        cloud.clock.advance(timedelta(seconds=2))
        apply(post, clients)
        room = {Product.SLACK: "T1/B1/abc", Product.GOOGLE_CHAT: "AAAA"}[product]
        assert len(cloud.chat.messages(room)) == {Product.SLACK: 2, Product.GOOGLE_CHAT: 1}[product]
        assert "./deploy.sh send cap_spending undo" in str(cloud.chat.messages(room)[0])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://example.com/hook", "does not contain an address that begins with https://hooks.slack.com/services/"),
        ("https://hooks.slack.com/services/T9/B9/gone", "Slack answered 404: 'no_service'"),
    ],
)
def test_a_refusal_has_the_products_words_and_not_the_address(address: str, said: str) -> None:
    with LocalCloud(now=NOON) as cloud:
        clients = with_secret(cloud, address)
        (post,) = decide(context_of(after(reported(held=(HELD,)))), World(), ()).changes
        with pytest.raises(Exception, match=said) as error:
            apply(post, clients)
        assert address not in str(error.value)


def with_secret(cloud: LocalCloud, address: str) -> Clients:
    """Clients of a cloud in which the secret contains an address."""
    clients = Clients("my-caretaker", endpoint=cloud.address, http_endpoint=cloud.http_address)
    secrets = clients.of(SecretManagerServiceClient)
    created = {
        "parent": "projects/my-caretaker",
        "secret_id": "chat-webhook",
        "secret": {"replication": {"automatic": {}}},
    }
    secrets.create_secret(request=created)
    secrets.add_secret_version(request={"parent": SECRET, "payload": {"data": address.encode()}})
    return clients


def test_telling_forgets_nothing_else() -> None:
    records = after(reported(held=(HELD,), alerts=(ALERT,)))
    (post,) = decide(context_of(records), World(), ()).changes
    first = dict(post.items[:1])
    assert len(after_posting(records, first).posted) == 1
    assert len(lines(after_posting(records, first))) == 1
