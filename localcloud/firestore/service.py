"""Firestore's documents: reads, conditional writes and simple queries of databases, which are there when used.

Every commit gets a time of its own, even while the clock is stopped, so that a precondition on ``update_time``
tells two writes apart. Transactions are optimistic: what they read must be the same when they commit. Not modelled:
indexes, listeners, cursors, pipelines, reads of the past, security rules.
"""

import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from google.cloud.firestore_v1 import types
from google.protobuf import empty_pb2

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, page, timestamp
from localcloud.core.server import ApiError, copy_of, protobuf
from localcloud.firestore.fields import merge_fields
from localcloud.firestore.names import check_database, check_document, check_parent
from localcloud.firestore.query import select
from localcloud.firestore.values import check_request
from localcloud.firestore.writes import RawDocument, RawTimestamp, RawWrite, RawWriteResult, apply_write, target_of

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000

RawMessage = Any


@dataclass(eq=False)
class Transaction:
    """The reads of a transaction: how to repeat each, and its result."""

    is_read_only: bool
    reads: list[tuple[Callable[[], object], object]] = field(default_factory=list)


class Firestore:
    """Serves ``google.cloud.firestore_v1.services.firestore.FirestoreClient``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, RawDocument] = {}
        self._transactions: dict[bytes, Transaction] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._last_commit = clock.now() - timedelta(microseconds=1)

    def databases(self) -> list[str]:
        """The databases that hold something, by their full names."""
        with self._lock:
            return sorted({name.partition("/documents/")[0] for name in self._documents})

    def drop(self, database: str) -> bool:
        """Forget all that a database holds. Returns whether that was anything."""
        with self._lock:
            gone = [name for name in self._documents if name.startswith(f"{database}/documents/")]
            for name in gone:
                del self._documents[name]
            return bool(gone)

    def get_document(self, request: types.GetDocumentRequest) -> RawDocument:
        """One document. NOT_FOUND if it is not there."""
        check_document(request.name)
        with self._lock:
            self._note(self._transaction_of(request), functools.partial(self._version, request.name))
            if request.name not in self._documents:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f'Document "{request.name}" not found.')
            return self._masked(request.name, request)

    def batch_get_documents(self, request: types.BatchGetDocumentsRequest) -> Iterator[RawMessage]:
        """Every document asked for, found or missing, as of one moment."""
        plain = protobuf(request)
        check_database(plain.database)
        answer_type = types.BatchGetDocumentsResponse.pb()
        with self._lock:
            transaction = self._transaction_of(request)
            read_time = self._read_time()
            if plain.HasField("new_transaction"):
                yield answer_type(transaction=transaction, read_time=read_time)
            for name in dict.fromkeys(plain.documents):
                check_document(name, plain.database)
                self._note(transaction, functools.partial(self._version, name))
                if name not in self._documents:
                    yield answer_type(missing=name, read_time=read_time)
                elif plain.HasField("mask"):
                    yield answer_type(found=self._masked(name, request), read_time=read_time)
                else:
                    yield answer_type(found=self._documents[name], read_time=read_time)

    def list_documents(self, request: types.ListDocumentsRequest) -> RawMessage:
        """The documents of a collection, in order of name."""
        check_parent(request.parent)
        if request.order_by or request.show_missing:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "the local cloud lists what is there, in order of name")
        with self._lock:
            transaction = self._transaction_of(request)
            here = self._collection(request.parent, request.collection_id)
            self._note(transaction, functools.partial(self._collection, request.parent, request.collection_id))
            shown, token = page(here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)
            documents = [self._masked(document.name, request) for document in shown]
            return types.ListDocumentsResponse.pb()(documents=documents, next_page_token=token)

    def run_query(self, request: types.RunQueryRequest) -> Iterator[RawMessage]:
        """The documents that a structured query selects, or one answer without any."""
        check_parent(request.parent)
        plain = protobuf(request)
        with self._lock:
            transaction = self._transaction_of(request)

            def found() -> list[RawDocument]:
                return select(plain.structured_query, request.parent, self._documents.values())

            self._note(transaction, found)
            read_time = self._read_time()
            answers = [
                types.RunQueryResponse.pb()(document=self._masked(document.name, request), read_time=read_time)
                for document in found()
            ] or [types.RunQueryResponse.pb()(read_time=read_time)]
            if "new_transaction" in request:
                answers[0].transaction = transaction
            answers[-1].done = True
            yield from answers

    def create_document(self, request: types.CreateDocumentRequest) -> RawDocument:
        """A new document under a given id, or one of ours. ALREADY_EXISTS if there is one."""
        if request.document.name:
            raise invalid("document.name must not be set")
        identifier = request.document_id or f"{next(self._numbers):020d}"
        write = types.Write.pb()(update=protobuf(request.document))
        write.update.name = f"{request.parent}/{request.collection_id}/{identifier}"
        write.current_document.exists = False
        return self._write_one(write, request)

    def update_document(self, request: types.UpdateDocumentRequest) -> RawDocument:
        """Set a document, or only the masked fields of it."""
        plain = protobuf(request)
        write = types.Write.pb()(update=plain.document)
        if plain.HasField("update_mask"):
            write.update_mask.CopyFrom(plain.update_mask)
        write.current_document.CopyFrom(plain.current_document)
        return self._write_one(write, request)

    def delete_document(self, request: types.DeleteDocumentRequest) -> empty_pb2.Empty:
        """Delete a document; one that is not there is no error without a precondition."""
        plain = protobuf(request)
        self._commit([types.Write.pb()(delete=plain.name, current_document=plain.current_document)])
        return empty_pb2.Empty()

    def begin_transaction(self, request: types.BeginTransactionRequest) -> RawMessage:
        """A transaction, which notes what it reads."""
        check_database(request.database)
        with self._lock:
            return types.BeginTransactionResponse.pb()(transaction=self._begin(request.options))

    def rollback(self, request: types.RollbackRequest) -> empty_pb2.Empty:
        """Forget a transaction."""
        with self._lock:
            self._end(request.transaction)
            return empty_pb2.Empty()

    def commit(self, request: types.CommitRequest) -> RawMessage:
        """All writes or none. ABORTED if something that the transaction read has changed since; it has ended then."""
        plain = protobuf(request)
        check_request(plain.ByteSize())
        check_database(plain.database)
        writes = list(plain.writes)
        for write in writes:
            check_document(target_of(write), plain.database)
        with self._lock:
            if plain.transaction:
                transaction = self._end(plain.transaction)
                if transaction.is_read_only and writes:
                    raise invalid("Cannot modify entities in a read-only transaction.")
                if any(read() != seen for read, seen in transaction.reads):
                    raise ApiError(grpc.StatusCode.ABORTED, "Aborted due to cross-transaction contention.")
            results, moment = self._commit(writes)
            return types.CommitResponse.pb()(write_results=results, commit_time=moment)

    def _commit(self, writes: list[RawWrite]) -> tuple[list[RawWriteResult], RawTimestamp]:
        with self._lock:
            moment = max(self._clock.now(), self._last_commit + timedelta(microseconds=1))
            commit_time = timestamp(moment)
            staged: dict[str, RawDocument | None] = {}
            results = []
            for write in writes:
                name = target_of(write)
                old = staged[name] if name in staged else self._documents.get(name)
                staged[name], result = apply_write(write, old, commit_time)
                results.append(result)
            for name, document in staged.items():
                if document is None:
                    self._documents.pop(name, None)
                else:
                    self._documents[name] = document
            self._last_commit = moment
            return results, commit_time

    def _write_one(self, write: RawWrite, request: RawMessage) -> RawDocument:
        with self._lock:
            self._commit([write])
            return self._masked(write.update.name, request)

    def _masked(self, name: str, request: RawMessage) -> RawDocument:
        """A copy of a document, with the fields that the request's mask or a query's projection names."""
        document = self._documents[name]
        plain = protobuf(request)
        if "structured_query" in type(plain).DESCRIPTOR.fields_by_name:
            if not plain.structured_query.HasField("select"):
                return copy_of(document)
            paths = [one.field_path for one in plain.structured_query.select.fields if one.field_path != "__name__"]
        elif plain.HasField("mask"):
            paths = list(plain.mask.field_paths)
        else:
            return copy_of(document)
        shown = types.Document.pb()(name=name, create_time=document.create_time, update_time=document.update_time)
        merge_fields(shown.fields, document.fields, paths)
        return shown

    def _collection(self, parent: str, collection_id: str) -> dict[str, RawDocument]:
        prefix = f"{parent}/{collection_id}/"
        return {
            name: document
            for name, document in self._documents.items()
            if name.startswith(prefix) and "/" not in name[len(prefix) :]
        }

    def _read_time(self) -> RawTimestamp:
        return timestamp(max(self._clock.now(), self._last_commit))

    def _version(self, name: str) -> bytes | None:
        document = self._documents.get(name)
        version: bytes | None = document.update_time.SerializeToString() if document else None
        return version

    def _transaction_of(self, request: RawMessage) -> bytes:
        """The transaction in which to read; none if empty."""
        plain = protobuf(request)
        match plain.WhichOneof("consistency_selector"):
            case "read_time":
                raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "reads of the past are not served by the local cloud")
            case "new_transaction":
                return self._begin(request.new_transaction)
        transaction: bytes = plain.transaction
        return transaction

    def _begin(self, options: types.TransactionOptions) -> bytes:
        transaction = f"transaction-{next(self._numbers)}".encode()
        self._transactions[transaction] = Transaction("read_only" in options)
        return transaction

    def _end(self, transaction: bytes) -> Transaction:
        if transaction not in self._transactions:
            raise invalid("Transaction is invalid or closed.")
        return self._transactions.pop(transaction)

    def _note(self, transaction: bytes, read: Callable[[], object]) -> None:
        """Have a transaction remember what it read, if it is one."""
        if not transaction:
            return
        if transaction not in self._transactions:
            raise invalid("Transaction is invalid or closed.")
        self._transactions[transaction].reads.append((read, read()))
