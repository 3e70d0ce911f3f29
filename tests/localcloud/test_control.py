"""The local cloud itself over HTTP: faults, the clock and the calls, for tests in any language."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from localcloud import LocalCloud

TOPICS = "pubsub.googleapis.com/v1/projects/demo-project/topics"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        yield cloud


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_faults_and_calls(cloud: LocalCloud, session: requests.Session) -> None:
    control, topics = f"{cloud.http_address}/localcloud", f"{cloud.http_address}/{TOPICS}"
    fault: dict[str, str | bool] = {
        "method": "Publisher/CreateTopic",
        "code": "UNAVAILABLE",
        "afterEffect": True,
        "message": "gone",
    }
    assert session.post(f"{control}/faults", json=fault, timeout=10).json() == {}
    assert session.put(f"{topics}/ticks", json={}, timeout=10).json()["error"]["message"] == "gone"
    assert session.put(f"{topics}/ticks", json={}, timeout=10).json()["error"]["status"] == "ALREADY_EXISTS"
    session.post(f"{control}/faults", json={"method": "ListTopics", "code": "INTERNAL", "times": 9}, timeout=10)
    assert session.get(topics, timeout=10).status_code == 500
    session.delete(f"{control}/faults", timeout=10)
    assert session.get(topics, timeout=10).json()["topics"][0]["name"] == f"{TOPICS.partition('/v1/')[2]}/ticks"
    calls = session.get(f"{control}/calls", timeout=10).json()["calls"]
    assert calls[0] == {
        "method": "google.pubsub.v1.Publisher/CreateTopic",
        "mutating": True,
        "at": "2026-11-01T00:00:00+00:00",
        "code": "UNAVAILABLE",
    }
    assert [call["code"] for call in calls] == ["UNAVAILABLE", "ALREADY_EXISTS", "INTERNAL", "OK"]
    session.delete(f"{control}/calls", timeout=10)
    assert cloud.server.calls == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"method": "x"}, "no fault: Object missing required field `code`"),
        ({"method": "x", "code": "OFTEN"}, "code: 'OFTEN' is none of OK, CANCELLED, UNKNOWN"),
        ({"method": "x", "code": "INTERNAL", "after_effect": True}, "no fault: Object contains unknown field"),
    ],
)
def test_what_is_no_fault_is_refused(
    cloud: LocalCloud, session: requests.Session, fault: dict[str, str | bool], message: str
) -> None:
    answer = session.post(f"{cloud.http_address}/localcloud/faults", json=fault, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


def test_what_people_do_happens(cloud: LocalCloud, session: requests.Session) -> None:
    happenings = f"{cloud.http_address}/localcloud/happenings"
    cloud.github.add_repository("my-team/my-product")
    opened = {"repository": "my-team/my-product", "number": 7, "head": {"sha": "a" * 40}}
    wanted = json.dumps({"happening": "github.open_pull_request", "arguments": opened})
    assert session.post(happenings, data=wanted, timeout=10).json() == {}
    assert cloud.github.state.repository("my-team/my-product").pull_requests[7].head_sha == "a" * 40


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"arguments": {}}, "it cannot happen: Object missing required field `happening`"),
        ({"happening": "github.psuh"}, "it cannot happen: invalid value 'github.psuh' for happening"),
        ({"happening": "github.close", "arguments": {"repository": "my-team/my-product"}}, "it cannot happen: "),
        ({"happening": "github.close", "arguments": {"repository": "a/b", "number": 1}}, "it cannot happen: 'a/b'"),
    ],
)
def test_what_cannot_happen_is_refused(
    cloud: LocalCloud, session: requests.Session, wanted: dict[str, object], message: str
) -> None:
    answer = session.post(f"{cloud.http_address}/localcloud/happenings", data=json.dumps(wanted), timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


def test_the_clock(cloud: LocalCloud, session: requests.Session) -> None:
    now = f"{cloud.http_address}/localcloud/now"
    assert session.get(now, timeout=10).text == "2026-11-01T00:00:00Z"
    assert session.put(now, data="2026-11-02T00:00Z", timeout=10).text == "2026-11-02T00:00:00Z"
    assert cloud.clock.now() == datetime(2026, 11, 2, tzinfo=UTC)
    refused = session.put(now, data="2026-11-01T00:00Z", timeout=10)
    assert (refused.status_code, "ISO 8601 after 2026-11-02" in refused.text) == (400, True)
    assert session.get(f"{cloud.http_address}/localcloud/else", timeout=10).status_code == 404
