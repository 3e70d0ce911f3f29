"""Documents in parts: whole again when joined, each small enough, stable, and refused where something is missing."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.scale_gpu_pools.records import Records as PoolRecords
from infra.suite.automations import ROOT, load_automations
from infra.suite.loading import load_automation
from localcloud import LocalCloud
from shared.clients import Clients
from shared.errors import StoredUnreadable, WriteConflict
from shared.firestore_values import Builtins
from shared.parts import IN_PARTS, Part, join, json_size, paths_of_parts, size_of, split
from shared.state import READ, Document, State
from shared.yaml12 import read_yaml
from tests.localcloud.store import Store

ABOVE = 200
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
PATH = "records/a"

Whole = dict[str, Builtins]
Layout = Mapping[str, Part]

values: some.SearchStrategy[Builtins] = some.one_of(
    *(some.none(), some.integers(0, 9), some.floats(allow_nan=False, allow_infinity=False), some.text(max_size=60)),
    *(some.dictionaries(some.text("xy", max_size=2), some.booleans()), some.lists(some.text('"\\', max_size=2))),
)
mappings = some.dictionaries(some.text("abcdef/", min_size=1, max_size=6), values, max_size=25)
wholes: some.SearchStrategy[Whole] = some.fixed_dictionaries(
    {"format": some.just(1), "holds": mappings, "pools": mappings, "since": some.dictionaries(some.text("k"), values)}
)


class Notes(msgspec.Struct, frozen=True):
    """A document of the tests."""

    notes: dict[str, str] = {}
    words: dict[str, tuple[int, ...]] = {}
    title: str = ""
    times: dict[str, datetime] = {}


def stored_as(fields: Mapping[str, Builtins], parts: Layout) -> dict[str, Mapping[str, Builtins] | None]:
    """The documents in Firestore, by path."""
    return {PATH: fields, **{f"{PATH}.{part}": one.fields_of(part) for part, one in parts.items()}}


@given(some.lists(wholes, min_size=1, max_size=4))
def test_what_is_split_is_whole_when_joined_through_any_edits(edits: list[Whole]) -> None:
    parts: Layout = {}
    for number, whole in enumerate(edits):
        before = parts
        fields, parts = split(whole, parts, ABOVE)
        joined, read = join(PATH, fields, stored_as(fields, parts))
        assert joined == whole
        assert read == parts
        assert set(paths_of_parts(PATH, fields)) == {f"{PATH}.{part}" for part in parts}
        assert split(whole, parts, ABOVE) == (fields, parts), "what has not changed stays as it was"
        assert all(json_size(one.entries) <= ABOVE + 1 or len(one.entries) == 1 for one in parts.values())
        if json_size(whole) <= ABOVE // 2 or (number == 0 and json_size(whole) <= ABOVE):
            assert (fields, parts) == (whole, {})
        if before and parts and parts != before:
            assert fields[IN_PARTS] != {part: one.write for part, one in before.items()}, "it changes with its parts"


@given(values)
def test_firestore_counts_at_most_four_bytes_for_one_of_json(value: Builtins) -> None:
    assert size_of({"a": value}) <= 4 * json_size({"a": value})
    assert size_of({"a": [value] * 99}) <= 4 * json_size({"a": [value] * 99})


def test_an_edit_writes_the_part_that_it_is_in() -> None:
    notes: Whole = {f"n{number}": "x" * 20 for number in range(100)}
    fields, parts = split({"notes": notes, "title": "t"}, {}, ABOVE)
    assert len(parts) > len(notes) * 23 // ABOVE
    assert size_of(fields) < size_of({"notes": notes}) / 3
    _, later = split({"notes": {**notes, "n7": "y"}, "title": "t"}, parts, ABOVE)
    changed = [part for part in later if later[part] is not parts.get(part)]
    assert later.keys() == parts.keys()
    assert len(changed) == 1
    assert {one.write for one in parts.values()} == {1}
    assert later[changed[0]].write == 2


def test_halves_are_joined_again_when_they_fill_half_of_one() -> None:
    notes: Whole = {f"n{number}": "x" * 20 for number in range(12)}
    _, parts = split({"notes": notes, "title": "a long one"}, {}, ABOVE)
    assert parts.keys() == {"notes.0", "notes.1"}
    for kept, wanted in ((6, {"notes.0", "notes.1"}), (3, {"notes"}), (2, set())):
        fewer = dict(list(notes.items())[:kept])
        assert split({"notes": fewer, "title": "a long one"}, parts, ABOVE)[1].keys() == wanted


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"records/a.notes": None}, "records/a.notes is missing: restore it"),
        ({"records/a.notes": {"write": 1, "notes": "{}"}}, "records/a.notes is not of write 2"),
        ({"records/a.notes": {"write": 2, "notes": {}}}, "records/a.notes is not of write 2"),
        ({"records/a.notes": {}}, "records/a.notes is not of write 2"),
        ({"records/a.notes": {"write": 2, "notes": '{"k": "v'}}, "records/a.notes is no mapping in JSON: Input data"),
        ({"records/a.notes": {"write": 2, "notes": '["k"]'}}, "records/a.notes is no mapping in JSON: Expected"),
        ({PATH: {IN_PARTS: {"notes": "2"}}}, "records/a: in_parts cannot be read by this version"),
        ({PATH: {IN_PARTS: ["notes"]}}, "records/a: in_parts cannot be read by this version"),
    ],
)
def test_what_cannot_be_joined_is_refused(change: dict[str, Any], error: str) -> None:
    stored: dict[str, Any] = {
        PATH: {"notes": "in parts", IN_PARTS: {"notes": 2}},
        "records/a.notes": {"write": 2, "notes": '{"k":"v"}'},
    }
    assert join(PATH, stored[PATH], stored)[0] == {"notes": {"k": "v"}}
    broken: dict[str, Any] = {**stored, **change}
    with pytest.raises(StoredUnreadable, match=error):
        join(PATH, broken[PATH], broken)


def test_the_stored_parts_of_a_release_are_read_and_written_as_they_were() -> None:
    stored: Any = read_yaml((ROOT / "tests" / "stored" / "in_parts_0.2.0.yaml").read_text())
    path = "records/scale_gpu_pools"
    whole, parts = join(path, stored[path], stored)
    assert set(paths_of_parts(path, stored[path])) == stored.keys() - {path}
    assert sorted(name[-1] for name in Document(path, whole).as_type(PoolRecords).holds) == list("abcdefgh")
    for known in ({}, parts):
        fields, written = split(whole, known, 900)
        assert {path: fields, **{f"{path}.{part}": one.fields_of(part) for part, one in written.items()}} == stored


def test_no_records_have_a_field_of_this_name() -> None:
    fields = {
        name for automation in load_automations() for name in load_automation(automation).records.__struct_fields__
    }
    assert IN_PARTS not in fields
    assert "holds" in fields


@pytest.fixture
def state(clients: Clients) -> State:
    return State(clients, split_above=ABOVE)


NOTES = Notes({f"n{number}": "x" * 20 for number in range(30)}, {"w": (1,)}, "t")


def test_a_document_grows_and_shrinks(state: State, cloud: LocalCloud) -> None:
    """One call for one document, and for one in parts another; what is not needed any more is emptied."""
    few = state.write(Document("notes/a"), Notes({"n0": "x"}, {}, "t"))
    assert few.parts == {}
    many = state.write(few, NOTES)
    cloud.server.clear_calls()
    (read,) = state.read("notes/a")
    assert [call.method.rpartition("/")[2] for call in cloud.server.calls] == ["BatchGetDocuments"] * 2
    assert (read.as_type(Notes), read.version, read.parts) == (NOTES, many.version, many.parts)
    assert many.parts.keys() > {"notes.00", "notes.010"}
    state.write(read, Notes({"n0": "y"}, {}, "t"))
    cloud.server.clear_calls()
    (fewer,) = state.read("notes/a")
    assert len(cloud.server.calls) == 1
    assert (fewer.as_type(Notes), fewer.parts) == (Notes({"n0": "y"}, {}, "t"), {})
    store = Store(cloud.address, "caretaker-home")
    assert all(store.get(f"notes/a.{part}") == {} for part in many.parts)
    assert state.write(fewer, NOTES).as_type(Notes) == state.read("notes/a")[0].as_type(Notes) == NOTES


def test_a_write_sends_no_part_that_stays_as_it_was(state: State, cloud: LocalCloud) -> None:
    times = {f"n{number}": NOON + timedelta(microseconds=number) for number in range(30)}
    words = Notes({}, {f"n{number}": (number, number + 1) for number in range(30)}, "t", times)
    state.write(Document("notes/a"), words)
    (known,) = state.read("notes/a")
    assert known.as_type(Notes) == words
    for value, written in (
        (msgspec.structs.replace(words, title="u"), 1),
        (msgspec.structs.replace(words, title="u", words={**words.words, "n7": (8,)}), 2),
    ):
        cloud.server.clear_calls()
        known = state.write(known, value)
        (commit,) = cloud.server.calls
        assert len(commit.request.writes) == written  # type: ignore[attr-defined] # it is a CommitRequest
    assert len(known.parts) > 1


def test_of_two_that_write_different_parts_one_is_refused(state: State) -> None:
    known = state.write(Document("notes/a"), NOTES)
    by_number = {name: part for part, one in known.parts.items() for name in one.entries}
    other = next(name for name in NOTES.notes if by_number[name] != by_number["n0"])
    state.write(known, msgspec.structs.replace(NOTES, notes={**NOTES.notes, "n0": "one"}))
    with pytest.raises(WriteConflict):
        state.write(known, msgspec.structs.replace(NOTES, notes={**NOTES.notes, other: "two"}))
    assert state.read("notes/a")[0].as_type(Notes).notes == {**NOTES.notes, "n0": "one"}


def test_what_is_split_anew_between_the_two_reads_is_read_again(state: State, cloud: LocalCloud) -> None:
    known = state.write(Document("notes/a"), NOTES)
    larger = msgspec.structs.replace(NOTES, notes={**NOTES.notes, **{f"m{number}": "x" * 20 for number in range(90)}})

    class Grows:
        """Has another run write when the first of the two reads has been answered."""

        def before(self, method: str) -> None:
            """Nothing yet."""

        def after(self, method: str) -> None:
            """Write, once."""
            if method == READ and state.read("notes/a")[0].version == known.version:
                state.write(known, larger)

    watching = Clients("caretaker-home", http_endpoint=cloud.http_address, watcher=Grows())
    (read,) = State(watching, split_above=ABOVE).read("notes/a")
    watching.close()
    assert read.as_type(Notes) == larger


def test_a_version_that_knows_no_parts_refuses_the_document(state: State, cloud: LocalCloud) -> None:
    state.write(Document("notes/a"), NOTES)
    stored = Store(cloud.address, "caretaker-home").get("notes/a")
    with pytest.raises(StoredUnreadable, match=r"notes/a cannot be read by this version: Expected `object`, got `str`"):
        Document("notes/a", stored).as_type(Notes)


def test_what_is_unknown_survives_in_parts_too(state: State) -> None:
    class Newer(Notes, frozen=True):
        mood: dict[str, str] = {}

    newer = Newer(NOTES.notes, {}, "t", mood={f"m{number}": "x" * 30 for number in range(30)})
    state.write(Document("notes/a"), newer)
    (known,) = state.read("notes/a")
    assert {part.partition(".")[0] for part in known.parts} == {"notes", "mood"}
    state.write(known, msgspec.structs.replace(known.as_type(Notes), title="u"))
    assert state.read("notes/a")[0].as_type(Newer) == msgspec.structs.replace(newer, title="u")
