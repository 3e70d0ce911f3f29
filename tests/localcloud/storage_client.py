"""Google's own client of Cloud Storage, on the local cloud."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from requests import Session

from localcloud import LocalCloud
from localcloud.storage.request import HOST

PROJECT = "my-product"
PATIENCE_SECONDS = 30.0


@contextmanager
def client_at(url: str) -> Iterator[Client]:
    """The official client, of a Cloud Storage at this URL."""
    with Session() as session:
        session.trust_env = False
        yield Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            _http=session,
            client_options={"api_endpoint": url},
        )
        _end_its_threads()


def _end_its_threads() -> None:
    """Wait for what the client looks up by itself about buckets: without a server it would ask for two minutes."""
    for thread in threading.enumerate():
        if thread.name.endswith("_background)"):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), f"{thread.name} does not end"


@contextmanager
def storage_client(cloud: LocalCloud) -> Iterator[Client]:
    """The official client, on a local cloud."""
    with client_at(f"{cloud.http_address}/{HOST}") as client:
        yield client


def address(cloud: LocalCloud, path: str) -> str:
    """The URL of an API path on this machine."""
    return f"{cloud.http_address}/{HOST}/{path}"
