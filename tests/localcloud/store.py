"""Firestore documents as Python values, through the official client, for tests."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.protobuf.timestamp_pb2 import Timestamp

from shared.clients import Clients
from shared.firestore_values import Builtins
from tests.localcloud.raw_fields import from_fields, to_fields

ABSENT = {"exists": False}
PRESENT = {"exists": True}


class Store:
    """A database, whose documents are known by their paths (``collection/id``)."""

    def __init__(self, address: str, project: str = "demo-project", database: str = "caretaker") -> None:
        self.clients = Clients(project, endpoint=address)
        self.client = self.clients.of(FirestoreClient)
        self.database = f"projects/{project}/databases/{database}"
        self.root = f"{self.database}/documents"

    def name(self, path: str) -> str:
        """A document's full name."""
        return f"{self.root}/{path}"

    def update(self, path: str, values: Mapping[str, Builtins] | None = None, **options: object) -> types.Write:
        """A write that sets a document; ``options`` are further fields of the write."""
        write = types.Write(update=types.Document(name=self.name(path)), **options)
        to_fields(values or {}, types.Write.pb(write).update.fields)
        return write

    def merge(self, path: str, values: Mapping[str, Builtins], mask: Iterable[str], **options: object) -> types.Write:
        """A write that changes the masked fields."""
        return self.update(path, values, update_mask={"field_paths": list(mask)}, **options)

    def delete(self, path: str, **options: object) -> types.Write:
        """A write that deletes a document."""
        return types.Write(delete=self.name(path), **options)

    def commit(self, *writes: types.Write, transaction: bytes = b"") -> types.CommitResponse:
        """Commit writes."""
        request = {"database": self.database, "writes": writes, "transaction": transaction}
        return self.client.commit(request=request, **self.clients.writing)

    def put(self, path: str, values: Mapping[str, Builtins] | None = None, **options: object) -> Timestamp:
        """Set a document, and give the time of its update."""
        result = self.commit(self.update(path, values, **options)).write_results[0]
        return result.update_time

    def document(self, path: str, mask: Iterable[str] | None = None) -> types.Document:
        """A document as it is."""
        request: dict[str, Any] = {"name": self.name(path)}
        if mask is not None:
            request["mask"] = {"field_paths": list(mask)}
        return self.client.get_document(request=request, **self.clients.writing)

    def get(self, path: str, mask: Iterable[str] | None = None) -> dict[str, Builtins]:
        """The values of a document."""
        return values_of(self.document(path, mask))

    def get_all(self, *paths: str, **options: object) -> list[types.BatchGetDocumentsResponse]:
        """The answers to a read of several documents."""
        request = {"database": self.database, "documents": [self.name(path) for path in paths], **options}
        return list(self.client.batch_get_documents(request=request, **self.clients.writing))

    def query(self, **query: object) -> list[str]:
        """The ids of the documents of collection ``things`` that a query selects."""
        request = {"parent": self.root, "structured_query": {"from_": [{"collection_id": "things"}], **query}}
        answers = self.client.run_query(request=request, **self.clients.writing)
        return [answer.document.name.rpartition("/")[2] for answer in answers if answer.document.name]


def values_of(document: types.Document) -> dict[str, Builtins]:
    """The values of a document."""
    return from_fields(types.Document.pb(document).fields)
