"""Firestore's databases: there when they were created or hold something, and gone with all of it."""

from datetime import timedelta

import pytest
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from google.cloud.firestore_admin_v1 import FirestoreAdminClient

from localcloud import LocalCloud
from shared.clients import Clients
from shared.decision import Saving
from shared.state import State

pytestmark = pytest.mark.one_python

DATABASE = "projects/my-product/databases/caretaker"


def test_a_database_is_there_while_it_holds_something() -> None:
    with LocalCloud() as cloud:
        clients = {
            project: Clients(project, endpoint=cloud.address, http_endpoint=cloud.http_address)
            for project in ("my-product", "another")
        }
        for one in clients.values():
            state = State(one)
            state.write(state.read("records/a")[0], Saving(1.0, "EUR"))
        admin = clients["my-product"].of(FirestoreAdminClient)
        assert [one.name for one in admin.list_databases(parent="projects/my-product").databases] == [DATABASE]
        assert admin.delete_database(name=DATABASE).result().name == DATABASE
        assert list(admin.list_databases(parent="projects/my-product").databases) == []
        assert State(clients["my-product"]).read("records/a")[0].fields is None
        assert State(clients["another"]).read("records/a")[0].fields
        with pytest.raises(NotFound, match="does not exist"):
            admin.delete_database(name=DATABASE)
        for one in clients.values():
            one.close()


def test_databases_are_created_changed_and_protected() -> None:
    with LocalCloud() as cloud:
        clients = Clients("my-product", endpoint=cloud.address, http_endpoint=cloud.http_address)
        admin = clients.of(FirestoreAdminClient)
        database = {
            "location_id": "europe-west1",
            "type_": "FIRESTORE_NATIVE",
            "delete_protection_state": "DELETE_PROTECTION_ENABLED",
        }
        request = {"parent": "projects/my-product", "database_id": "caretaker", "database": database}
        created = admin.create_database(request=request).result()
        assert (created.name, created.location_id, created.version_retention_period) == (
            *(DATABASE, "europe-west1"),
            timedelta(hours=1),
        )
        with pytest.raises(AlreadyExists):
            admin.create_database(request=request)
        with pytest.raises(InvalidArgument, match="location_id is required"):
            admin.create_database(request={**request, "database": {"type_": "FIRESTORE_NATIVE"}})
        with pytest.raises(FailedPrecondition, match="protected"):
            admin.delete_database(name=DATABASE)
        unprotected = {"name": DATABASE, "delete_protection_state": "DELETE_PROTECTION_DISABLED"}
        mask = {"paths": ["delete_protection_state"]}
        admin.update_database(request={"database": unprotected, "update_mask": mask}).result()
        changed = admin.get_database(name=DATABASE)
        assert (changed.uid, changed.etag != created.etag) == (created.uid, True)
        with pytest.raises(FailedPrecondition, match="etag"):
            admin.delete_database(request={"name": DATABASE, "etag": created.etag})
        admin.delete_database(name=DATABASE).result()
        with pytest.raises(NotFound):
            admin.get_database(name=DATABASE)
        clients.close()
