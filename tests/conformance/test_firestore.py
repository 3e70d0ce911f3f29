"""Cases of Firestore that the local cloud and Google's emulator answer alike.

Left out because the emulator is known to differ from the service:
- it locks what a transaction reads and lets others wait for seconds, where we fail the transaction's commit
  (https://github.com/firebase/firebase-tools/issues/1629);
- it takes names of another database than the request's;
- it refuses to create a document twice in a commit, but not as it refuses one that exists;
- it has no descending order of names.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1 import types

from shared.firestore_values import Builtins
from tests.localcloud.raw_fields import to_fields
from tests.localcloud.store import ABSENT, PRESENT, Store, values_of

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

Values = dict[str, Builtins]

LONG_AGO = {"update_time": datetime(2000, 1, 1, tzinfo=UTC)}
VALUES: Values = {
    "nothing": None,
    "yes": True,
    "whole": 3,
    "large": 2**62,
    "real": 0.5,
    "text": "ü",
    "at": datetime(2026, 11, 1, 9, 30, 15, 123456, tzinfo=UTC),
    "list": [1, "two", {"three": 3}],
    "map": {"inner": {"deep": [None]}, "empty": {}},
    "empty list": [],
    "a.b`c\\d": "any name",
}


def value(plain: Builtins) -> types.Value:
    """A Python value as Firestore has it."""
    document = types.Document()
    to_fields({"it": plain}, types.Document.pb(document).fields)
    return document.fields["it"]


def test_values_come_back_as_they_went(store: Store) -> None:
    store.put("things/a", VALUES)
    assert store.get("things/a") == VALUES


def test_times_are_kept_to_the_microsecond(store: Store) -> None:
    write = store.update("things/a", {"at": datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=1)))})
    types.Write.pb(write).update.fields["at"].timestamp_value.nanos = 123456789
    store.commit(write)
    assert store.get("things/a") == {"at": datetime(2026, 10, 31, 23, 0, 0, 123456, tzinfo=UTC)}


def test_a_document_knows_its_times(store: Store) -> None:
    created = store.put("things/a", {"n": 1})
    updated = store.put("things/a", {"n": 2})
    document = store.document("things/a")
    assert (document.name, document.create_time, document.update_time) == (store.name("things/a"), created, updated)
    assert created < updated


def test_a_write_that_changes_nothing_keeps_the_time(store: Store) -> None:
    first = store.put("things/a", {"n": 1, "m": {"x": 1}})
    again = store.commit(store.update("things/a", {"m": {"x": 1}, "n": 1}))
    masked = store.commit(store.merge("things/a", {"n": 1}, ["n"]))
    assert [one.write_results[0].update_time for one in (again, masked)] == [first, first]
    assert first < again.commit_time < masked.commit_time
    assert store.document("things/a").update_time == first


def test_a_document_that_comes_again_is_new(store: Store) -> None:
    first = store.put("things/a", {"n": 1})
    store.commit(store.delete("things/a"))
    second = store.put("things/a", {"n": 1})
    document = store.document("things/a")
    assert first < second == document.create_time == document.update_time


def test_absent_documents(store: Store) -> None:
    store.put("things/a", {"n": 1})
    with pytest.raises(exceptions.NotFound):
        store.get("things/b")
    answers = store.get_all("things/a", "things/b", "things/a")
    # Each is answered once, in any order.
    assert len(answers) == 2
    (found,) = (answer.found for answer in answers if answer.found.name)
    assert (found.name, values_of(found)) == (store.name("things/a"), {"n": 1})
    assert [answer.missing for answer in answers if answer.missing] == [store.name("things/b")]
    assert all(answer.read_time for answer in answers)


def test_no_documents(store: Store) -> None:
    assert store.get_all() == []


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda store: store.update("things/a", current_document=ABSENT), exceptions.AlreadyExists),
        (lambda store: store.update("things/b", current_document=PRESENT), exceptions.NotFound),
        (lambda store: store.update("things/a", current_document=LONG_AGO), exceptions.FailedPrecondition),
        (lambda store: store.update("things/b", current_document=LONG_AGO), exceptions.FailedPrecondition),
        (lambda store: store.delete("things/a", current_document=ABSENT), exceptions.AlreadyExists),
        (lambda store: store.delete("things/b", current_document=PRESENT), exceptions.NotFound),
        (lambda store: store.delete("things/a", current_document=LONG_AGO), exceptions.FailedPrecondition),
        (lambda store: store.delete("things/b", current_document=LONG_AGO), exceptions.FailedPrecondition),
    ],
)
def test_preconditions_that_do_not_hold(
    store: Store, write: Callable[[Store], types.Write], error: type[Exception]
) -> None:
    store.put("things/a", {"n": 1})
    with pytest.raises(error):
        store.commit(store.update("things/c"), write(store), store.update("things/d"))
    # Nothing of the commit has been done.
    assert store.get("things/a") == {"n": 1}
    assert all(answer.missing for answer in store.get_all("things/b", "things/c", "things/d"))


def test_preconditions_that_hold(store: Store) -> None:
    store.put("things/a", {"n": 1}, current_document=ABSENT)
    known = store.put("things/a", {"n": 2}, current_document=PRESENT)
    store.put("things/a", {"n": 3}, current_document={"update_time": known})
    assert store.get("things/a") == {"n": 3}
    store.commit(store.delete("things/b", current_document=ABSENT))
    current = {"update_time": store.document("things/a").update_time}
    deletion = store.commit(store.delete("things/a", current_document=current))
    assert "update_time" not in deletion.write_results[0]
    assert store.get_all("things/a")[0].missing


def test_of_two_with_the_same_version_one_wins(store: Store) -> None:
    known = {"update_time": store.put("things/a", {"n": 1})}
    store.put("things/a", {"n": 2}, current_document=known)
    with pytest.raises(exceptions.FailedPrecondition):
        store.put("things/a", {"n": 3}, current_document=known)
    assert store.get("things/a") == {"n": 2}


def test_writes_of_a_commit_see_each_other(store: Store) -> None:
    store.put("things/a", {"old": True})
    answer = store.commit(
        store.delete("things/a"),
        store.update("things/a", {"n": 1}, current_document=ABSENT),
        store.merge("things/a", {"m": 2}, ["m"], current_document=PRESENT),
    )
    assert store.get("things/a") == {"n": 1, "m": 2}
    assert answer.write_results[2].update_time == answer.commit_time


@pytest.mark.parametrize(
    ("before", "values", "mask", "after"),
    [
        ({"a": 1, "b": 2}, {"a": 3, "c": 4}, ["a"], {"a": 3, "b": 2}),
        ({"a": 1, "b": 2}, {}, ["a"], {"b": 2}),
        ({"a": 1}, {"a": 2}, [], {"a": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, ["a.x"], {"a": {"x": 3, "y": 2}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, ["a"], {"a": {"x": 3}}),
        ({"a": {"x": 1}}, {}, ["a.x"], {"a": {}}),
        ({"a": 1}, {"a": {"x": {"y": 2}}}, ["a.x.y"], {"a": {"x": {"y": 2}}}),
        ({"a": 1}, {}, ["a.x"], {"a": 1}),
        ({"a": 1}, {}, ["b.x"], {"a": 1}),
        ({"a": 1}, {"b": {"x": 1}}, ["b.x"], {"a": 1, "b": {"x": 1}}),
        ({"a.b": 1, "c`d": 2}, {"a.b": 3}, ["`a.b`", r"`c\`d`"], {"a.b": 3}),
        ({}, {"ü": {"1": 1}}, ["`ü`.`1`"], {"ü": {"1": 1}}),
    ],
)
def test_masks(store: Store, before: Values, values: Values, mask: list[str], after: Values) -> None:
    store.put("things/a", before)
    store.commit(store.merge("things/a", values, mask))
    assert store.get("things/a") == after


def test_a_masked_write_makes_the_document(store: Store) -> None:
    store.commit(store.merge("things/a", {"a": 1, "b": 2}, ["a"]))
    assert store.get("things/a") == {"a": 1}


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", "a-b", "1a", "`a", "a`b`", "ü", "``"])
def test_wrong_field_paths(store: Store, path: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        store.commit(store.merge("things/a", {}, [path]))


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        ([], {}),
        (["whole", "absent"], {"whole": 3}),
        (["map.inner"], {"map": {"inner": {"deep": [None]}}}),
        (["map.absent", "whole.x"], {}),
        (["`a.b\\`c\\\\d`"], {"a.b`c\\d": "any name"}),
    ],
)
def test_reads_are_masked(store: Store, mask: list[str], shown: Values) -> None:
    store.put("things/a", VALUES)
    assert store.get("things/a", mask) == shown
    (answer,) = store.get_all("things/a", mask={"field_paths": mask})
    assert values_of(answer.found) == shown


@pytest.mark.parametrize(
    ("before", "transform", "after", "result"),
    [
        ({}, ("increment", 2), 2, 2),
        ({"n": 3}, ("increment", -5), -2, -2),
        ({"n": 3}, ("increment", 0.5), 3.5, 3.5),
        ({"n": 0.5}, ("increment", 1), 1.5, 1.5),
        ({"n": "text"}, ("increment", 2), 2, 2),
        ({"n": 2**63 - 1}, ("increment", 5), 2**63 - 1, 2**63 - 1),
        ({"n": -(2**63)}, ("increment", -5), -(2**63), -(2**63)),
        ({}, ("maximum", -5), -5, -5),
        ({"n": "text"}, ("maximum", -5), -5, -5),
        ({"n": 3}, ("maximum", 4), 4, 4),
        ({"n": 3}, ("maximum", 2.5), 3, 3),
        ({"n": 3}, ("minimum", 2.5), 2.5, 2.5),
        ({}, ("minimum", 5), 5, 5),
        ({"n": [1]}, ("append_missing_elements", [1, 2, 2, 1.0]), [1, 2], None),
        ({}, ("append_missing_elements", []), [], None),
        ({"n": 1}, ("append_missing_elements", [{"x": 1}]), [{"x": 1}], None),
        ({"n": [1, 2, 1, {"x": 1}]}, ("remove_all_from_array", [1.0, {"x": 1}]), [2], None),
        ({"n": "text"}, ("remove_all_from_array", [1]), [], None),
    ],
)
def test_transforms(
    store: Store, before: Values, transform: tuple[str, Builtins], after: Builtins, result: Builtins
) -> None:
    kind, operand = transform
    given: object = value(operand)
    if isinstance(operand, list):
        given = {"values": [value(item) for item in operand]}
    store.put("things/a", {"other": 1, **before})
    write = store.merge("things/a", {}, [], update_transforms=[{"field_path": "n", kind: given}])
    (written,) = store.commit(write).write_results
    (listed,) = written.transform_results
    assert store.get("things/a") == {"other": 1, "n": after}
    assert listed == value(result)


def test_a_transform_of_a_whole_write(store: Store) -> None:
    increment = {"field_path": "a.b", "increment": {"integer_value": 2}}
    store.put("things/a", {"n": 1}, update_transforms=[increment, increment])
    assert store.get("things/a") == {"n": 1, "a": {"b": 4}}
    legacy = types.Write(transform={"document": store.name("things/a"), "field_transforms": [increment]})
    store.commit(legacy)
    assert store.get("things/a") == {"n": 1, "a": {"b": 6}}


def test_the_servers_time(store: Store) -> None:
    transform = {"field_path": "at", "set_to_server_value": "REQUEST_TIME"}
    before = store.put("things/before")
    answer = store.commit(store.update("things/a", update_transforms=[transform]))
    (result,) = answer.write_results
    at = store.get("things/a")["at"]
    assert isinstance(at, datetime)
    assert result.transform_results[0] == value(at)
    # The emulator rounds it down to milliseconds.
    assert abs(at - _moment(answer.commit_time)) < timedelta(seconds=1)
    assert at > _moment(before) - timedelta(seconds=1)


@pytest.mark.parametrize(
    "transform",
    [
        {"field_path": "n"},
        {"field_path": "n", "increment": {"string_value": "x"}},
        {"field_path": "n..m", "increment": {"integer_value": 1}},
    ],
)
def test_wrong_transforms(store: Store, transform: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        store.put("things/a", update_transforms=[transform])


@pytest.mark.parametrize(
    "path", ["things", "things/a/b", "things//a", "things/.", "things/..", "things/__a__", "__things__/a"]
)
def test_wrong_names(store: Store, path: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        store.put(path)
    with pytest.raises(exceptions.InvalidArgument):
        store.get(path)
    with pytest.raises(exceptions.InvalidArgument):
        store.get_all(path)


def test_names_have_a_longest_length(store: Store) -> None:
    store.put(f"things/{'a' * 1500}")
    with pytest.raises(exceptions.InvalidArgument):
        store.put(f"things/{'a' * 1501}")
    with pytest.raises(exceptions.InvalidArgument):
        store.put(f"things/{'ü' * 751}")


def test_names_without_a_database(store: Store) -> None:
    for name in ("things/a", f"{store.database}/things/a", store.root):
        with pytest.raises(exceptions.InvalidArgument):
            store.commit(types.Write(delete=name))


@pytest.mark.parametrize("database", ["", "caretaker", "projects/p", "projects/p/databases/"])
def test_wrong_databases(store: Store, database: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        store.client.commit(request={"database": database, "writes": []}, retry=None)


@pytest.mark.parametrize("name", ["", "__reserved__", "x" * 1501])
def test_wrong_field_names(store: Store, name: str) -> None:
    fine: Values = {"fine": 1}
    inner: Values = {name: 1}
    store.put("things/a", {"map": fine, "list": [fine]})
    wrong: list[Values] = [inner, {"map": inner}, {"map": fine | inner}, {"list": [fine, inner]}]
    for values in wrong:
        with pytest.raises(exceptions.InvalidArgument):
            store.put("things/a", values)


def test_maps_have_a_deepest_level(store: Store) -> None:
    deep: Builtins = 1
    for _ in range(20):
        deep = {"in": deep}
    store.put("things/a", {"at": deep})
    with pytest.raises(exceptions.InvalidArgument):
        store.put("things/a", {"at": {"in": deep}})


def test_values_that_cannot_be_stored(store: Store) -> None:
    for bad in (types.Value(), value([[1]])):
        write = store.update("things/a")
        types.Write.pb(write).update.fields["x"].CopyFrom(types.Value.pb(bad))
        with pytest.raises(exceptions.InvalidArgument):
            store.commit(write)


def test_documents_have_a_largest_size(store: Store) -> None:
    store.put("things/a", {"x": "y" * 1_048_000})
    with pytest.raises(exceptions.InvalidArgument):
        store.put("things/a", {"x": "y" * 1_048_576})


def test_a_write_does_something(store: Store) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        store.commit(types.Write())
    assert store.commit().write_results == []


def test_one_document_can_be_created_alone(store: Store) -> None:
    request = {
        "parent": store.root,
        "collection_id": "things",
        "document_id": "a",
        "document": {"fields": {"n": value(1)}},
    }
    made = store.client.create_document(request=request, retry=None)
    assert (made.name, values_of(made), made.create_time) == (store.name("things/a"), {"n": 1}, made.update_time)
    with pytest.raises(exceptions.AlreadyExists):
        store.client.create_document(request=request, retry=None)
    named = {**request, "document_id": "b", "document": {"name": store.name("things/b")}}
    with pytest.raises(exceptions.InvalidArgument):
        store.client.create_document(request=named, retry=None)
    unnamed = {key: one for key, one in request.items() if key != "document_id"}
    names = {store.client.create_document(request=unnamed, retry=None).name for _ in range(3)}
    assert len(names) == 3
    assert all(len(name.removeprefix(store.name("things/"))) == 20 for name in names)


def test_one_document_can_be_updated_alone(store: Store) -> None:
    document = {"name": store.name("things/a"), "fields": {"a": value(1), "b": value(2)}}
    request: dict[str, Any] = {"document": document, "current_document": PRESENT}
    with pytest.raises(exceptions.NotFound):
        store.client.update_document(request=request, retry=None)
    store.put("things/a", {"b": 0, "c": 3})
    request |= {"update_mask": {"field_paths": ["a"]}, "mask": {"field_paths": ["a", "c"]}}
    assert values_of(store.client.update_document(request=request, retry=None)) == {"a": 1, "c": 3}
    assert store.get("things/a") == {"a": 1, "b": 0, "c": 3}
    store.client.update_document(request={"document": document}, retry=None)
    assert store.get("things/a") == {"a": 1, "b": 2}


def test_one_document_can_be_deleted_alone(store: Store) -> None:
    request: dict[str, Any] = {"name": store.name("things/a")}
    store.client.delete_document(request=request, retry=None)
    with pytest.raises(exceptions.NotFound):
        store.client.delete_document(request={**request, "current_document": PRESENT}, retry=None)
    store.put("things/a")
    store.client.delete_document(request=request, retry=None)
    assert store.get_all("things/a")[0].missing


def test_a_collection_is_listed_by_name(store: Store) -> None:
    names = [f"things/{name}" for name in ("B", "a", "b", "ü")]
    for name in reversed(names):
        store.put(name, {"x": 1, "y": 2})
    store.put("things/a/inner/deep")
    store.put("others/a")
    request = {"parent": store.root, "collection_id": "things", "page_size": 3, "mask": {"field_paths": ["x"]}}
    pages = [list(page.documents) for page in store.client.list_documents(request=request, retry=None).pages]
    assert [len(page) for page in pages] == [3, 1]
    assert [one.name for page in pages for one in page] == [store.name(name) for name in names]
    assert values_of(pages[0][0]) == {"x": 1}
    inner = {"parent": store.name("things/a"), "collection_id": "inner"}
    assert [one.name for one in store.client.list_documents(request=inner, retry=None)] == [
        store.name("things/a/inner/deep")
    ]


@pytest.mark.parametrize("wrong", [{"page_size": -1}, {"page_token": "nonsense"}, {"parent": "projects/p/databases/d"}])
def test_wrong_lists(store: Store, wrong: dict[str, Any]) -> None:
    request = {"parent": store.root, "collection_id": "things", **wrong}
    with pytest.raises(exceptions.InvalidArgument):
        list(store.client.list_documents(request=request, retry=None))


@pytest.fixture
def things(store: Store) -> Store:
    """A database with some documents whose field ``v`` is of each kind."""
    kinds: Values = {
        "absent": {"w": 0},
        "array": {"v": [1], "w": 1},
        "double": {"v": 1.0, "w": 2},
        "false": {"v": False, "w": 0},
        "map": {"v": {"x": 1}, "w": 1},
        "null": {"v": None, "w": 2},
        "one": {"v": 1, "w": 0},
        "text": {"v": "x", "w": 1},
        "time": {"v": datetime(2026, 1, 1, tzinfo=UTC), "w": 2},
        "two": {"v": 2, "w": 0},
    }
    store.commit(
        *[store.update(f"things/{name}", values) for name, values in kinds.items() if isinstance(values, dict)]
    )
    store.put("things/one/things/deep", {"v": 1, "w": 5})
    store.put("others/one", {"v": 1})
    return store


def where(path: str, operator: str, operand: Builtins) -> dict[str, Any]:
    return {"field_filter": {"field": {"field_path": path}, "op": operator, "value": value(operand)}}


def composite(operator: str, *filters: dict[str, Any]) -> dict[str, Any]:
    return {"composite_filter": {"op": operator, "filters": filters}}


def by(path: str, direction: str = "ASCENDING") -> dict[str, Any]:
    return {"field": {"field_path": path}, "direction": direction}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "absent array double false map null one text time two"),
        ({"where": where("v", "EQUAL", 1)}, "double one"),
        ({"where": where("v", "EQUAL", "x")}, "text"),
        ({"where": where("v", "EQUAL", {"x": 1.0})}, "map"),
        ({"where": where("v.x", "EQUAL", 1)}, "map"),
        ({"where": where("v", "GREATER_THAN", 0)}, "double one two"),
        ({"where": where("v", "GREATER_THAN_OR_EQUAL", 2)}, "two"),
        ({"where": where("v", "LESS_THAN", 2)}, "double one"),
        ({"where": where("v", "LESS_THAN_OR_EQUAL", "y")}, "text"),
        ({"where": where("v", "NOT_EQUAL", 1)}, "false two time text array map"),
        ({"where": composite("AND", where("v", "EQUAL", 1), where("w", "EQUAL", 0))}, "one"),
        ({"where": composite("OR", where("v", "EQUAL", "x"), where("w", "EQUAL", 0))}, "absent false one text two"),
        ({"order_by": [by("v")]}, "null false double one two time text array map"),
        ({"order_by": [by("v", "DESCENDING")]}, "map array text time two one double false null"),
        ({"order_by": [by("w"), by("v", "DESCENDING")]}, "two one false map array text time double null"),
        ({"order_by": [by("w", "DESCENDING")], "limit": 4}, "time null double text"),
        ({"order_by": [by("__name__")], "limit": 2}, "absent array"),
        ({"offset": 2, "limit": 3}, "double false map"),
        ({"limit": 0}, ""),
        (
            {"from_": [{"collection_id": "things", "all_descendants": True}], "where": where("v", "EQUAL", 1)},
            "double one deep",
        ),
        ({"from_": [{"collection_id": "nothing"}]}, ""),
    ],
)
def test_queries(things: Store, query: dict[str, Any], found: str) -> None:
    assert things.query(**query) == found.split()


def test_a_query_by_name(things: Store) -> None:
    named = types.Value(reference_value=things.name("things/one"))
    filters = {"field_filter": {"field": {"field_path": "__name__"}, "op": "GREATER_THAN", "value": named}}
    assert things.query(where=filters) == ["text", "time", "two"]


def test_a_query_of_some_fields(things: Store) -> None:
    query = {"from_": [{"collection_id": "others"}], "select": {"fields": [{"field_path": "absent"}]}}
    (answer,) = things.client.run_query(request={"parent": things.root, "structured_query": query}, retry=None)
    assert (answer.document.name, values_of(answer.document)) == (things.name("others/one"), {})


def test_a_query_below_a_document(things: Store) -> None:
    request = {"parent": things.name("things/one"), "structured_query": {"from_": [{"collection_id": "things"}]}}
    (answer,) = things.client.run_query(request=request, retry=None)
    assert answer.document.name == things.name("things/one/things/deep")


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"offset": -1}, {"where": where("v..x", "EQUAL", 1)}])
def test_wrong_queries(things: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        things.query(**wrong)


def begin(store: Store, **options: object) -> bytes:
    request = {"database": store.database, "options": options}
    return store.client.begin_transaction(request=request, retry=None).transaction


def test_a_transaction(store: Store) -> None:
    store.put("things/a", {"n": 1})
    transaction = begin(store, read_write={})
    store.get_all("things/a", "things/b", transaction=transaction)
    store.commit(store.update("things/a", {"n": 2}), store.update("things/b"), transaction=transaction)
    assert store.get("things/a") == {"n": 2}
    with pytest.raises(exceptions.InvalidArgument):
        store.commit(store.update("things/a", {"n": 3}), transaction=transaction)


def test_a_read_begins_a_transaction(store: Store) -> None:
    store.put("things/a", {"n": 1})
    first, second = store.get_all("things/a", new_transaction={"read_write": {}})
    assert second.found.name
    store.commit(store.update("things/a", {"n": 2}), transaction=first.transaction)
    assert store.get("things/a") == {"n": 2}


def test_transactions_that_are_none(store: Store) -> None:
    rolled_back = begin(store)
    store.client.rollback(request={"database": store.database, "transaction": rolled_back}, retry=None)
    for transaction in (rolled_back, b"nonsense"):
        with pytest.raises(exceptions.InvalidArgument):
            store.commit(transaction=transaction)
        with pytest.raises(exceptions.InvalidArgument):
            store.get_all("things/a", transaction=transaction)
    with pytest.raises(exceptions.InvalidArgument):
        store.client.rollback(request={"database": store.database, "transaction": b"nonsense"}, retry=None)


def test_a_transaction_that_reads_only(store: Store) -> None:
    store.put("things/a", {"n": 1})
    transaction = begin(store, read_only={})
    store.get_all("things/a", transaction=transaction)
    with pytest.raises(exceptions.InvalidArgument):
        store.commit(store.update("things/a", {"n": 2}), transaction=transaction)
    store.commit(transaction=begin(store, read_only={}))


def test_databases_are_apart(store: Store) -> None:
    name = store.name("things/a").replace("/databases/caretaker/", "/databases/(default)/")
    store.put("things/a", {"n": 1})
    request = {"database": store.database.replace("caretaker", "(default)"), "documents": [name]}
    (answer,) = store.client.batch_get_documents(request=request, retry=None)
    assert answer.missing == name


def _moment(time: object) -> datetime:
    """A time that the client's types call a Timestamp and that really is a datetime."""
    assert isinstance(time, datetime)
    return time
