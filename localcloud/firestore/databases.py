"""Firestore's databases: google.firestore.admin.v1. One is there when it was created, or holds something."""

import re
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
from google.longrunning.operations_pb2 import Operation

from localcloud.core.clock import Clock
from localcloud.core.messages import duration, invalid, merge, timestamp
from localcloud.core.operations import Operations
from localcloud.core.server import ApiError
from localcloud.firestore.service import Firestore

if TYPE_CHECKING:
    from google.cloud.firestore_admin_v1.types import (
        CreateDatabaseRequest,
        Database,
        DeleteDatabaseRequest,
        GetDatabaseRequest,
        ListDatabasesRequest,
        ListDatabasesResponse,
        UpdateDatabaseRequest,
    )

# https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases/create
ID = re.compile(r"\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]")
CHANGEABLE = frozenset(
    (
        *("type", "type_", "concurrency_mode", "app_engine_integration_mode", "point_in_time_recovery_enablement"),
        *("delete_protection_state", "tags"),
    )
)
KEPT = timedelta(hours=1)
"""Without point-in-time recovery, versions of documents are kept for an hour, and with it for a week."""


class FirestoreDatabases:
    """Serves ``google.cloud.firestore_admin_v1.FirestoreAdminClient``."""

    def __init__(self, firestore: Firestore, operations: Operations, clock: Clock) -> None:
        self._firestore = firestore
        self._operations = operations
        self._clock = clock
        self._databases: dict[str, Database] = {}
        self._lock = threading.RLock()

    def create_database(self, request: "CreateDatabaseRequest") -> Operation:
        """Create a database, which needs a location and a type."""
        from google.cloud.firestore_admin_v1.types import CreateDatabaseMetadata, Database

        name = f"{request.parent}/databases/{request.database_id}"
        if not ID.fullmatch(request.database_id):
            raise invalid(
                f"database_id: {request.database_id!r} is no id: 4 to 63 lower-case letters, digits, hyphens."
            )
        for field in ("location_id", "type_"):
            if not getattr(request.database, field):
                raise invalid(f"database.{field.rstrip('_')} is required.")
        with self._lock:
            if name in self._databases or name in self._firestore.databases():
                raise ApiError(
                    grpc.StatusCode.ALREADY_EXISTS, "Database already exists. Please use another database_id"
                )
            made = self._completed(Database(request.database), name)
            self._databases[name] = made
        return self._operations.start(
            name, lambda: Database.pb(made), metadata=CreateDatabaseMetadata.pb(CreateDatabaseMetadata())
        )

    def get_database(self, request: "GetDatabaseRequest") -> "Database":
        """One database."""
        with self._lock:
            return self._existing(request.name)

    def list_databases(self, request: "ListDatabasesRequest") -> "ListDatabasesResponse":
        """The databases of a project."""
        from google.cloud.firestore_admin_v1.types import ListDatabasesResponse

        with self._lock:
            names = sorted({*self._databases, *self._firestore.databases()})
            here = [self._existing(name) for name in names if name.startswith(f"{request.parent}/databases/")]
            return ListDatabasesResponse(databases=here)

    def update_database(self, request: "UpdateDatabaseRequest") -> Operation:
        """Change the masked fields of a database."""
        from google.cloud.firestore_admin_v1.types import Database, UpdateDatabaseMetadata

        paths = list(request.update_mask.paths)
        if fixed := set(paths) - CHANGEABLE:
            raise invalid(f"update_mask: {min(fixed)} cannot be changed.")
        with self._lock:
            changed = self._existing(request.database.name)
            _check_etag(request.database.etag, changed)
            merge(Database.pb(changed), Database.pb(request.database), paths)
            self._databases[changed.name] = self._completed(changed, changed.name)
        metadata = UpdateDatabaseMetadata.pb(UpdateDatabaseMetadata())
        return self._operations.start(changed.name, lambda: Database.pb(changed), metadata=metadata)

    def delete_database(self, request: "DeleteDatabaseRequest") -> Operation:
        """Delete a database with all that it holds. FAILED_PRECONDITION for one that is protected from it."""
        from google.cloud.firestore_admin_v1.types import Database

        with self._lock:
            gone = self._existing(request.name)
            _check_etag(request.etag, gone)
            if gone.delete_protection_state == Database.DeleteProtectionState.DELETE_PROTECTION_ENABLED:
                message = "Database is protected from deletion. Disable delete protection before deleting it."
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, message)
            self._databases.pop(request.name, None)
            self._firestore.drop(request.name)
        return self._operations.start(request.name, lambda: Database.pb(gone))

    def _existing(self, name: str) -> "Database":
        """A copy of a database. One that merely holds something has its name alone."""
        from google.cloud.firestore_admin_v1.types import Database

        if name in self._databases:
            return Database(self._databases[name])
        if name not in self._firestore.databases():
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Database '{name}' does not exist.")
        return Database(name=name)

    def _completed(self, database: "Database", name: str) -> "Database":
        """A database with what Firestore fills in, written now."""
        from google.cloud.firestore_admin_v1.types import Database

        raw, now = Database.pb(database), timestamp(self._clock.now())
        raw.name = name
        if not raw.uid:
            raw.uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{now.ToJsonString()}"))
            raw.create_time.CopyFrom(now)
        raw.update_time.CopyFrom(now)
        pessimistic = Database.ConcurrencyMode.PESSIMISTIC
        raw.concurrency_mode = raw.concurrency_mode or pessimistic
        disabled = Database.AppEngineIntegrationMode.DISABLED
        raw.app_engine_integration_mode = raw.app_engine_integration_mode or disabled
        unprotected = Database.DeleteProtectionState.DELETE_PROTECTION_DISABLED
        raw.delete_protection_state = raw.delete_protection_state or unprotected
        recovery = Database.PointInTimeRecoveryEnablement
        without = recovery.POINT_IN_TIME_RECOVERY_DISABLED
        raw.point_in_time_recovery_enablement = raw.point_in_time_recovery_enablement or without
        is_kept = raw.point_in_time_recovery_enablement == recovery.POINT_IN_TIME_RECOVERY_ENABLED
        raw.version_retention_period.CopyFrom(duration(KEPT * 7 * 24 if is_kept else KEPT))
        raw.database_edition = raw.database_edition or Database.DatabaseEdition.STANDARD
        raw.etag = uuid.uuid5(uuid.NAMESPACE_URL, f"{raw.uid}/{now.ToJsonString()}/{raw.SerializeToString()!r}").hex
        return database


def _check_etag(given: str, current: "Database") -> None:
    if given and given != current.etag:
        raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "The etag provided does not match the current etag.")
