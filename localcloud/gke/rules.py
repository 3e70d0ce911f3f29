"""GKE's names and validation."""

import re
from hashlib import sha256

import grpc
from google.cloud import container_v1

from localcloud.core.messages import invalid, project_number
from localcloud.core.server import ApiError

CONTAINER = "https://container.googleapis.com/v1"
# https://cloud.google.com/kubernetes-engine/quotas
MOST_NODES = 1000  # in a zone of a node pool
MOST_NODES_OF_A_CLUSTER = 15_000

LOCATION = re.compile(r"projects/[^/]+/locations/[^/]+")
CLUSTER = re.compile(r"(projects/[^/]+/locations/[^/]+)/clusters/([^/]+)")
NODE_POOL = re.compile(r"(projects/[^/]+/locations/[^/]+/clusters/[^/]+)/nodePools/([^/]+)")
OPERATION = re.compile(r"(projects/[^/]+/locations/[^/]+)/operations/([^/]+)")
ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST_ID = 40
ZONE = re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]")
EVERY_LOCATION = "-"
ZONES_OF_REGIONS = {"europe-west1": "bcd", "us-east1": "bcd"}
"""The zones of regions in which they are not a, b and c."""

PER_ZONE = ("min_node_count", "max_node_count")
TOTAL = ("total_min_node_count", "total_max_node_count")


def split_cluster(name: str) -> tuple[str, str]:
    """The location's full name and the id in a cluster's name. Raises INVALID_ARGUMENT."""
    return _split(CLUSTER, name, "projects/*/locations/*/clusters/*")


def split_node_pool(name: str) -> tuple[str, str]:
    """The cluster's full name and the id in a node pool's name. Raises INVALID_ARGUMENT."""
    return _split(NODE_POOL, name, "projects/*/locations/*/clusters/*/nodePools/*")


def split_operation(name: str) -> tuple[str, str]:
    """The location's full name and the id in an operation's name. Raises INVALID_ARGUMENT."""
    return _split(OPERATION, name, "projects/*/locations/*/operations/*")


def prefix_of(location: str) -> str:
    """The prefix of all names in a location (given by its full name); ``-`` is every location of the project.

    Raises INVALID_ARGUMENT.
    """
    if not LOCATION.fullmatch(location):
        raise invalid(f'Invalid parent "{location}": must have the form "projects/*/locations/*".')
    locations, _, place = location.rpartition("/")
    return f"{locations if place == EVERY_LOCATION else location}/"


def cluster_of(name: str) -> str:
    """The full name of a cluster, by its own or by that of one of its node pools."""
    return name.partition("/nodePools/")[0]


def not_found(name: str) -> ApiError:
    """The error for what is not there."""
    _, _, pool = name.partition("/nodePools/")
    what = f'node pool "{pool}" not found' if pool else _below(name)
    return ApiError(grpc.StatusCode.NOT_FOUND, f"Not found: {what}.")


def already_exists(name: str) -> ApiError:
    """The error for what is there already."""
    return ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Already exists: {_below(name)}.")


def check_etag(given: str, current: str) -> None:
    """Refuse (ABORTED) a write to something that has been written since it was read."""
    if given and given != current:
        raise ApiError(grpc.StatusCode.ABORTED, f"Etag {given} does not match the current etag {current}.")


def check_id(resource_id: str, kind: str) -> None:
    """Refuse an id that a cluster or a node pool cannot have."""
    if len(resource_id) > LONGEST_ID or not ID.fullmatch(resource_id):
        raise invalid(
            f'Invalid {kind} name "{resource_id}": lowercase letters, digits and hyphens, beginning with a letter, '
            f"not ending with a hyphen, and at most {LONGEST_ID} characters."
        )


def link(name: str, *, by_number: bool = False) -> str:
    """The URL of something: below ``zones`` where its cluster is zonal. Operations' links name projects by number."""
    project = name.split("/")[1]
    below = _below(name)
    return f"{CONTAINER}/{below.replace(project, project_number(project), 1) if by_number else below}"


def _below(name: str) -> str:
    _, project, _, location, *rest = name.split("/")
    below = "zones" if ZONE.fullmatch(location) else "locations"
    return "/".join(("projects", project, below, location, *rest))


def zones_chosen(location: str) -> list[str]:
    """The zones that GKE chooses for a new cluster: its own, or three of its region, which it does not sort."""
    if ZONE.fullmatch(location):
        return [location]
    zones = ZONES_OF_REGIONS.get(location, "abc")
    return [f"{location}-{zone}" for zone in (zones[-1], *zones[:-1])]


def zones_of(location: str, wanted: list[str]) -> list[str]:
    """The zones of a node pool in a cluster at a location: those that are wanted, or one. Refuses zones elsewhere."""
    default = location if ZONE.fullmatch(location) else f"{location}-b"
    region = default.rpartition("-")[0]
    for zone in wanted:
        if not ZONE.fullmatch(zone) or zone.rpartition("-")[0] != region:
            raise invalid(f'Invalid locations: "{zone}" is not a zone of region "{region}".')
    if len(set(wanted)) < len(wanted):
        raise invalid(f"Invalid locations: {', '.join(wanted)} names a zone twice.")
    return wanted or [default]


def group_name(node_pool: str, zone: str) -> str:
    """The name of the instance group of a node pool in a zone: at most 63 characters, for which long ids are cut."""
    cluster, pool_id = split_node_pool(node_pool)
    digest = sha256(f"{node_pool}/{zone}".encode()).hexdigest()[:8]
    return f"gke-{split_cluster(cluster)[1][:22]}-{pool_id[:22]}-{digest}-grp"


def check_node_count(count: int) -> None:
    """Refuse a number of nodes (in each zone) that a node pool cannot have."""
    if count < 0:
        raise invalid(f"Node_count must be non-negative, got {count}.")
    if count > MOST_NODES:
        raise invalid(f"Node_count {count} is more than {MOST_NODES}, the most nodes in a zone of a node pool.")


def check_autoscaling(autoscaling: container_v1.NodePoolAutoscaling) -> None:
    """Refuse bounds that contradict each other."""
    given = {name: getattr(autoscaling, name) for name in (*PER_ZONE, *TOTAL)}
    for name, count in given.items():
        if count < 0:
            raise invalid(f"NodePool.autoscaling.{name} must be non-negative, got {count}.")
        most = MOST_NODES if name in PER_ZONE else MOST_NODES_OF_A_CLUSTER
        if count > most:
            raise invalid(f"NodePool.autoscaling.{name} must be at most {most}, got {count}.")
    if any(given[name] for name in PER_ZONE) and any(given[name] for name in TOTAL):
        raise invalid(f"NodePool.autoscaling: {' and '.join(TOTAL)} exclude {' and '.join(PER_ZONE)}.")
    for low, high in (PER_ZONE, TOTAL):
        if given[low] > given[high]:
            raise invalid(f"NodePool.autoscaling.{low} ({given[low]}) must not be greater than {high} ({given[high]}).")
    if autoscaling.enabled and not any(given[name] for _, name in (PER_ZONE, TOTAL)):
        raise invalid("NodePool.autoscaling.max_node_count must be greater than zero while autoscaling is enabled.")


def filled_in(autoscaling: container_v1.NodePoolAutoscaling) -> container_v1.NodePoolAutoscaling:
    """Autoscaling as it is kept: with the location policy that GKE documents as the default."""
    kept = container_v1.NodePoolAutoscaling(autoscaling)
    if kept.enabled and not kept.location_policy:
        kept.location_policy = container_v1.NodePoolAutoscaling.LocationPolicy.BALANCED
    return kept


def _split(pattern: re.Pattern[str], name: str, form: str) -> tuple[str, str]:
    found = pattern.fullmatch(name)
    if not found:
        raise invalid(f'Invalid resource name "{name}": must have the form "{form}".')
    return found[1], found[2]
