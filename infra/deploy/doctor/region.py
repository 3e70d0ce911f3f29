"""Whether the suite's region has all services, and its quotas leave room for the functions."""

from collections.abc import Iterable, Mapping

import msgspec

from infra.deploy.doctor.findings import CheckContext, Finding, ok, problem, warning
from infra.deploy.quotas import REQUEST, UNLIMITED, limit
from infra.suite.automations import Function, load_functions
from shared.clients import Clients
from shared.rest import get

LOCATIONS = {
    "Cloud Run functions": "https://cloudfunctions.googleapis.com/v2",
    "Cloud Scheduler": "https://cloudscheduler.googleapis.com/v1",
    "Artifact Registry": "https://artifactregistry.googleapis.com/v1",
}
"""The services created in the region, and the API that lists their regions: GET /projects/PROJECT/locations."""
FIRESTORE = "https://firestore.googleapis.com/v1"
SECOND_GENERATION = "GEN_2"

RUN = "run.googleapis.com"
CPU, MEMORY = "CpuAllocPerProjectRegion", "MemAllocPerProjectRegion"
"""In thousandths of a vCPU, and in bytes, of all instances of Cloud Run in a region. A service may not have more
instances than would fit: https://docs.cloud.google.com/run/docs/configuring/max-instances-limits."""
CPU_OF_AN_INSTANCE = 1000
"""`available_cpu` in infra/terraform/modules/automation."""
UNITS = {"Mi": 2**20, "Gi": 2**30}


class _Metadata(msgspec.Struct):
    environments: tuple[str, ...] = (SECOND_GENERATION,)
    """Of Cloud Functions alone: https://docs.cloud.google.com/functions/docs/reference/rest/v2/projects.locations/list."""


class _Location(msgspec.Struct, rename="camel"):
    location_id: str
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Locations(msgspec.Struct, rename="camel"):
    locations: list[_Location] = []
    next_page_token: str = ""


def region(context: CheckContext) -> Iterable[Finding]:
    """Whether the region has all services."""
    clients, deployment = context.target.clients, context.suite.deployment
    here = deployment.region
    regions = {service: _regions(clients, api, deployment.project) for service, api in LOCATIONS.items()}
    lacking = [service for service, known in regions.items() if here not in known]
    if lacking:
        others = _nearest(here, set[str].intersection(*regions.values()))
        yield problem(f"{here} has no {', no '.join(lacking)}", f"region in deployment.yaml: such as {others}")
    else:
        yield ok(f"{here} has {', '.join(regions)}")
    database = deployment.firestore_location or here
    databases = _regions(clients, FIRESTORE, deployment.project)
    if database in databases:
        yield ok(f"Firestore can be in {database}")
    else:
        others = _nearest(database, databases)
        yield problem(f"Firestore cannot be in {database}", f"firestore_location in deployment.yaml: such as {others}")


def quotas_of_functions(context: CheckContext) -> Iterable[Finding]:
    """Whether the quotas of Cloud Run leave room for the functions."""
    functions = load_functions()
    deployed = {name: functions[name] for name in context.suite.automations}
    cpu = {name: CPU_OF_AN_INSTANCE * one.max_instances for name, one in deployed.items()}
    memory = {name: _bytes(one) * one.max_instances for name, one in deployed.items()}
    yield _room(context, CPU, cpu, 1000, "vCPU")
    yield _room(context, MEMORY, memory, 2**30, "GiB")


def _room(context: CheckContext, quota: str, wanted: Mapping[str, int], unit: int, unit_name: str) -> Finding:
    deployment = context.suite.deployment
    allowed = limit(context.target.clients, deployment.project, RUN, quota, {"region": deployment.region})
    what = f"Cloud Run's {quota} in {deployment.region}"
    fix = f"ask for more of {quota} at {REQUEST}?project={deployment.project}"
    if allowed is None:
        return problem(f"{what} could not be seen", f"look at {REQUEST}?project={deployment.project}")
    if allowed == UNLIMITED:
        return ok(f"{what} is not limited")
    limits = f"{what} is {allowed / unit:g} {unit_name}"
    most = max(wanted, key=lambda name: wanted[name])
    if wanted[most] > allowed:
        return problem(f"{limits}, and {most} is not deployed with less than {wanted[most] / unit:g}", fix)
    if sum(wanted.values()) > allowed:
        return warning(
            f"{limits}: with all instances at once the suite would need {sum(wanted.values()) / unit:g}", fix
        )
    return ok(f"{limits}, and the suite needs {sum(wanted.values()) / unit:g} at most")


def _bytes(function: Function) -> int:
    number, unit = function.memory[:-2], function.memory[-2:]
    return int(number) * UNITS[unit]


def _regions(clients: Clients, api: str, project: str) -> set[str]:
    found: set[str] = set()
    token = ""
    while True:
        address = f"{api}/projects/{project}/locations"
        answer = get(clients, address, {"pageToken": token} if token else {}, _Locations)
        found |= {one.location_id for one in answer.locations if SECOND_GENERATION in one.metadata.environments}
        token = answer.next_page_token
        if not token:
            return found


def _nearest(region: str, others: set[str]) -> str:
    """Some that would do, those of the same continent first."""
    continent = region.partition("-")[0]
    return ", ".join(sorted(others, key=lambda other: (not other.startswith(continent), other))[:3])
