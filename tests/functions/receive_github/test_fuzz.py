"""Any request gets an answer, and only our events are published."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example as instance
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.github_events import TOPIC
from tests.functions.receive_github.examples import (
    REPOSITORY,
    Payload,
    body_of,
    derived_comment,
    example,
)
from tests.functions.receive_github.stage import Stage, events_in, signature_of, staged

OPENED = example("pull_request", "opened")
COMMAND = derived_comment("/preview")
EVENTS = st.sampled_from(["pull_request", "issue_comment"])
ANY_HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=80)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(REPOSITORY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PULL_REQUEST_PLACES = [
    ("action",),
    ("pull_request",),
    ("pull_request", "number"),
    ("pull_request", "updated_at"),
    ("pull_request", "head"),
    ("pull_request", "head", "sha"),
    ("repository",),
    ("repository", "full_name"),
    ("sender",),
    ("sender", "login"),
    ("label",),
]
COMMENT_PLACES = [
    ("action",),
    ("issue", "number"),
    ("issue", "pull_request"),
    ("comment",),
    ("comment", "id"),
    ("comment", "body"),
    ("comment", "user"),
    ("comment", "user", "login"),
    ("comment", "created_at"),
    ("repository", "full_name"),
]
NEARLY = st.one_of(
    ANY_JSON,
    st.integers(-(2**70), 2**70),
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat()),
    st.from_regex(r"[0-9a-f]{40}\n?"),
    st.from_regex(r"/preview\s?.{0,9}"),
    st.fixed_dictionaries({"name": st.text()}),
)
"""Values that are, or nearly are, what some place of a payload has."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("secrets")) as stage:
        stage.start()
        yield stage


def with_values(payload: Payload, values: dict[tuple[str, ...], object]) -> Payload:
    """A copy of a payload with other values in some places, the deepest first."""
    copy: Payload = dict(payload)
    for place, value in sorted(values.items(), key=lambda item: -len(item[0])):
        within: Any = copy
        for key in place[:-1]:
            within[key] = dict(within[key])
            within = within[key]
        within[place[-1]] = value
    return copy


def published_while(stage: Stage, body: bytes, event: str) -> tuple[int, list[str]]:
    """The status of the answer to a well signed body, and the repositories of what was published then.

    Raises if what was published is none of our events.
    """
    stage.cloud.server.clear_calls()
    status = stage.post(body, event).status_code
    requests: list[Any] = [call.request for call in stage.cloud.server.calls]
    assert all(request.topic.endswith(f"/topics/{TOPIC}") for request in requests)
    return status, [event.repository for request in requests for event, _ in events_in(request.messages)]


def is_answered_well(stage: Stage, body: bytes, event: str) -> bool:
    """Whether a well signed body is published once and answered 202, or not and answered 204 or 400."""
    return published_while(stage, body, event) in ((202, [REPOSITORY]), (204, []), (400, []))


@settings(max_examples=60)
@given(body=st.binary() | ANY_JSON.map(body_of), event=EVENTS)
def test_any_body_that_is_well_signed_is_answered(stage: Stage, body: bytes, event: str) -> None:
    assert is_answered_well(stage, body, event)


@settings(max_examples=60)
@given(values=st.dictionaries(st.sampled_from(PULL_REQUEST_PLACES), NEARLY, max_size=2))
@instance(values={})
@instance(values={("pull_request", "updated_at"): "0001-01-01T00:00:00+23:59"})
@instance(values={("pull_request", "number"): 2**64})
def test_any_shape_of_a_pull_request_is_answered(stage: Stage, values: dict[tuple[str, ...], object]) -> None:
    assert is_answered_well(stage, body_of(with_values(OPENED, values)), "pull_request")


@settings(max_examples=60)
@given(values=st.dictionaries(st.sampled_from(COMMENT_PLACES), NEARLY, max_size=2))
@instance(values={})
@instance(values={("comment", "id"): 2**64})
def test_any_shape_of_a_comment_is_answered(stage: Stage, values: dict[tuple[str, ...], object]) -> None:
    assert is_answered_well(stage, body_of(with_values(COMMAND, values)), "issue_comment")


@given(event=ANY_HEADER, delivery=ANY_HEADER, content_type=st.just("application/json; charset=utf-8") | ANY_HEADER)
def test_any_headers_are_answered(stage: Stage, event: str, delivery: str, content_type: str) -> None:
    headers = {"X-GitHub-Delivery": delivery}
    answer = stage.post(body_of(OPENED), event, content_type=content_type, headers=headers)
    assert answer.status_code in {200, 202, 204, 400, 415}


@given(body=st.binary() | ANY_JSON.map(body_of), event=EVENTS, wrong=st.binary(min_size=1), given_=ANY_HEADER)
def test_no_body_that_is_badly_signed_goes_further(
    stage: Stage, body: bytes, event: str, wrong: bytes, given_: str
) -> None:
    stage.cloud.server.clear_calls()
    signatures = ["", given_, signature_of(body, wrong), signature_of(body + wrong)]
    statuses = [
        stage.post(body, event, signature=given_, headers={"X-Hub-Signature-256": given_}).status_code
        for given_ in signatures
    ]
    assert statuses[0] == 401
    assert statuses[1] in {401, 403}
    assert statuses[2:] == [403, 403]
    assert stage.calls() == []
