"""Every case runs against the local cloud and, where it is installed, against Google's emulator, or fake-gcs-server."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from localcloud import LocalCloud
from localcloud.storage.request import HOST
from tests.conformance import emulators
from tests.conformance.clouds import Cloud, emulated, local_cloud
from tests.localcloud.inbox import Inbox, open_inbox
from tests.localcloud.messenger import Messenger
from tests.localcloud.storage_client import client_at
from tests.localcloud.store import Store

LOCAL_CLOUD = "local cloud"
EMULATOR = "Google's emulator"


@pytest.fixture
def project() -> str:
    """A project of its own for each case: an emulator keeps what other cases have left."""
    return f"case-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared_directory(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that the workers of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="package")  # idle, it would use the machine until the last test of all
def pubsub_emulator(shared_directory: Path) -> Iterator[str]:
    """The address of a Pub/Sub emulator."""
    yield from _emulator(emulators.PUBSUB, shared_directory)


@pytest.fixture(scope="package")  # idle, it would use the machine until the last test of all
def firestore_emulator(shared_directory: Path) -> Iterator[str]:
    """The address of a Firestore emulator."""
    yield from _emulator(emulators.FIRESTORE, shared_directory)


@pytest.fixture(scope="package")  # idle, it would use the machine until the last test of all
def fake_gcs_server(shared_directory: Path) -> Iterator[str]:
    """The address of a fake-gcs-server."""
    yield from _emulator(emulators.CLOUD_STORAGE, shared_directory)


def _emulator(emulator: emulators.Program, directory: Path) -> Iterator[str]:
    try:
        emulator.command()
    except emulators.EmulatorMissingError as missing:
        pytest.skip(str(missing))
    with emulators.shared(emulator, directory) as address:
        yield address


@pytest.fixture(params=[LOCAL_CLOUD, EMULATOR])
def pubsub(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A cloud that serves Pub/Sub."""
    yield from _cloud(request, "pubsub_emulator")


@pytest.fixture(params=[LOCAL_CLOUD, EMULATOR])
def firestore(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A cloud that serves Firestore."""
    yield from _cloud(request, "firestore_emulator")


@pytest.fixture(params=[LOCAL_CLOUD, pytest.param("fake-gcs-server", marks=pytest.mark.one_python)])
def storage(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a Cloud Storage."""
    if request.param != LOCAL_CLOUD:
        yield f"http://{request.getfixturevalue('fake_gcs_server')}"
        return
    with LocalCloud() as cloud:
        yield f"{cloud.http_address}/{HOST}"


@pytest.fixture
def bucket(storage: str, project: str) -> Iterator[Bucket]:
    """A bucket of its own for each case."""
    with client_at(storage) as client:
        yield client.create_bucket(project)


def _cloud(request: pytest.FixtureRequest, emulator: str) -> Iterator[Cloud]:
    if request.param != LOCAL_CLOUD:
        yield emulated(request.getfixturevalue(emulator))
        return
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
def messenger(pubsub: Cloud, project: str) -> Iterator[Messenger]:
    """Talks to Pub/Sub in a project with one topic, "ticks"."""
    messenger = Messenger(pubsub.address, project)
    messenger.create_topic()
    yield messenger
    messenger.clients.close()


@pytest.fixture
def inbox(pubsub: Cloud) -> Iterator[Inbox]:
    """Takes in pushes."""
    with open_inbox(pubsub.now) as inbox:
        yield inbox


@pytest.fixture
def store(firestore: Cloud, project: str) -> Iterator[Store]:
    """Talks to Firestore in an empty database."""
    store = Store(firestore.address, project)
    yield store
    store.clients.close()
