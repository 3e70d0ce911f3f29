"""Durable state: small typed documents in Firestore, each write conditional on what was read.

The database is named ``caretaker``, never ``(default)``, because IAM stops at the database.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.clients import Clients, without_garbage_collection
from shared.errors import WriteConflict
from shared.firestore_values import Builtins, from_fields, to_fields
from shared.history import Journal
from shared.moments import Moment
from shared.stored import UnreadableEntry, read_stored, with_unknown

if TYPE_CHECKING:
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.types import Write
    from google.protobuf.timestamp_pb2 import Timestamp

DATABASE = "caretaker"
ATTEMPTS = 20
"""How often a run tries to write while others write first."""

ValueT = TypeVar("ValueT")


class Document(msgspec.Struct, frozen=True):
    """One document as it was read: ``fields`` and ``version`` are None if it is not there."""

    path: str
    fields: Mapping[str, Builtins] | None = None
    version: "Timestamp | None" = None

    def as_type(self, type_: type[ValueT]) -> ValueT:
        """The document's value without the entries that cannot be read: see ``read_as``."""
        return self.read_as(type_)[0]

    def read_as(self, type_: type[ValueT]) -> tuple[ValueT, tuple[UnreadableEntry, ...]]:
        """The document's value, or the type's own empty value if there is no document, and what cannot be read of it.

        Entries that cannot be read are left out of the value. Raises ``StoredUnreadable`` if that is not enough to
        read it.
        """
        return read_stored(self.path, self.fields, type_)


class State:
    """Reads and writes documents of the suite's database."""

    def __init__(self, clients: Clients, journal: Journal | None = None) -> None:
        """``journal`` has the moments of a run: each write takes along what it has not written yet."""
        self._clients = clients
        self._journal = journal
        self._database = f"projects/{clients.project}/databases/{DATABASE}"

    def read(self, *paths: str) -> tuple[Document, ...]:
        """The documents at these paths (``collection/id``), in this order, in one call."""
        names = [self._name(path) for path in paths]
        answers = self._firestore.batch_get_documents(
            request={"database": self._database, "documents": names}, **self._clients.reading
        )
        found = {}
        for answer in answers:
            if answer.found.name:
                document = type(answer.found).pb(answer.found)
                found[document.name] = (from_fields(document.fields), document.update_time)
        return tuple(Document(path, *found.get(name, (None, None))) for path, name in zip(paths, names, strict=True))

    def write(self, known: Document, value: msgspec.Struct, moments: Iterable[Moment] = ()) -> Document:
        """Put ``value`` in the place of the document as it was read, and return what is there now.

        ``moments`` are what this very write tells: they are in the history if it succeeds. What is stored there and
        unknown to this version is kept.

        Raises ``WriteConflict`` if the document has changed since, or has come or gone.
        """
        from google.cloud.firestore_v1.types import Document as FirestoreDocument
        from google.cloud.firestore_v1.types import Write

        fields = with_unknown(known.path, known.fields, value)
        write = Write(update=FirestoreDocument(name=self._name(known.path)))
        to_fields(fields, Write.pb(write).update.fields)
        precondition = Write.pb(write).current_document
        if known.version is None:
            precondition.exists = False
        else:
            precondition.update_time.CopyFrom(known.version)
        return Document(known.path, fields, self._commit_with_history(write, known, moments))

    def _commit_with_history(self, write: "Write", known: Document, moments: Iterable[Moment]) -> "Timestamp":
        from google.api_core.exceptions import InvalidArgument

        added = self._journal.writes(self._database, self._journal.stamped(moments)) if self._journal else []
        try:
            version = self._commit([write, *added], known)
        except InvalidArgument:
            # The day's document may be full, which must not keep a record from being written.
            if not added:
                raise
            version = self._commit([write], known)
        if self._journal:
            self._journal.written()
        return version

    def _commit(self, writes: "list[Write]", known: Document) -> "Timestamp":
        from google.api_core import exceptions

        try:
            answer = self._firestore.commit(
                request={"database": self._database, "writes": writes}, **self._clients.writing
            )
        except (
            exceptions.AlreadyExists,
            exceptions.NotFound,
            exceptions.FailedPrecondition,
            exceptions.Aborted,
        ) as error:
            raise WriteConflict(f"{known.path} was changed by another run") from error
        result = answer.write_results[0]
        version: Timestamp = type(result).pb(result).update_time
        return version

    def _name(self, path: str) -> str:
        return f"{self._database}/documents/{path}"

    @property
    def _firestore(self) -> "FirestoreClient":
        with without_garbage_collection():
            from google.cloud.firestore_v1.services.firestore import FirestoreClient

        return self._clients.of(FirestoreClient)
