"""The limit on Cloud Run is the service's: a revision's own maximum, which gcloud writes, does not lift it."""

import json
from typing import Any

from google.cloud.run_v2 import ServicesClient

from shared.report import Outcome
from tests.functions.cap_spending.examples import API, settings
from tests.functions.cap_spending.stage import Stage

LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}
URL = "/europe-west1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/my-product/services/api"


def run_services_update_max_instances(stage: Stage, value: int) -> None:
    """The request of ``gcloud run services update api --max-instances=VALUE``."""
    found: dict[str, Any] = json.loads(stage.cloud.http.answer("GET", URL, b"").body)
    template = found["spec"]["template"].setdefault("metadata", {})
    template.setdefault("annotations", {})["autoscaling.knative.dev/maxScale"] = str(value)
    assert stage.cloud.http.answer("PUT", URL, json.dumps(found).encode()).status == 200


def maxima(stage: Stage) -> tuple[int, int]:
    """The service's maximum, and its newest revision's."""
    service = stage.people.of(ServicesClient).get_service(name=API)
    return service.scaling.max_instance_count, service.template.scaling.max_instance_count


def test_a_limit_holds_against_a_revisions_maximum_and_leaves_that_alone() -> None:
    with Stage(settings(LIMIT)) as stage:
        assert stage.notify(412).outcome is Outcome.APPLIED
        run_services_update_max_instances(stage, 50)
        assert maxima(stage) == (1, 50)
        assert stage.tick(1).changes == ()
        assert (maxima(stage), API in stage.records.holds) == ((1, 50), True)  # not taken for a person's own maximum
        stage.command(after=1, type="undo")
        assert maxima(stage) == (20, 50)
