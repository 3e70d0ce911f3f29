"""Durable state: every write is conditional on what was read, and what is read is what was written."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import grpc
import msgspec
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import Document as FirestoreDocument
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as some

from localcloud import LocalCloud
from shared.clients import Clients
from shared.errors import StoredUnreadable, WriteConflict
from shared.firestore_values import Builtins, from_fields, to_fields
from shared.state import Document, State

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
STORED_NOON = "2026-11-15T12:00:00Z"


class Inner(msgspec.Struct, frozen=True):
    """A part of the note."""

    amount: Decimal
    when: datetime


class Note(msgspec.Struct, frozen=True):
    """Something to remember."""

    text: str = ""
    count: int = 0
    ratio: float = 0.0
    is_open: bool = False
    nothing: str | None = None
    parts: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}


NOTE = Note(
    text="naïve\n🐘",
    count=-(2**62),
    ratio=0.1,
    is_open=True,
    parts=(Inner(Decimal("412.30"), NOON), Inner(Decimal(-7), NOON + timedelta(microseconds=1))),
    by_name={"projects/p/services/api": Inner(Decimal("0.000000001"), NOON), "🐘": Inner(Decimal(0), NOON)},
)


@pytest.fixture
def state(clients: Clients) -> State:
    return State(clients)


def test_what_is_not_there_is_the_empty_value(state: State) -> None:
    (document,) = state.read("notes/a")
    assert (document.path, document.fields, document.version) == ("notes/a", None, None)
    assert document.as_type(Note) == Note()


def test_what_is_read_is_what_was_written(state: State) -> None:
    written = state.write(Document("notes/a"), NOTE)
    (read,) = state.read("notes/a")
    assert written.as_type(Note) == read.as_type(Note) == NOTE
    assert written.version == read.version
    assert read.as_type(Note).parts[0].when.tzinfo is UTC


def test_several_documents_in_one_call_and_in_this_order(state: State, cloud: LocalCloud) -> None:
    state.write(Document("notes/b"), Note(text="b"))
    cloud.server.clear_calls()
    documents = state.read("notes/c", "notes/b", "notes/a")
    assert [document.as_type(Note).text for document in documents] == ["", "b", ""]
    assert [document.path for document in documents] == ["notes/c", "notes/b", "notes/a"]
    assert [call.method for call in cloud.server.calls] == ["google.firestore.v1.Firestore/BatchGetDocuments"]


def test_it_lives_in_a_database_of_its_own(state: State, clients: Clients) -> None:
    state.write(Document("notes/a"), Note())
    name = "projects/caretaker-home/databases/caretaker/documents/notes/a"
    assert clients.of(FirestoreClient).get_document(request={"name": name}).name == name


def test_a_document_is_written_only_as_it_was_read(state: State) -> None:
    first = state.write(Document("notes/a"), Note(text="first"))
    second = state.write(first, Note(text="second"))
    for stale in (Document("notes/a"), first):
        with pytest.raises(WriteConflict, match="notes/a was changed by another run"):
            state.write(stale, Note(text="stale"))
    assert state.read("notes/a")[0].as_type(Note).text == "second"
    assert state.write(second, Note(text="third")).as_type(Note).text == "third"


def test_a_document_that_is_gone_is_not_written_as_if_it_were_there(state: State, clients: Clients) -> None:
    known = state.write(Document("notes/a"), Note())
    name = "projects/caretaker-home/databases/caretaker/documents/notes/a"
    clients.of(FirestoreClient).delete_document(request={"name": name})
    with pytest.raises(WriteConflict):
        state.write(known, Note(text="x"))


def test_a_write_whose_answer_is_lost_is_not_repeated(state: State, cloud: LocalCloud) -> None:
    cloud.server.fail("Commit", grpc.StatusCode.UNAVAILABLE, after_effect=True)
    with pytest.raises(exceptions.ServiceUnavailable):
        state.write(Document("notes/a"), Note(text="x"))
    assert [call.method.rpartition("/")[2] for call in cloud.server.calls] == ["Commit"]
    assert state.read("notes/a")[0].as_type(Note).text == "x"


def test_a_write_that_is_refused_is_no_conflict(state: State, cloud: LocalCloud) -> None:
    cloud.server.fail("Commit", grpc.StatusCode.PERMISSION_DENIED)
    with pytest.raises(exceptions.PermissionDenied):
        state.write(Document("notes/a"), Note())


def test_a_document_of_another_type_is_loud(state: State) -> None:
    document = state.write(Document("notes/a"), Inner(Decimal(1), NOON))
    with pytest.raises(StoredUnreadable, match="is_open"):
        msgspec.structs.replace(document, fields={"is_open": "perhaps"}).as_type(Note)


moments = some.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=some.just(UTC))  # noqa: DTZ001
values: some.SearchStrategy[Builtins] = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(-(2**63), 2**63 - 1),
        some.floats(allow_nan=False),
        some.text(some.characters(exclude_categories=["Cs"])),
        moments,
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.dictionaries(some.text(some.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(some.dictionaries(some.text(some.characters(exclude_categories=["Cs"]), max_size=4), values, max_size=4))
def test_values_survive_firestores_own_types(fields: dict[str, Builtins]) -> None:
    sent = msgspec.json.encode({"fields": to_fields(fields)})
    message = json_format.Parse(sent, FirestoreDocument.pb(FirestoreDocument()))
    read = from_fields(json_format.MessageToDict(message).get("fields", {}))
    assert read == fields
    assert _types(read) == _types(fields)


def test_a_moment_is_stored_in_utc() -> None:
    assert to_fields({"at": NOON.astimezone(timezone(timedelta(hours=14)))}) == {"at": {"timestampValue": STORED_NOON}}


def _types(value: object) -> object:
    if isinstance(value, dict):
        return {key: _types(inner) for key, inner in value.items()}
    return [_types(inner) for inner in value] if isinstance(value, list) else type(value)
