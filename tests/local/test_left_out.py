"""The parts of Google's client packages that are left out on a laptop."""

from importlib.util import module_from_spec

import pytest

from local.left_out import CLIENTS, LeftOut

pytestmark = pytest.mark.one_python


@pytest.mark.parametrize(
    "module",
    [
        "google.cloud.run_v2.services.services.async_client",
        "google.cloud.run_v2.services.services.transports.rest_base",
        "google.cloud.run_v2.services.services.transports.grpc_asyncio",
        "google.cloud.run_v2.services.builds",
        "google.cloud.monitoring_v3.services.uptime_check_service",
        "google.cloud.firestore_v1.async_client",
        "google.cloud.firestore_v1.client",
        "google.pubsub_v1.services.publisher.transports.rest",
        "google.api_core.gapic_v1.method_async",
        "google.auth.aio.transport",
        "google.oauth2.service_account",
        "grpc.aio",
        "google.pubsub_v1.services.schema_service",
        "charset_normalizer.api",
    ],
)
def test_a_class_that_is_left_out_says_so_when_it_is_used(module: str) -> None:
    finder = LeftOut()
    spec = finder.find_spec(module, None)
    assert spec
    found = module_from_spec(spec)
    finder.exec_module(found)
    with pytest.raises(NotImplementedError, match=rf"{module} is left out here: see local/left_out\.py"):
        found.ServicesAsyncClient()


def test_the_local_cloud_leaves_out_the_clients_of_its_own_services() -> None:
    finder = LeftOut(CLIENTS)
    for module in ("google.cloud.run_v2.services.services.client", "google.cloud.billing.budgets_v1.services"):
        found = finder.find_spec(module, None)
        assert found is not None
        assert found.submodule_search_locations == []  # it has modules, which are left out too
    assert finder.find_spec("google.cloud.run_v2.types.service", None) is None


@pytest.mark.parametrize(
    "module",
    [
        "google.cloud.run_v2.services.services",
        "google.cloud.run_v2.services.services.client",
        "google.cloud.run_v2.services.services.transports.grpc",
        "google.cloud.run_v2.types.build",
        "google.cloud.monitoring_v3.services.metric_service",
        "google.cloud.firestore_v1._compat",
        "google.cloud.firestore_v1.services",
        "google.cloud.firestore_v1.services.firestore.client",
        "google.cloud.firestore_v1.types",
        "google.api_core.rest_helpers",
        "google.auth.transport.grpc",
        "grpc._channel",
        "charset_normalizer",
        "charset_normalizer.version",
        "functions.cap_spending.async_client",
    ],
)
def test_the_rest_is_imported_as_ever(module: str) -> None:
    assert LeftOut().find_spec(module, None) is None
