"""Firestore's databases: there while they hold something, and gone with all of it."""

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.firestore_admin_v1 import FirestoreAdminClient

from localcloud import LocalCloud
from shared.clients import Clients
from shared.decision import Saving
from shared.state import State

pytestmark = pytest.mark.one_python

DATABASE = "projects/my-product/databases/caretaker"


def test_a_database_is_there_while_it_holds_something() -> None:
    with LocalCloud() as cloud:
        clients = {project: Clients(project, endpoint=cloud.address) for project in ("my-product", "another")}
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
