"""Durable state: small typed documents in Firestore, each write conditional on what was read.

The database is named ``caretaker``, never ``(default)``, because IAM stops at the database.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from shared import rest
from shared.clients import Clients
from shared.errors import StoredUnreadable, WriteConflict
from shared.firestore_values import Builtins, Fields, Write, from_fields, to_fields
from shared.history import Journal
from shared.moments import Moment
from shared.stored import UnreadableEntry, read_stored, with_unknown

API = "https://firestore.googleapis.com/v1"
READ = "google.firestore.v1.Firestore/BatchGetDocuments"
COMMIT = "google.firestore.v1.Firestore/Commit"
DATABASE = "caretaker"
ATTEMPTS = 20
"""The number of attempts to write while others write first."""

ValueT = TypeVar("ValueT")


class Document(msgspec.Struct, frozen=True):
    """One document as it was read: ``fields`` and ``version`` are None if it is not there."""

    path: str
    fields: Mapping[str, Builtins] | None = None
    version: str | None = None
    """The time of its last update, as Firestore says it."""

    def as_type(self, type_: type[ValueT]) -> ValueT:
        """The document's value without the entries that cannot be read: see ``read_as``."""
        return self.read_as(type_)[0]

    def read_as(self, type_: type[ValueT]) -> tuple[ValueT, tuple[UnreadableEntry, ...]]:
        """The document's value, or the type's own empty value if there is no document, and what cannot be read of it.

        Entries that cannot be read are left out of the value. Raises ``StoredUnreadable`` if that is not enough to
        read it.
        """
        return read_stored(self.path, self.fields, type_)


class _Stored(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    update_time: str
    fields: msgspec.Raw = msgspec.Raw(b"{}")


class _Read(msgspec.Struct, frozen=True):
    """One of the answers to a read of several documents; the one for a document that is missing has none."""

    found: _Stored | None = None


class _Written(msgspec.Struct, frozen=True, rename="camel"):
    update_time: str


class _Committed(msgspec.Struct, frozen=True, rename="camel"):
    write_results: tuple[_Written, ...]


class State:
    """Reads and writes documents of the suite's database.

    By REST (https://firebase.google.com/docs/firestore/reference/rest): Firestore's client is most of a cold start.
    """

    def __init__(self, clients: Clients, journal: Journal | None = None) -> None:
        """``journal`` has the moments of a run: each write takes along what it has not written yet."""
        self._clients = clients
        self._journal = journal
        self._root = f"projects/{clients.project}/databases/{DATABASE}/documents"

    def read(self, *paths: str) -> tuple[Document, ...]:
        """The documents at these paths (``collection/id``), in this order, in one call."""
        names = [self._name(path) for path in paths]
        answers = rest.read(
            self._clients, READ, f"{API}/{self._root}:batchGet", {"documents": names}, tuple[_Read, ...]
        )
        found = {one.found.name: (_values(one.found), one.found.update_time) for one in answers if one.found}
        return tuple(Document(path, *found.get(name, (None, None))) for path, name in zip(paths, names, strict=True))

    def write(self, known: Document, value: msgspec.Struct, moments: Iterable[Moment] = ()) -> Document:
        """Put ``value`` in the place of the document as it was read, and return what is there now.

        ``moments`` are what this very write tells: they are in the history if it succeeds. What is stored there and
        unknown to this version is kept.

        Raises ``WriteConflict`` if the document has changed since, or has come or gone.
        """
        fields = with_unknown(known.path, known.fields, value)
        unchanged = {"exists": False} if known.version is None else {"updateTime": known.version}
        write = {"update": {"name": self._name(known.path), "fields": to_fields(fields)}, "currentDocument": unchanged}
        return Document(known.path, fields, self._commit_with_history(write, known, moments))

    def _commit_with_history(self, write: Write, known: Document, moments: Iterable[Moment]) -> str:
        added = self._journal.writes(self._root, self._journal.stamped(moments)) if self._journal else []
        try:
            version = self._commit([write, *added], known)
        except Exception as error:
            # The day's document may be full, which must not keep a record from being written.
            if not added or not _is_invalid(error):
                raise
            version = self._commit([write], known)
        if self._journal:
            self._journal.written()
        return version

    def _commit(self, writes: Sequence[Write], known: Document) -> str:
        try:
            answer = rest.write(self._clients, COMMIT, f"{API}/{self._root}:commit", {"writes": writes}, _Committed)
        except Exception as error:
            if _is_conflict(error):
                raise WriteConflict(f"{known.path} was changed by another run") from error
            raise
        return answer.write_results[0].update_time

    def _name(self, path: str) -> str:
        return f"{self._root}/{path}"


def _values(stored: _Stored) -> Mapping[str, Builtins]:
    """Raises ``StoredUnreadable`` for a kind of value that the suite does not store."""
    try:
        return _decoded(bytes(stored.fields))
    except ValueError as error:
        raise StoredUnreadable(f"{stored.name}: {error}") from None


@functools.lru_cache(maxsize=4)
def _decoded(fields: bytes) -> Mapping[str, Builtins]:
    """The values of a document, by what was answered: most runs of a process read what the one before has read."""
    return from_fields(msgspec.json.decode(fields, type=Fields))


def _is_invalid(error: Exception) -> bool:
    from google.api_core.exceptions import InvalidArgument

    return isinstance(error, InvalidArgument)


def _is_conflict(error: Exception) -> bool:
    """Whether a write was refused because the document is not as it was read."""
    from google.api_core import exceptions

    changed = (exceptions.AlreadyExists, exceptions.NotFound, exceptions.FailedPrecondition, exceptions.Aborted)
    return isinstance(error, changed)
