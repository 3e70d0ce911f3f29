"""The bucket of Terraform's state, which must be there before Terraform starts: made once, and left by `destroy`."""

import msgspec

from infra.suite.deployment import Deployment
from shared.clients import Clients
from shared.rest import get

JSON = {"Content-Type": "application/json"}
ADDRESS = "https://storage.googleapis.com/storage/v1/b"


class _Bucket(msgspec.Struct, rename="camel"):
    project_number: str


def is_there(clients: Clients, bucket: str) -> bool:
    """Whether a bucket exists. Raises what the call raises, also if the bucket belongs to someone else."""
    return bool(project_number(clients, bucket))


def project_number(clients: Clients, bucket: str) -> str:
    """The number of the project that a bucket is in; empty, if there is no such bucket. Raises what the call raises."""
    from google.api_core.exceptions import NotFound

    try:
        return get(clients, f"{ADDRESS}/{bucket}", {"fields": "projectNumber"}, _Bucket).project_number
    except NotFound:
        return ""


def create(clients: Clients, deployment: Deployment) -> None:
    """Make it: versioned, so that a state can be restored, and never public. Raises ``GoogleAPIError``."""
    from google.api_core.exceptions import from_http_response

    body = {
        "name": deployment.bucket,
        "location": deployment.region,
        "versioning": {"enabled": True},
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": True},
            "publicAccessPrevention": "enforced",
        },
        "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"numNewerVersions": 30}}]},
        "labels": {"managed_by": "caretaker"},
    }
    answer = clients.session.post(
        clients.url(ADDRESS),
        params={"project": deployment.project},
        data=msgspec.json.encode(body),
        headers=JSON,
        timeout=clients.writing["timeout"],
    )
    if not answer.ok:
        raise from_http_response(answer)


def create_command(deployment: Deployment) -> str:
    """The command that makes it by hand."""
    return (
        f"gcloud storage buckets create gs://{deployment.bucket} --project={deployment.project}"
        f" --location={deployment.region} --uniform-bucket-level-access --public-access-prevention"
    )
