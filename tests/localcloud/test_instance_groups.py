"""Compute's managed instance groups on the local cloud, over HTTP."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.cloud import container_v1

from localcloud import LocalCloud
from localcloud.core.server import ApiError

pytestmark = pytest.mark.one_python

PROJECT = "compute.googleapis.com/compute/v1/projects/demo-project"
CLUSTER = "projects/demo-project/locations/europe-west4/clusters/training"
GPU = f"{CLUSTER}/nodePools/gpu"
ZONES = ["europe-west4-a", "europe-west4-b"]


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        gpu = {"name": "gpu", "locations": ZONES, "initial_node_count": 2}
        cloud.gke.add_cluster(CLUSTER, container_v1.Cluster(node_pools=[gpu]))
        cloud.instance_groups.add_group("demo-project", "us-east1-c", "web-servers", 3)
        cloud.instance_groups.add_group("other-project", "us-east1-c", "theirs", 1)
        yield cloud


def get(cloud: LocalCloud, path: str, **parameters: object) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        query = {name: str(value) for name, value in parameters.items()}
        return session.get(f"{cloud.http_address}/{path}", params=query, timeout=10)


def listed(cloud: LocalCloud, **parameters: object) -> dict[str, Any]:
    answer = get(cloud, f"{PROJECT}/aggregated/instanceGroupManagers", **parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def groups_in(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of the groups in each scope that has any, hashes left out."""
    return {
        scope: [group["name"].split("-gpu-")[0] for group in found["instanceGroupManagers"]]
        for scope, found in answer["items"].items()
        if "instanceGroupManagers" in found
    }


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return error["code"], error["status"], error["message"]


def test_an_aggregated_list_names_every_scope(cloud: LocalCloud) -> None:
    answer = listed(cloud)
    assert answer["kind"] == "compute#instanceGroupManagerAggregatedList"
    assert answer["id"] == "projects/demo-project/aggregated/instanceGroupManagers"
    assert "nextPageToken" not in answer
    assert "unreachables" not in answer
    assert groups_in(answer) == {
        "zones/europe-west4-a": ["gke-training"],
        "zones/europe-west4-b": ["gke-training"],
        "zones/us-east1-c": ["web-servers"],
    }
    for scope in ("zones/us-central1-a", "regions/europe-west1"):
        assert answer["items"][scope] == {
            "warning": {
                "code": "NO_RESULTS_ON_PAGE",
                "message": f"There are no results for scope '{scope}' on this page.",
                "data": [{"key": "scope", "value": scope}],
            }
        }


def test_a_group(cloud: LocalCloud) -> None:
    found = get(cloud, f"{PROJECT}/zones/us-east1-c/instanceGroupManagers/web-servers").json()
    assert found == listed(cloud)["items"]["zones/us-east1-c"]["instanceGroupManagers"][0]
    zone = "https://www.googleapis.com/compute/v1/projects/demo-project/zones/us-east1-c"
    assert found.pop("id").isdecimal()
    actions = found.pop("currentActions")
    assert {action: count for action, count in actions.items() if count} == {"none": 3}
    assert {"creating", "deleting", "recreating", "abandoning", "restarting", "refreshing"} <= actions.keys()
    # The form of a real group of GKE, recorded in August 2025.
    assert found.pop("creationTimestamp") == "2026-10-31T17:00:00.000-07:00"
    template = (
        "https://www.googleapis.com/compute/v1/projects/demo-project/regions/us-east1/instanceTemplates/web-servers"
    )
    assert found.pop("versions") == [{"instanceTemplate": template, "targetSize": {"calculated": 3}}]
    assert found.pop("updatePolicy")["type"] == "OPPORTUNISTIC"
    assert found.pop("fingerprint").endswith("=")
    assert found.pop("instanceLifecyclePolicy")["defaultActionOnFailure"] == "REPAIR"
    assert found.pop("serviceAccount").endswith("@cloudservices.gserviceaccount.com")
    assert found == {
        "kind": "compute#instanceGroupManager",
        "instanceTemplate": template,
        "targetStoppedSize": 0,
        "targetSuspendedSize": 0,
        "listManagedInstancesResults": "PAGINATED",
        "standbyPolicy": {"mode": "MANUAL"},
        "satisfiesPzi": True,
        "satisfiesPzs": True,
        "name": "web-servers",
        "zone": zone,
        "selfLink": f"{zone}/instanceGroupManagers/web-servers",
        "instanceGroup": f"{zone}/instanceGroups/web-servers",
        "baseInstanceName": "web-servers",
        "targetSize": 3,
        "status": {
            "isStable": True,
            "allInstancesConfig": {"effective": True},
            "versionTarget": {"isReached": True},
            "stateful": {"isStateful": False, "hasStatefulConfig": False, "perInstanceConfigs": {"allEffective": True}},
        },
    }


def test_the_groups_of_a_node_pool_are_where_its_urls_say(cloud: LocalCloud) -> None:
    pool = cloud.gke.get_node_pool(container_v1.GetNodePoolRequest(name=GPU))
    for url, zone in zip(pool.instance_group_urls, ZONES, strict=True):
        path = url.removeprefix("https://www.googleapis.com/")
        found = get(cloud, f"compute.googleapis.com/{path}").json()
        assert (found["selfLink"], found["targetSize"]) == (url, 2)
        assert found["zone"].endswith(f"/{zone}")


@pytest.mark.parametrize(("count", "creating", "deleting", "kept"), [(5, 3, 0, 2), (0, 0, 2, 0), (1, 0, 1, 1)])
def test_a_group_that_is_being_resized(cloud: LocalCloud, count: int, creating: int, deleting: int, kept: int) -> None:
    cloud.gke.operation_delay = timedelta(minutes=1)
    cloud.gke.set_node_pool_size(container_v1.SetNodePoolSizeRequest(name=GPU, node_count=count))
    for zone in ZONES:
        (found,) = listed(cloud)["items"][f"zones/{zone}"]["instanceGroupManagers"]
        actions = found["currentActions"]
        assert (actions["creating"], actions["deleting"], actions["none"]) == (creating, deleting, kept)
        assert (found["targetSize"], found["status"]["isStable"]) == (count, False)
    cloud.clock.advance(timedelta(minutes=1))
    (found,) = listed(cloud)["items"]["zones/europe-west4-a"]["instanceGroupManagers"]
    assert (found["currentActions"]["none"], found["status"]["isStable"]) == (count, True)


def test_a_stock_out_shows_what_is_missing(cloud: LocalCloud) -> None:
    cloud.gke.stock_out("europe-west4-b")
    cloud.gke.set_node_pool_size(container_v1.SetNodePoolSizeRequest(name=GPU, node_count=5))
    answer = listed(cloud, fields="items/*/instanceGroupManagers(targetSize,currentActions/creating)")["items"]
    assert answer["zones/europe-west4-a"]["instanceGroupManagers"] == [
        {"targetSize": 5, "currentActions": {"creating": 0}}
    ]
    assert answer["zones/europe-west4-b"]["instanceGroupManagers"] == [
        {"targetSize": 5, "currentActions": {"creating": 3}}
    ]


def test_pages(cloud: LocalCloud) -> None:
    first = listed(cloud, maxResults=2)
    assert groups_in(first) == {"zones/europe-west4-a": ["gke-training"], "zones/europe-west4-b": ["gke-training"]}
    assert first["items"]["zones/us-east1-c"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"
    second = listed(cloud, maxResults=2, pageToken=first["nextPageToken"])
    assert groups_in(second) == {"zones/us-east1-c": ["web-servers"]}
    assert "nextPageToken" not in second


WEB_SERVERS = {"zones/us-east1-c": {"instanceGroupManagers": [{"name": "web-servers"}]}}
KIND = "compute#instanceGroupManagerAggregatedList"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("kind", {"kind": KIND}),
        ("kind,nextPageToken,unreachables", {"kind": KIND}),
        ("items/zones%2Fus-east1-c/instanceGroupManagers/name", {"items": WEB_SERVERS}),
        ("items(zones%2Fus-east1-c(instanceGroupManagers(name))),kind", {"items": WEB_SERVERS, "kind": KIND}),
    ],
)
def test_fields_select_a_part(cloud: LocalCloud, fields: str, expected: dict[str, object]) -> None:
    assert listed(cloud, fields=fields) == expected


def test_selections_add_up(cloud: LocalCloud) -> None:
    everything = listed(cloud)
    assert listed(cloud, fields="*") == everything
    one = "items/zones%2Fus-east1-c"
    parts = listed(cloud, fields=f"items/*/instanceGroupManagers/name,items/*/instanceGroupManagers(zone,name),{one}")
    assert parts["items"]["zones/us-east1-c"] == everything["items"]["zones/us-east1-c"]
    (gpu,) = parts["items"]["zones/europe-west4-a"]["instanceGroupManagers"]
    (whole,) = everything["items"]["zones/europe-west4-a"]["instanceGroupManagers"]
    assert gpu == {"name": whole["name"], "zone": whole["zone"]}
    path = f"{PROJECT}/zones/us-east1-c/instanceGroupManagers/web-servers"
    assert get(cloud, path, fields="targetSize,status/isStable").json() == {
        "targetSize": 3,
        "status": {"isStable": True},
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"maxResults": 0}, "maxResults"),
        ({"maxResults": 501}, "maxResults"),
        ({"maxResults": "many"}, "maxResults"),
        ({"pageToken": "next"}, "page_token"),
        ({"returnPartialSuccess": "maybe"}, "returnPartialSuccess"),
        ({"filter": "name eq web-servers"}, "does not know the query parameter 'filter'"),
        ({"fields": ""}, "not a list of fields"),
        ({"fields": "items,"}, "not a list of fields"),
        ({"fields": "items/*/instanceGroupManagers(name"}, "not a list of fields"),
        ({"fields": "items/*/instanceGroupManagers(name))"}, "not a list of fields"),
        ({"fields": "items//name"}, "not a list of fields"),
        ({"fields": "items, kind"}, "not a list of fields"),
        ({"fields": "item"}, "Invalid field selection item"),
        ({"fields": "items/*/instanceGroupManagers/target_size"}, "Invalid field selection target_size"),
        ({"fields": "kind/name"}, "Invalid field selection name"),
        ({"fields": "*/kind"}, "Invalid field selection *"),
        ({"fields": "kind/*"}, "Invalid field selection *"),
    ],
)
def test_what_a_list_refuses(cloud: LocalCloud, parameters: dict[str, object], message: str) -> None:
    answer = get(cloud, f"{PROJECT}/aggregated/instanceGroupManagers", **parameters)
    code, status, text = refusal(answer)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert message in text


def test_a_zone_that_cannot_be_reached(cloud: LocalCloud) -> None:
    cloud.instance_groups.unreachable.add("europe-west4-b")
    path = f"{PROJECT}/aggregated/instanceGroupManagers"
    for parameters in ({}, {"returnPartialSuccess": "false"}):
        code, status, text = refusal(get(cloud, path, **parameters))
        assert (code, status) == (503, "UNAVAILABLE")
        assert "europe-west4-b" in text
    answer = listed(cloud, returnPartialSuccess="true")
    assert answer["unreachables"] == ["projects/demo-project/zones/europe-west4-b"]
    assert "zones/europe-west4-b" not in answer["items"]
    assert groups_in(answer).keys() == {"zones/europe-west4-a", "zones/us-east1-c"}
    first = listed(cloud, returnPartialSuccess="true", maxResults=2)
    assert groups_in(first).keys() == {"zones/europe-west4-a", "zones/us-east1-c"}
    assert "nextPageToken" not in first
    assert refusal(get(cloud, f"{PROJECT}/zones/europe-west4-b/instanceGroupManagers/any"))[0] == 503
    cloud.instance_groups.unreachable.clear()
    assert "zones/europe-west4-b" in groups_in(listed(cloud))


def test_what_is_not_there(cloud: LocalCloud) -> None:
    unknown = PROJECT.replace("demo-project", "unknown-project")
    for path in ("aggregated/instanceGroupManagers", "zones/us-east1-c/instanceGroupManagers/web-servers"):
        code, status, text = refusal(get(cloud, f"{unknown}/{path}"))
        assert (code, status) == (404, "NOT_FOUND")
        assert "projects/unknown-project" in text
    name = "projects/demo-project/zones/us-east1-c/instanceGroupManagers/theirs"
    code, _, text = refusal(get(cloud, f"compute.googleapis.com/compute/v1/{name}"))
    assert (code, text) == (404, f"The resource '{name}' was not found")


def test_a_project_without_groups_has_an_empty_list(cloud: LocalCloud) -> None:
    cloud.instance_groups.add_project("empty-project")
    path = PROJECT.replace("demo-project", "empty-project")
    answer = get(cloud, f"{path}/aggregated/instanceGroupManagers").json()
    assert groups_in(answer) == {}
    assert answer["items"]


def test_a_group_is_added_once(cloud: LocalCloud) -> None:
    with pytest.raises(ApiError, match="already exists"):
        cloud.instance_groups.add_group("demo-project", "us-east1-c", "web-servers")
