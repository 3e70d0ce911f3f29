"""Firestore's documents: reads, conditional writes and simple queries of named databases.

Every commit gets a time of its own, even while the clock stands still, so that a precondition on ``update_time``
tells two writes apart. Not modelled: indexes, listeners, pipelines, security rules.
"""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc
from google.cloud.firestore_v1 import types
from google.protobuf import empty_pb2

from local.cloud.clock import Clock
from local.cloud.engine import ApiError, copy_of, protobuf
from local.cloud.firestore_fields import apply_transform, merge_fields
from local.cloud.firestore_query import select
from local.cloud.messages import timestamp

LARGEST_DOCUMENT = 1_048_576
_NAME = re.compile(r"^projects/[^/]+/databases/(?P<database>[^/]+)/documents/(?P<path>.+)$")


class Firestore:
    """Serves ``google.cloud.firestore_v1.services.firestore.FirestoreClient``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, Any] = {}
        self._transactions: dict[bytes, dict[str, Any]] = {}
        self._lock = threading.RLock()
        self._last = clock.now() - timedelta(microseconds=1)
        self._count = 0

    def get_document(self, request: types.GetDocumentRequest) -> Any:
        """One document. NOT_FOUND if it is not there."""
        with self._lock:
            _check_name(request.name)
            self._note_read(request.transaction, request.name)
            if request.name not in self._documents:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f'Document "{request.name}" not found.')
            return copy_of(self._documents[request.name])

    def batch_get_documents(self, request: types.BatchGetDocumentsRequest) -> Iterator[Any]:
        """Every document asked for, found or missing, as of one moment."""
        with self._lock:
            transaction = request.transaction
            read_time = timestamp(self._clock.now())
            if "new_transaction" in request:
                transaction = self.begin_transaction(types.BeginTransactionRequest()).transaction
                yield types.BatchGetDocumentsResponse.pb()(transaction=transaction)
            for name in request.documents:
                _check_name(name)
                self._note_read(transaction, name)
                answer = types.BatchGetDocumentsResponse.pb()(read_time=read_time)
                if name in self._documents:
                    answer.found.CopyFrom(self._documents[name])
                else:
                    answer.missing = name
                yield answer

    def create_document(self, request: types.CreateDocumentRequest) -> Any:
        """A new document under a given id. ALREADY_EXISTS if there is one."""
        self._count += 1
        identifier = request.document_id or f"auto{self._count:016d}"
        document = protobuf(copy_of(request.document))
        document.name = f"{request.parent}/{request.collection_id}/{identifier}"
        write = types.Write.pb()(update=document)
        write.current_document.exists = False
        return self._write_one(write)

    def update_document(self, request: types.UpdateDocumentRequest) -> Any:
        """Set a document, or only the masked fields of it."""
        plain = protobuf(request)
        write = types.Write.pb()(update=plain.document)
        if plain.HasField("update_mask"):
            write.update_mask.CopyFrom(plain.update_mask)
        if plain.HasField("current_document"):
            write.current_document.CopyFrom(plain.current_document)
        return self._write_one(write)

    def delete_document(self, request: types.DeleteDocumentRequest) -> empty_pb2.Empty:
        """Delete a document; one that is not there is no error without a precondition."""
        write = types.Write.pb()(delete=request.name)
        if protobuf(request).HasField("current_document"):
            write.current_document.CopyFrom(protobuf(request).current_document)
        self._commit([write])
        return empty_pb2.Empty()

    def list_documents(self, request: types.ListDocumentsRequest) -> Any:
        """The documents of a collection, in order of name."""
        with self._lock:
            parent = f"{request.parent}/{request.collection_id}/"
            names = sorted(
                name for name in self._documents if name.startswith(parent) and "/" not in name[len(parent) :]
            )
            start = int(request.page_token or 0)
            size = request.page_size or 100
            answer = types.ListDocumentsResponse.pb()(
                documents=[self._documents[name] for name in names[start : start + size]]
            )
            if start + size < len(names):
                answer.next_page_token = str(start + size)
            return answer

    def run_query(self, request: types.RunQueryRequest) -> Iterator[Any]:
        """The documents that a structured query selects: filters on fields, order, limit."""
        with self._lock:
            read_time = timestamp(self._clock.now())
            for document in select(protobuf(request).structured_query, request.parent, self._documents.values()):
                yield types.RunQueryResponse.pb()(document=document, read_time=read_time)
            yield types.RunQueryResponse.pb()(read_time=read_time)

    def begin_transaction(self, request: types.BeginTransactionRequest) -> Any:
        """A transaction, which notes what it reads."""
        del request
        with self._lock:
            self._count += 1
            transaction = f"transaction-{self._count}".encode()
            self._transactions[transaction] = {}
            return types.BeginTransactionResponse.pb()(transaction=transaction)

    def rollback(self, request: types.RollbackRequest) -> empty_pb2.Empty:
        """Forget a transaction."""
        with self._lock:
            self._transactions.pop(request.transaction, None)
            return empty_pb2.Empty()

    def commit(self, request: types.CommitRequest) -> Any:
        """All writes or none. ABORTED if a document that the transaction read has changed since."""
        with self._lock:
            if request.transaction:
                read = self._transactions.pop(request.transaction, None)
                if read is None:
                    raise ApiError(
                        grpc.StatusCode.INVALID_ARGUMENT,
                        "The referenced transaction has expired or is no longer valid.",
                    )
                for name, seen in read.items():
                    if self._version(name) != seen:
                        raise ApiError(
                            grpc.StatusCode.ABORTED, f"Aborted due to cross-transaction contention on {name}."
                        )
            results, moment = self._commit(list(protobuf(request).writes))
            return types.CommitResponse.pb()(write_results=results, commit_time=moment)

    def _write_one(self, write: Any) -> Any:
        with self._lock:
            self._commit([write])
            return copy_of(self._documents[write.update.name])

    def _commit(self, writes: list[Any]) -> tuple[list[Any], Any]:
        with self._lock:
            for write in writes:
                self._check(write)
            moment = self._next_moment()
            before = dict(self._documents)
            try:
                results = [self._apply(write, moment) for write in writes]
            except ApiError:
                self._documents = before
                raise
            return results, moment

    def _check(self, write: Any) -> None:
        name = write.update.name or write.delete
        _check_name(name)
        condition = write.current_document.WhichOneof("condition_type")
        exists = name in self._documents
        if condition == "exists" and write.current_document.exists and not exists:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"No document to update: {name}")
        if condition == "exists" and not write.current_document.exists and exists:
            raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Document already exists: {name}")
        if condition == "update_time":
            if not exists:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"No document to update: {name}")
            if self._documents[name].update_time != write.current_document.update_time:
                message = f"the stored version of {name} does not match the required base version"
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, message)

    def _apply(self, write: Any, moment: Any) -> Any:
        result = types.WriteResult.pb()(update_time=moment)
        if write.WhichOneof("operation") == "delete":
            self._documents.pop(write.delete, None)
            return types.WriteResult.pb()()
        name = write.update.name
        old = self._documents.get(name)
        new = types.Document.pb()(name=name, create_time=old.create_time if old else moment, update_time=moment)
        if write.HasField("update_mask"):
            if old:
                for key, value in old.fields.items():
                    new.fields[key].CopyFrom(value)
            merge_fields(new.fields, write.update.fields, write.update_mask.field_paths)
        else:
            for key, value in write.update.fields.items():
                new.fields[key].CopyFrom(value)
        for transform in write.update_transforms:
            result.transform_results.append(apply_transform(new.fields, transform, moment))
        if new.ByteSize() > LARGEST_DOCUMENT:
            message = f"Document {name} cannot be written because its size exceeds {LARGEST_DOCUMENT} bytes."
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, message)
        self._documents[name] = new
        return result

    def _next_moment(self) -> Any:
        self._last = max(self._clock.now(), self._last + timedelta(microseconds=1))
        return timestamp(self._last)

    def _note_read(self, transaction: bytes, name: str) -> None:
        if transaction:
            if transaction not in self._transactions:
                raise ApiError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "The referenced transaction has expired or is no longer valid.",
                )
            self._transactions[transaction][name] = self._version(name)

    def _version(self, name: str) -> bytes | None:
        document = self._documents.get(name)
        version: bytes | None = document.update_time.SerializeToString() if document else None
        return version


def _check_name(name: str) -> None:
    """Raises INVALID_ARGUMENT unless the name is a document's: an even number of parts, none empty."""
    match = _NAME.match(name)
    parts = match["path"].split("/") if match else []
    if not match or len(parts) % 2 or not all(parts):
        message = f'Document name "{name}" lacks "projects/*/databases/*/documents" or is not that of a document.'
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, message)
    if any(part in {".", ".."} or re.fullmatch("__.*__", part) for part in parts):
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f'Resource id in "{name}" is invalid because it is reserved.')
