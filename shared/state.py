"""Durable state: small typed documents in Firestore, each write conditional on what was read.

The database is named ``caretaker``, never ``(default)``, because IAM stops at the database.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from shared import rest
from shared.clients import Clients
from shared.decoding import decoded
from shared.errors import StoredUnreadable, WriteConflict, invalid_argument_errors
from shared.firestore_values import Builtins, Fields, Write, from_fields, to_fields
from shared.history import Journal, path_of_day, path_of_hour
from shared.moments import Moment
from shared.parts import SPLIT_ABOVE, Part, join, paths_of_parts, split
from shared.stored import UnreadableEntry, read_stored, with_unknown

API = "https://firestore.googleapis.com/v1"
READ = "google.firestore.v1.Firestore/BatchGetDocuments"
COMMIT = "google.firestore.v1.Firestore/Commit"
DATABASE = "caretaker"
ATTEMPTS = 20
"""The number of attempts to write while others write first."""

ValueT = TypeVar("ValueT")


class Document(msgspec.Struct, frozen=True):
    """One whole document as it was read: ``fields`` and ``version`` are None if it is not there."""

    path: str
    fields: Mapping[str, Builtins] | None = None
    version: str | None = None
    """The time of its last update, as Firestore says it."""
    parts: Mapping[str, Part] = {}
    """By id, what lies beside it of one that outgrew a single document (`shared/parts.py`)."""

    def as_type(self, type_: type[ValueT]) -> ValueT:
        """The document's value without the entries that cannot be read: see ``read_as``."""
        return self.read_as(type_)[0]

    def read_as(self, type_: type[ValueT]) -> tuple[ValueT, tuple[UnreadableEntry, ...]]:
        """The document's value, or the type's own empty value if there is no document, and what cannot be read of it.

        Entries that cannot be read are left out of the value. Raises ``StoredUnreadable`` if that is not enough to
        read it.
        """
        return read_stored(self.path, self.fields, type_)


class _Stored(rest.ApiMessage, frozen=True):
    name: str
    update_time: str
    fields: msgspec.Raw = msgspec.Raw(b"{}")


class _Read(msgspec.Struct, frozen=True):
    """One of the answers to a read of several documents; the one for a document that is missing has none."""

    found: _Stored | None = None


class _Written(rest.ApiMessage, frozen=True):
    update_time: str


class _Committed(rest.ApiMessage, frozen=True):
    write_results: tuple[_Written, ...]


class State:
    """Reads and writes documents of the suite's database.

    By REST (https://firebase.google.com/docs/firestore/reference/rest): Firestore's client is most of a cold start.
    """

    def __init__(self, clients: Clients, journal: Journal | None = None, *, split_above: int = SPLIT_ABOVE) -> None:
        """``journal`` has the moments of a run: each write takes along what it has not written yet.

        ``split_above`` are the bytes of a document above which its largest mappings move into parts.
        """
        self._clients = clients
        self._split_above = split_above
        self._journal = journal
        self._root = f"projects/{clients.project}/databases/{DATABASE}/documents"

    def read(self, *paths: str) -> tuple[Document, ...]:
        """The documents at these paths (``collection/id``), in this order, as of one moment.

        In one call, or two if one of them lies in parts. Raises ``StoredUnreadable`` for one that cannot be joined.
        """
        parts: set[str] = set()
        for _ in range(ATTEMPTS):
            found = self._get([*paths, *sorted(parts)])
            named = {one for path in paths for one in paths_of_parts(path, found[path].fields or {})}
            if named <= parts:
                return tuple(_whole(found[path], found) for path in paths)
            parts = named
        raise WriteConflict(f"{', '.join(paths)}: split anew by other runs, {ATTEMPTS} times")

    def write(self, known: Document, value: msgspec.Struct, moments: Iterable[Moment] = ()) -> Document:
        """Put ``value`` in the place of the document as it was read, and return what is there now.

        ``moments`` are what this very write tells: they are in the history if it succeeds. What is stored there and
        unknown to this version is kept.

        Raises ``WriteConflict`` if the document has changed since, or has come or gone.
        """
        fields = with_unknown(known.path, known.fields, value)
        stored, parts = split(fields, known.parts, self._split_above)
        unchanged = {"exists": False} if known.version is None else {"updateTime": known.version}
        beside = {part: one.fields_of(part) for part, one in parts.items() if one is not known.parts.get(part)}
        # What is not named any more is emptied: nothing of the suite's may delete.
        beside |= {part: {} for part in known.parts.keys() - parts.keys()}
        writes = [
            {**self._update(known.path, stored), "currentDocument": unchanged},
            *(self._update(f"{known.path}.{part}", fields) for part, fields in sorted(beside.items())),
        ]
        return Document(known.path, fields, self._commit_with_history(writes, known, moments), parts)

    def _get(self, paths: Sequence[str]) -> dict[str, Document]:
        """By path, documents as they are stored, all as of one moment.

        What ``batchGet`` answers first has not changed until it answers the rest:
        https://firebase.google.com/docs/firestore/reference/rest/v1/projects.databases.documents/batchGet.
        """
        names = {self._name(path): path for path in paths}
        answers = rest.read(
            self._clients, READ, f"{API}/{self._root}:batchGet", {"documents": list(names)}, tuple[_Read, ...]
        )
        found = {path: Document(path) for path in paths}
        for one in answers:
            if one.found:
                path = names[one.found.name]
                found[path] = Document(path, _values(one.found), one.found.update_time)
        return found

    def _update(self, path: str, fields: Mapping[str, Builtins]) -> Write:
        return {"update": {"name": self._name(path), "fields": to_fields(fields)}}

    def _commit_with_history(self, writes: Sequence[Write], known: Document, moments: Iterable[Moment]) -> str:
        if self._journal is None:
            return self._commit(writes, known)
        stamped = self._journal.stamped(moments)
        # A document that is full must not keep a record from being written.
        for path in (path_of_day, path_of_hour):
            added = self._journal.writes(self._root, stamped, path)
            try:
                version = self._commit([*writes, *added], known)
                break
            except invalid_argument_errors():
                if not added:
                    raise
        else:
            version = self._commit(writes, known)
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


def _whole(document: Document, found: Mapping[str, Document]) -> Document:
    """A document joined with its parts."""
    if document.fields is None:
        return document
    stored = {path: one.fields for path, one in found.items()}
    fields, parts = join(document.path, document.fields, stored)
    return msgspec.structs.replace(document, fields=fields, parts=parts)


def _values(stored: _Stored) -> Mapping[str, Builtins]:
    """Raises ``StoredUnreadable`` for a kind of value that the suite does not store."""
    try:
        return _decoded(bytes(stored.fields))
    except ValueError as error:
        raise StoredUnreadable(f"{stored.name}: {error}") from None


@functools.lru_cache(maxsize=64)
def _decoded(fields: bytes) -> Mapping[str, Builtins]:
    """The values of a document, by what was answered: most runs of a process read what the one before has read."""
    return from_fields(decoded(fields, Fields))


def _is_conflict(error: Exception) -> bool:
    """Whether a write was refused because the document is not as it was read."""
    from google.api_core import exceptions

    changed = (exceptions.AlreadyExists, exceptions.NotFound, exceptions.FailedPrecondition, exceptions.Aborted)
    return isinstance(error, changed)
