"""Firestore's databases: google.firestore.admin.v1, which are there while they hold something."""

from typing import TYPE_CHECKING

import grpc
from google.longrunning.operations_pb2 import Operation

from localcloud.core.operations import Operations
from localcloud.core.server import ApiError
from localcloud.firestore.service import Firestore

if TYPE_CHECKING:
    from google.cloud.firestore_admin_v1.types import (
        DeleteDatabaseRequest,
        ListDatabasesRequest,
        ListDatabasesResponse,
    )


class FirestoreDatabases:
    """Serves ``google.cloud.firestore_admin_v1.FirestoreAdminClient``."""

    def __init__(self, firestore: Firestore, operations: Operations) -> None:
        self._firestore = firestore
        self._operations = operations

    def list_databases(self, request: "ListDatabasesRequest") -> "ListDatabasesResponse":
        """The databases of a project."""
        from google.cloud.firestore_admin_v1.types import Database, ListDatabasesResponse

        names = [name for name in self._firestore.databases() if name.startswith(f"{request.parent}/databases/")]
        return ListDatabasesResponse(databases=[Database(name=name) for name in names])

    def delete_database(self, request: "DeleteDatabaseRequest") -> Operation:
        """Delete a database with all that it holds. NOT_FOUND if there is none."""
        from google.cloud.firestore_admin_v1.types import Database

        if not self._firestore.drop(request.name):
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Database '{request.name}' does not exist.")
        return self._operations.start(request.name, lambda: Database.pb(Database(name=request.name)))
