"""The functions deployed on the local cloud, listed and replaced over HTTP."""

from collections.abc import Sequence

import msgspec
import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError

from infra.deploy.provisioning import FUNCTIONS
from infra.deploy.resources import Function
from local.functions_api import FunctionsApi
from localcloud import LocalCloud
from shared.clients import Clients
from shared.rest import get, post

pytestmark = pytest.mark.one_python

NAME = "projects/my-product/locations/europe-west1/functions/caretaker-cap-spending"


def test_functions_are_listed_and_replaced() -> None:
    deployed: list[Function] = []

    def deploy(functions: Sequence[Function]) -> None:
        if any(not one.settings for one in functions):
            raise RuntimeError("the functions did not start: no settings")
        deployed[:] = functions

    with LocalCloud() as cloud:
        cloud.http.add(FunctionsApi(lambda: deployed, deploy))
        clients = Clients("my-product", http_endpoint=cloud.http_address)
        function = Function(name=NAME, bundle="cap_spending-0.zip", settings={"mode": "act"})
        assert get(clients, FUNCTIONS, {}, list[Function]) == []
        for wanted in ([function], [], [function]):
            post(clients, FUNCTIONS, msgspec.json.encode(wanted), "application/json")
            assert get(clients, FUNCTIONS, {}, list[Function]) == wanted
        with pytest.raises(BadRequest, match="no list of functions: Object missing required field"):
            post(clients, FUNCTIONS, b'[{"type": "Function"}]', "application/json")
        empty = msgspec.structs.replace(function, settings={})
        with pytest.raises(GoogleAPICallError, match="the functions did not start: no settings"):
            post(clients, FUNCTIONS, msgspec.json.encode([empty]), "application/json")
        assert deployed == [function]
        clients.close()
