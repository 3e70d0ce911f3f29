"""The reports of `doctor` on the dependents of a secret before a rotation starts."""

from google.cloud import run_v2
from google.cloud.secretmanager_v1 import Rotation

from infra.deploy.doctor.findings import CheckContext, run_check
from infra.deploy.doctor.rotations import dependents_of_secrets
from tests.infra.deploy.stage import Stage, all_is_well, example

REGION = "projects/my-product/locations/europe-west1"
KEY = "projects/my-product/secrets/session"
DIGEST = "example.com/app@sha256:" + "1" * 64


def owner() -> dict[str, object]:
    rotated = {
        "secrets": {"session": {"secret": KEY, "every_days": 30, "value": {"kind": "random"}}},
        "dependents_in": [{"project": "my-product", "region": "europe-west1"}],
    }
    return {**example(), "rotate_secrets": rotated}


def found(stage: Stage) -> list[tuple[str, str]]:
    context = CheckContext(stage.suite, stage.target).for_one_run()
    return [(str(one.status), one.what) for one in run_check(dependents_of_secrets, context)]


def add_service(stage: Stage, service_id: str, image: str) -> None:
    source = {"secret_key_ref": {"secret": "session", "version": "1"}}
    container = {"image": image, "env": [{"name": "KEY", "value_source": source}]}
    stage.target.clients.of(run_v2.ServicesClient).create_service(
        parent=REGION, service_id=service_id, service=run_v2.Service(template={"containers": [container]})
    )


def test_images_that_are_tags_are_reported_before_anything_is_added() -> None:
    with all_is_well(owner()) as stage:
        assert found(stage) == [("ok", f"{KEY}: nothing in dependents_in refers to it")]
        add_service(stage, "api", "example.com/app:latest")
        why = "its image is a tag, so moving it might deploy new code (roll_tags)"
        assert found(stage) == [
            ("PROBLEM", f"{KEY} is not rotated, as {REGION}/services/api cannot be moved: {why}"),
        ]
        add_service(stage, "web", DIGEST)
        assert found(stage) == [
            ("warning", f"{REGION}/services/api keeps its version of {KEY}: {why}"),
            ("ok", f"{KEY}: 1 dependent can be moved"),
        ]


def test_what_google_rotates_is_said() -> None:
    with all_is_well(owner()) as stage:
        stage.cloud.secrets.set_managed_rotation(KEY, Rotation.ManagedRotationStatus.State.ACTIVE)
        assert found(stage) == [
            ("ok", f"{KEY} is rotated by Google (managed rotation): rotate_secrets leaves it alone"),
        ]
