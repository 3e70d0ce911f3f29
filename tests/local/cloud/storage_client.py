"""Google's own client of Cloud Storage, on the local cloud."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from requests import Session

from local.cloud import LocalCloud
from local.cloud.storage_request import HOST

PROJECT = "my-product"


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


@contextmanager
def storage_client(cloud: LocalCloud) -> Iterator[Client]:
    """The official client, on a local cloud."""
    with client_at(f"{cloud.http_address}/{HOST}") as client:
        yield client


def address(cloud: LocalCloud, path: str) -> str:
    """Where a path of the API is on this machine."""
    return f"{cloud.http_address}/{HOST}/{path}"
