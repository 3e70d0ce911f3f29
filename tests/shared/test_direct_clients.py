"""Clients without a wire: a read has a fixed number of attempts, so that no run depends on the machine's speed."""

from collections.abc import Callable

import pytest
from google.api_core.exceptions import PermissionDenied, RetryError
from google.cloud.run_v2 import ServicesClient
from grpc import StatusCode

from localcloud import LocalCloud
from shared.clients import Clients
from shared.direct_clients import ATTEMPTS, DirectClients
from shared.state import State
from tests.laws.probe import Switchboard

FOR_GOOD = 1_000


def list_services(clients: Clients) -> None:
    list(clients.of(ServicesClient).list_services(parent="projects/home/locations/europe-west1", **clients.reading))


def read_state(clients: Clients) -> None:
    State(clients).read("records/a")


@pytest.mark.parametrize("read", [list_services, read_state])
@pytest.mark.parametrize(
    ("code", "times", "raised", "calls"),
    [
        (StatusCode.UNAVAILABLE, ATTEMPTS - 1, None, ATTEMPTS),
        (StatusCode.UNAVAILABLE, FOR_GOOD, RetryError, ATTEMPTS),
        (StatusCode.PERMISSION_DENIED, FOR_GOOD, PermissionDenied, 1),
    ],
)
def test_a_read_that_fails(
    read: Callable[[Clients], None], code: StatusCode, times: int, raised: type[Exception] | None, calls: int
) -> None:
    cloud = LocalCloud()
    clients = DirectClients("home", cloud, watcher=Switchboard())
    cloud.server.fail("", code, times=times)
    if raised:
        with pytest.raises(raised):
            read(clients)
    else:
        read(clients)
    assert len(cloud.server.calls) == calls
    cloud.stop()
