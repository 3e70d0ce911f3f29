"""The product as a service of the local Cloud Run, with its traces sent to the local Cloud Trace."""

from datetime import UTC, datetime

import pytest
from google.cloud import run_v2

from local.product import image, until
from localcloud import LocalCloud
from shared.clients import Clients

pytestmark = pytest.mark.one_python

PARENT = "projects/my-product/locations/europe-west1"
IMAGE = "europe-west1-docker.pkg.dev/my-product/images/api@sha256:" + "a" * 64
REQUESTS = 50
STEP = 2**64 // REQUESTS


def test_one_trace_in_ten_arrives_though_the_front_end_says_no_and_the_service_ends_at_once() -> None:
    with LocalCloud(now=datetime(2026, 11, 15, 12, tzinfo=UTC)) as cloud:
        cloud.run.instances.know(IMAGE, image("4" * 40))
        clients = Clients("my-product", endpoint=cloud.address, http_endpoint=cloud.http_address)
        services = clients.of(run_v2.ServicesClient)
        shown = {
            "DATABASE_URL": "postgresql://unused@localhost/nothing",  # /health asks it nothing
            "GOOGLE_CLOUD_PROJECT": "my-product",
            "TRACE_ENDPOINT": cloud.address,
        }
        container = {"image": IMAGE, "env": [{"name": name, "value": value} for name, value in shown.items()]}
        request = {"parent": PARENT, "service_id": "api", "service": {"template": {"containers": [container]}}}
        service = services.create_service(request=request, retry=None, timeout=60).result(timeout=60)
        # Evenly over all that a trace's id can be, as TraceIdRatioBased looks at its lower half.
        traces = [f"{number * STEP + STEP // 2:032x}" for number in range(REQUESTS)]
        for trace in traces:
            declined = {"traceparent": f"00-{trace}-b7ad6b7169203331-00"}
            assert clients.public_session.get(clients.url(f"{service.uri}/health"), headers=declined).status_code == 200
        services.delete_service(name=f"{PARENT}/services/api", retry=None, timeout=60).result(timeout=60)
        clients.close()
        until(lambda: len(cloud.trace.spans) >= REQUESTS // 10, "the traces do not arrive")  # no call waits for its end
        spans = cloud.trace.spans
    assert [span.name.rpartition("/spans/")[0] for span in spans] == [
        f"projects/my-product/traces/{trace}" for trace in traces[: REQUESTS // 10]
    ]
    assert {span.display_name.value for span in spans} == {"GET /health"}
    assert {span.parent_span_id for span in spans} == {"b7ad6b7169203331"}
