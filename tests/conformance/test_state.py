"""The suite's state by Firestore's REST API: read and written alike on the local cloud and on Google's emulator."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from google.api_core import exceptions

from shared import rest
from shared.clients import Clients, RetryPolicy
from shared.errors import WriteConflict
from shared.history import Journal, path_of, read_moments
from shared.moments import AlertBegan, AlertEnded
from shared.state import API, COMMIT, Document, State
from tests.conformance.clouds import Cloud
from tests.localcloud.store import Store

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

MOMENT = datetime(2026, 11, 15, 12, tzinfo=UTC)


class Note(msgspec.Struct, frozen=True):
    """Something to remember."""

    text: str = ""
    counts: dict[str, int | float | None] = {}
    parts: tuple[dict[str, datetime], ...] = ()
    is_open: bool = False


NOTE = Note(
    text="naïve\n🐘",
    counts={"🐘 projects/p": -(2**62), "a.b": 0.1, "none": None, "large": 1e300},
    parts=({"at": MOMENT}, {"at": MOMENT + timedelta(microseconds=1)}, {}),
    is_open=True,
)


class AtHost(Clients):
    """Clients that reach Firestore alone, without its host before its paths, as the emulator serves it."""

    def url(self, address: str) -> str:
        """The address of a request."""
        return address.replace("https://firestore.googleapis.com", self._http_endpoint)


@pytest.fixture
def clients(firestore: Cloud, project: str) -> Iterator[Clients]:
    kind = Clients if firestore.http_address else AtHost
    address = firestore.http_address or f"http://{firestore.address}"
    clients = kind(project, http_endpoint=address, retry=RetryPolicy(first=0.01, give_up=1.0))
    yield clients
    clients.close()


@pytest.fixture
def state(clients: Clients) -> State:
    return State(clients)


def test_what_is_read_is_what_was_written_and_the_official_client_reads_the_same(
    state: State, firestore: Cloud, project: str
) -> None:
    written = state.write(Document("notes/a"), NOTE)
    missing, found = state.read("notes/none", "notes/a")
    assert (missing.fields, missing.version) == (None, None)
    assert found.as_type(Note) == NOTE
    assert found.version == written.version
    seen = Store(firestore.address, project).get("notes/a")
    assert Document("notes/a", seen).as_type(Note) == NOTE
    assert seen == found.fields


def test_a_document_is_written_only_as_it_was_read(state: State, firestore: Cloud, project: str) -> None:
    first = state.write(Document("notes/a"), Note("first"))
    second = state.write(first, Note("second"))
    for stale in (Document("notes/a"), first):
        with pytest.raises(WriteConflict):
            state.write(stale, Note("stale"))
    assert state.read("notes/a")[0].as_type(Note) == Note("second")
    store = Store(firestore.address, project)
    store.commit(store.delete("notes/a"))
    with pytest.raises(WriteConflict):
        state.write(second, Note("third"))


def test_a_document_in_parts_is_whole_again(clients: Clients, firestore: Cloud, project: str) -> None:
    """All in one commit; a write changes the document that names its parts, even if it changes but one of these."""
    state = State(clients, split_above=200)
    few = state.write(Document("notes/a"), Note("few"))
    many = Note("many", {f"projects/p/{number}": number for number in range(40)})
    written = state.write(few, many)
    (known,) = state.read("notes/a")
    assert (known.as_type(Note), known.version, known.parts) == (many, written.version, written.parts)
    assert len(known.parts) > 1
    changed = state.write(known, Note("many", {**many.counts, "projects/p/7": None}))
    assert changed.version != known.version
    with pytest.raises(WriteConflict):
        state.write(known, many)
    store = Store(firestore.address, project)
    assert {name for part in changed.parts for name in store.get(f"notes/a.{part}")} == {"counts", "write"}
    state.write(changed, Note("few"))
    assert state.read("notes/a")[0].as_type(Note) == Note("few")
    assert all(store.get(f"notes/a.{part}") == {} for part in changed.parts)


def test_moments_are_added_to_the_history_once(clients: Clients) -> None:
    began = AlertBegan(at=MOMENT, alert="smoke", subject="attic", title="Smoke", reason="it burns")
    ended = AlertEnded(at=MOMENT, alert="smoke", subject="attic")
    state = State(clients, Journal("lights", "1"))
    first = state.write(Document("notes/a"), Note("first"), [began])
    state.write(first, Note("second"), [began, ended])
    stored = read_moments(state.read(path_of(MOMENT.date()))[0].fields)
    assert [type(one) for one in stored] == [AlertBegan, AlertEnded]


def test_errors_are_those_of_googles_clients(clients: Clients) -> None:
    address = f"{API}/projects/{clients.project}/databases/caretaker/documents"
    nameless = {"writes": [{"update": {"name": "notes/a", "fields": {}}}]}
    with pytest.raises(exceptions.InvalidArgument):
        rest.write(clients, COMMIT, f"{address}:commit", nameless, object)
