"""Firestore of the local cloud, through the official client.

What Google's emulator does too is checked in `tests/conformance`; here is what depends on the Clock, and what differs.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1 import types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from shared.firestore_values import Builtins
from tests.localcloud.store import ABSENT, PRESENT, Store, values_of

pytestmark = pytest.mark.one_python

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


@pytest.fixture
def store(cloud: LocalCloud) -> Iterator[Store]:
    store = Store(cloud.address)
    yield store
    store.clients.close()


def begin(store: Store, **options: object) -> bytes:
    request = {"database": store.database, "options": options}
    return store.client.begin_transaction(request=request, retry=None).transaction


def test_while_time_stands_still_versions_still_differ(cloud: LocalCloud, store: Store) -> None:
    times = [store.put("things/a", {"n": n}) for n in range(3)]
    assert times == [START, START + MICROSECOND, START + 2 * MICROSECOND]
    store.put("things/a", {"n": 3}, current_document={"update_time": times[2]})
    with pytest.raises(exceptions.FailedPrecondition):
        store.put("things/a", {"n": 4}, current_document={"update_time": times[2]})
    cloud.clock.advance(timedelta(seconds=1))
    assert store.put("things/a", {"n": 5}) == START + timedelta(seconds=1)


def test_a_read_is_not_older_than_what_it_reads(store: Store) -> None:
    times = [store.put("things/a", {"n": n}) for n in range(3)]
    assert [answer.read_time for answer in store.get_all("things/a", "things/b")] == [times[-1]] * 2


def test_the_servers_time_is_the_clocks(cloud: LocalCloud, store: Store) -> None:
    cloud.clock.advance(timedelta(days=1))
    transform = {"field_path": "at", "set_to_server_value": "REQUEST_TIME"}
    store.put("things/a", update_transforms=[transform])
    assert store.get("things/a") == {"at": START + timedelta(days=1)}


def test_databases_are_apart(cloud: LocalCloud, store: Store) -> None:
    default = Store(cloud.address, database="(default)")
    store.put("things/a", {"in": "caretaker"})
    assert [answer.missing for answer in default.get_all("things/a")] == [default.name("things/a")]
    default.put("things/a", {"in": "default"}, current_document=ABSENT)
    assert (store.get("things/a"), default.get("things/a")) == ({"in": "caretaker"}, {"in": "default"})
    default.clients.close()


def test_a_request_keeps_to_one_database(store: Store) -> None:
    # Google's emulator does not check this. The API says so of reads; that writes are refused too is our reading.
    stranger = f"{store.database}-other/documents/things/a"
    with pytest.raises(exceptions.InvalidArgument, match="is not of the database"):
        store.get_all("things/a", documents=[stranger])
    with pytest.raises(exceptions.InvalidArgument, match="is not of the database"):
        store.commit(types.Write(delete=stranger))


def test_a_transaction_commits_if_what_it_read_is_unchanged(store: Store) -> None:
    store.put("things/a", {"n": 1})
    transaction = begin(store)
    store.get_all("things/a", "things/b", transaction=transaction)
    store.put("things/c")
    store.commit(store.update("things/b", {"n": 2}), transaction=transaction)
    assert store.get("things/b") == {"n": 2}


@pytest.mark.parametrize(
    ("path", "values"), [("things/a", {"n": 9}), ("things/b", {})], ids=["a document changed", "a document came"]
)
@pytest.mark.parametrize("reading", ["get", "get all", "list", "query"])
def test_a_transaction_is_aborted_if_what_it_read_has_changed(
    store: Store, path: str, values: dict[str, Builtins], reading: str
) -> None:
    store.put("things/a", {"n": 1})
    transaction = begin(store)
    match reading:
        case "get":
            for name in ("things/a", "things/b"):
                request: dict[str, Any] = {"name": store.name(name), "transaction": transaction}
                try:
                    store.client.get_document(request=request, retry=None)
                except exceptions.NotFound:
                    assert name == "things/b"
        case "get all":
            store.get_all("things/a", "things/b", transaction=transaction)
        case "list":
            request = {"parent": store.root, "collection_id": "things", "transaction": transaction}
            list(store.client.list_documents(request=request, retry=None))
        case "query":
            query = {"from_": [{"collection_id": "things"}]}
            request = {"parent": store.root, "structured_query": query, "transaction": transaction}
            list(store.client.run_query(request=request, retry=None))
    store.put(path, values)
    with pytest.raises(exceptions.Aborted, match="contention"):
        store.commit(store.update("things/z"), transaction=transaction)
    assert store.get_all("things/z")[0].missing
    with pytest.raises(exceptions.InvalidArgument, match="invalid or closed"):
        store.commit(transaction=transaction)


def test_a_read_can_begin_a_transaction(store: Store) -> None:
    store.put("things/a", {"n": 1})
    first, second = store.get_all("things/a", new_transaction={"read_write": {}})
    assert second.found.name
    query = {"from_": [{"collection_id": "things"}]}
    request = {"parent": store.root, "structured_query": query, "new_transaction": {"read_write": {}}}
    (answer,) = store.client.run_query(request=request, retry=None)
    store.put("things/a", {"n": 2})
    for transaction in (first.transaction, answer.transaction):
        with pytest.raises(exceptions.Aborted):
            store.commit(transaction=transaction)


def test_one_of_many_creates_a_document(store: Store) -> None:
    def create(number: int) -> bool:
        try:
            store.put("things/a", {"by": number}, current_document=ABSENT)
        except exceptions.AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(40))) == 1


def test_compare_and_set_loses_nothing(store: Store) -> None:
    store.put("things/counter", {"n": 0})

    def count(_: int) -> None:
        while True:
            known = store.document("things/counter")
            (n,) = (value for value in values_of(known).values() if isinstance(value, int))
            try:
                store.put("things/counter", {"n": n + 1}, current_document={"update_time": known.update_time})
            except exceptions.FailedPrecondition:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    assert store.get("things/counter") == {"n": 40}


def test_what_is_handed_out_is_a_copy(cloud: LocalCloud, store: Store) -> None:
    store.put("things/a", {"n": 1})
    handed = cloud.firestore.get_document(types.GetDocumentRequest(name=store.name("things/a")))
    handed.fields["n"].integer_value = 2
    assert store.get("things/a") == {"n": 1}


def test_what_is_taken_in_is_a_copy(cloud: LocalCloud, store: Store) -> None:
    write = store.update("things/a", {"n": 1})
    cloud.firestore.commit(types.CommitRequest(database=store.database, writes=[write]))
    types.Write.pb(write).update.fields["n"].integer_value = 2
    assert store.get("things/a") == {"n": 1}


def test_a_document_a_field_and_a_commit_have_a_largest_size(store: Store) -> None:
    # https://firebase.google.com/docs/firestore/storage-size: 16 + 7 + 2 for the name, 2 + 1 for a field, 32 besides.
    longest = 1_048_576 - 60 - 103
    store.put("things/a", {"x": "y" * longest, "z": "z" * 100})
    with pytest.raises(exceptions.InvalidArgument, match="exceeds the maximum allowed size"):
        store.put("things/a", {"x": "y" * (longest + 1), "z": "z" * 100})
    assert len(str(store.get("things/a")["x"])) == longest
    with pytest.raises(exceptions.InvalidArgument, match='property "x" is longer than 1048487 bytes'):
        store.put("things/a", {"x": "y" * 1_048_488})
    updates = [store.update(f"things/{number}", {"x": "y" * 1_048_000}) for number in range(11)]
    store.commit(*updates[1:])
    with pytest.raises(exceptions.InvalidArgument, match="Request payload size exceeds the limit: 10485760 bytes"):
        store.commit(*updates)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("get_document", {"name": "things/a", "read_time": START}),
        ("list_documents", {"parent": "", "collection_id": "things", "order_by": "n desc"}),
        ("list_documents", {"parent": "", "collection_id": "things", "show_missing": True}),
        ("run_query", {"parent": "", "structured_query": {}}),
        ("run_query", {"parent": "", "structured_query": {"from_": [{"collection_id": "a"}], "start_at": {}}}),
        (
            "run_query",
            {
                "parent": "",
                "structured_query": {
                    "from_": [{"collection_id": "things"}],
                    "where": {"unary_filter": {"op": "IS_NULL", "field": {"field_path": "n"}}},
                },
            },
        ),
        (
            "run_query",
            {
                "parent": "",
                "structured_query": {
                    "from_": [{"collection_id": "things"}],
                    "where": {"field_filter": {"op": "IN", "field": {"field_path": "n"}, "value": {}}},
                },
            },
        ),
        ("list_collection_ids", {"parent": ""}),
        ("batch_write", {"database": ""}),
    ],
)
def test_what_is_not_modelled_is_refused(store: Store, method: str, request_: dict[str, Any]) -> None:
    store.put("things/a")
    named = {"parent": store.root, "name": store.name("things/a"), "database": store.database}
    request = request_ | {key: value for key, value in named.items() if key in request_}
    with pytest.raises(exceptions.MethodNotImplemented, match="local cloud"):
        list(getattr(store.client, method)(request=request, retry=None))


Fields = dict[str, int]
paths = st.sampled_from(["things/a", "things/b", "things/c"])
fields: st.SearchStrategy[Fields] = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3), max_size=3)
operations = st.one_of(
    st.tuples(st.just("set"), paths, fields),
    st.tuples(st.just("merge"), paths, fields),
    st.tuples(st.just("create"), paths, fields),
    st.tuples(st.just("change"), paths, fields),
    st.tuples(st.just("delete"), paths, fields),
)


def expected_after(documents: dict[str, Fields], commit: list[tuple[str, str, Fields]]) -> dict[str, Fields] | None:
    """A simple model of a commit's effect on documents; None if it is refused."""
    after = dict(documents)
    for kind, path, values in commit:
        if (kind == "create" and path in after) or (kind == "change" and path not in after):
            return None
        if kind == "delete":
            after.pop(path, None)
        elif kind == "merge":
            after[path] = after.get(path, {}) | values
        else:
            after[path] = values
    return after


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=st.lists(st.lists(operations, max_size=4), max_size=5))
def test_a_commit_does_all_or_nothing(cloud: LocalCloud, commits: list[list[tuple[str, str, Fields]]]) -> None:
    store = Store(cloud.address, database=f"d{len(cloud.server.calls)}")
    documents: dict[str, Fields] = {}
    for commit in commits:
        writes = [write_of(store, *one) for one in commit]
        expected = expected_after(documents, commit)
        if expected is None:
            with pytest.raises((exceptions.AlreadyExists, exceptions.NotFound)):
                store.commit(*writes)
        else:
            store.commit(*writes)
            documents = expected
        found = {
            answer.found.name: values_of(answer.found) for answer in store.get_all(*("things/" + x for x in "abc"))
        }
        assert {name: values for name, values in found.items() if name} == {
            store.name(path): values for path, values in documents.items()
        }
    store.clients.close()


def write_of(store: Store, kind: str, path: str, values: Fields) -> types.Write:
    match kind:
        case "set":
            return store.update(path, values)
        case "create":
            return store.update(path, values, current_document=ABSENT)
        case "change":
            return store.update(path, values, current_document=PRESENT)
        case "merge":
            return store.merge(path, values, values)
        case _:
            return store.delete(path)
