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
def storage_client(cloud: LocalCloud) -> Iterator[Client]:
    """The official client, which tries nothing again but what it does of itself."""
    with Session() as session:
        session.trust_env = False
        yield Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            _http=session,
            client_options={"api_endpoint": f"{cloud.http_address}/{HOST}"},
        )


def address(cloud: LocalCloud, path: str) -> str:
    """Where a path of the API is on this machine."""
    return f"{cloud.http_address}/{HOST}/{path}"
