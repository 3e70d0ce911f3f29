"""The fast mapping of Firestore's JSON and protobuf's general one give the same, and leave nothing to each other."""

import json
from typing import Any

import msgspec
import pytest
from google.cloud.firestore_v1 import types
from google.protobuf import json_format
from google.protobuf.message import Message

from localcloud.core.http import HttpRequest
from localcloud.firestore import plain_json

READ = "google.firestore.v1.Firestore/BatchGetDocuments"
COMMIT = "google.firestore.v1.Firestore/Commit"
DATABASE = "projects/p/databases/caretaker"
NAME = f"{DATABASE}/documents/notes/a"
MOMENT = "2026-11-15T12:00:00.000001Z"
FIELDS: dict[str, Any] = {
    "text": {"stringValue": "naïve\n🐘"},
    "count": {"integerValue": "-4611686018427387904"},
    "open": {"booleanValue": False},
    "none": {"nullValue": None},
    "at": {"timestampValue": MOMENT},
    "map": {"mapValue": {"fields": {"inner": {"mapValue": {}}}}},
    "list": {"arrayValue": {"values": [{"stringValue": ""}, {"mapValue": {}}]}},
    "empty": {"arrayValue": {}},
    "ratio": {"doubleValue": 0.1},
    "whole": {"doubleValue": 3.0},
}


def request_of(rpc: str, content: object, *arguments: tuple[str, str]) -> Message:
    """The fast mapping's result for a request."""
    body = json.dumps(content).encode()
    request = HttpRequest("POST", "firestore.googleapis.com/", {}, body, {}, arguments=arguments)
    return plain_json.request_of(rpc, {"database": DATABASE}, request)


@pytest.mark.parametrize("condition", [None, {"exists": False}, {"exists": True}, {"updateTime": MOMENT}])
def test_a_commit(condition: dict[str, object] | None) -> None:
    write: dict[str, object] = {"update": {"name": NAME, "fields": FIELDS}}
    content = {"writes": [write | ({} if condition is None else {"currentDocument": condition})]}
    expected = types.CommitRequest.pb()(database=DATABASE)
    assert request_of(COMMIT, content) == json_format.ParseDict(content, expected)


ADDED = {"fieldPath": "moments", "appendMissingElements": {"values": [{"mapValue": {"fields": FIELDS}}]}}


@pytest.mark.parametrize(
    "more",
    [
        {"updateMask": {}},
        {"updateTransforms": [ADDED]},
        {"updateTransforms": [{"fieldPath": "a", "appendMissingElements": {}}]},
    ],
)
def test_a_commit_that_adds_to_a_document(more: dict[str, object]) -> None:
    content = {"writes": [{"update": {"name": NAME}, **more}]}
    expected = types.CommitRequest.pb()(database=DATABASE)
    assert request_of(COMMIT, content) == json_format.ParseDict(content, expected)


@pytest.mark.parametrize(
    "text",
    [
        *("0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-11-15T12:00:00.120Z", MOMENT),
        *("2026-11-15T12:00:00.000000001Z", "2026-11-15T12:00:00.1+02:00", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_in_a_commit(text: str) -> None:
    write = {"update": {"name": NAME, "fields": {"at": {"timestampValue": text}}}}
    expected = types.CommitRequest.pb()(database=DATABASE)
    assert request_of(COMMIT, {"writes": [write]}) == json_format.ParseDict({"writes": [write]}, expected)


def test_a_read_of_several_documents() -> None:
    content = {"documents": [NAME, f"{DATABASE}/documents/notes/b"]}
    expected = types.BatchGetDocumentsRequest.pb()(database=DATABASE)
    assert request_of(READ, content) == json_format.ParseDict(content, expected)


@pytest.mark.parametrize(
    "content",
    [
        {"documents": [NAME]},
        {"writes": [{"delete": NAME}]},
        {"writes": [{"update": {"name": NAME, "fields": {}}, "updateMask": {"fieldPaths": "a"}}]},
        {"writes": [{"update": {"name": NAME}, "updateTransforms": [{"fieldPath": "a", "increment": {}}]}]},
        {"writes": [{"update": {"name": NAME, "fields": {"a": {"bytesValue": "YQ=="}}}}]},
        {"writes": [{"update": {"name": NAME, "fields": {"a": {"integerValue": "x"}}}}]},
        {"writes": [{"update": {"name": NAME, "fields": {"a": {"stringValue": 1}}}}]},
        {"writes": [{"update": {"name": NAME, "fields": {"a": {}}}}]},
        {"writes": [{"update": {"name": NAME, "fields": {}}, "currentDocument": {"exists": True, "updateTime": "x"}}]},
        {"writes": [{"update": {"name": 1, "fields": {}}}]},
        {"writes": [5]},
        [],
    ],
)
def test_whatever_else_is_left_to_the_general_mapping(content: object) -> None:
    with pytest.raises(plain_json.NotPlain):
        request_of(COMMIT, content)


def test_so_are_parameters_and_other_rpcs() -> None:
    with pytest.raises(plain_json.NotPlain):
        request_of(READ, {"documents": []}, ("fields", "found"))
    with pytest.raises(plain_json.NotPlain):
        request_of("google.firestore.v1.Firestore/RunQuery", {})


@pytest.mark.parametrize(
    ("rpc", "kind", "answer"),
    [
        (READ, types.BatchGetDocumentsResponse, {"missing": NAME, "readTime": MOMENT}),
        (
            READ,
            types.BatchGetDocumentsResponse,
            {
                "found": {"name": NAME, "fields": FIELDS, "createTime": MOMENT, "updateTime": MOMENT},
                "readTime": MOMENT,
            },
        ),
        (READ, types.BatchGetDocumentsResponse, {"found": {"name": NAME, "createTime": MOMENT, "updateTime": MOMENT}}),
        (COMMIT, types.CommitResponse, {"writeResults": [{"updateTime": MOMENT}], "commitTime": MOMENT}),
        (
            COMMIT,
            types.CommitResponse,
            {
                "writeResults": [{"updateTime": MOMENT, "transformResults": [{"nullValue": None}]}],
                "commitTime": MOMENT,
            },
        ),
    ],
)
def test_an_answer(rpc: str, kind: Any, answer: dict[str, Any]) -> None:
    message = json_format.ParseDict({"readTime": MOMENT} | answer if rpc == READ else answer, kind.pb()())
    plain = plain_json.answer_of(rpc, kind.wrap(message))
    assert json.loads(msgspec.json.encode(plain)) == json_format.MessageToDict(message)


def test_the_fields_of_an_answer_are_in_order() -> None:
    found = {"name": NAME, "fields": FIELDS | {"nested": {"mapValue": {"fields": FIELDS}}}}
    message = json_format.ParseDict({"found": found}, types.BatchGetDocumentsResponse.pb()())
    answered = msgspec.json.decode(msgspec.json.encode(plain_json.answer_of(READ, message)))["found"]["fields"]
    assert json.dumps(answered) == json.dumps(answered, sort_keys=True)


def test_an_answer_that_is_more_is_left_to_the_general_mapping() -> None:
    with pytest.raises(plain_json.NotPlain):
        plain_json.answer_of(READ, types.BatchGetDocumentsResponse(missing=NAME, transaction=b"t"))
    with pytest.raises(plain_json.NotPlain):
        plain_json.answer_of(
            COMMIT, types.CommitResponse(write_results=[{"transform_results": [{"double_value": float("nan")}]}])
        )
