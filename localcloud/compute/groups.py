"""Managed instance groups of single zones, as they are held and as the API tells them."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from localcloud.core.messages import project_number
from localcloud.core.partial_response import Selection

COMPUTE = "https://www.googleapis.com/compute/v1"
PACIFIC = ZoneInfo("America/Los_Angeles")
"""Of the times in Compute's answers."""

ACTIONS = (
    *("abandoning", "creating", "creatingWithoutRetries", "deleting", "none", "recreating", "refreshing"),
    *("restarting", "resuming", "starting", "stopping", "suspending", "verifying"),
)
GROUP_FIELDS: Selection = {
    **dict.fromkeys(("kind", "id", "name", "zone", "selfLink", "targetSize", "baseInstanceName", "instanceGroup")),
    **dict.fromkeys(("creationTimestamp", "fingerprint", "instanceTemplate", "listManagedInstancesResults")),
    **dict.fromkeys(("targetStoppedSize", "targetSuspendedSize", "serviceAccount", "satisfiesPzi", "satisfiesPzs")),
    "currentActions": dict.fromkeys(ACTIONS),
    "versions": {"instanceTemplate": None, "targetSize": {"calculated": None}},
    "status": {
        "isStable": None,
        "allInstancesConfig": {"effective": None},
        "versionTarget": {"isReached": None},
        "stateful": {"isStateful": None, "hasStatefulConfig": None, "perInstanceConfigs": {"allEffective": None}},
    },
    "standbyPolicy": {"mode": None},
    "updatePolicy": {
        **dict.fromkeys(("type", "minimalAction", "minReadySec", "replacementMethod")),
        **{key: {"fixed": None, "calculated": None} for key in ("maxSurge", "maxUnavailable")},
    },
    "instanceLifecyclePolicy": dict.fromkeys(("forceUpdateOnRepair", "defaultActionOnFailure", "onFailedHealthCheck")),
}


@dataclass
class InstanceGroup:
    """A managed instance group: ``running`` is how many instances it has, ``target_size`` how many it is to have."""

    name: str
    """In full: projects/PROJECT/zones/ZONE/instanceGroupManagers/NAME."""
    target_size: int
    running: int
    created: datetime

    @property
    def project(self) -> str:
        """The id of its project."""
        return self.name.split("/")[1]

    @property
    def zone(self) -> str:
        """The zone that it is in."""
        return self.name.split("/")[3]

    @property
    def url(self) -> str:
        """Its address, by which other resources name it."""
        return f"{COMPUTE}/{self.name}"

    @property
    def missing(self) -> int:
        """The number of instances still to be created."""
        return max(self.target_size - self.running, 0)


def resource(group: InstanceGroup) -> dict[str, object]:
    """A group in JSON. What it has and is not to have any more is being deleted."""
    zone_url = f"{COMPUTE}/projects/{group.project}/zones/{group.zone}"
    short_name = group.name.rpartition("/")[2]
    base_name = short_name.removesuffix("-grp")
    region = group.zone.rpartition("-")[0]
    template = f"{COMPUTE}/projects/{group.project}/regions/{region}/instanceTemplates/{base_name}"
    surplus = max(group.running - group.target_size, 0)
    actions = {"creating": group.missing, "deleting": surplus, "none": group.running - surplus}
    one_at_a_time = {"fixed": 1, "calculated": 1}
    return {
        "kind": "compute#instanceGroupManager",
        "id": str(int.from_bytes(sha256(group.name.encode()).digest()[:8])),
        "creationTimestamp": group.created.astimezone(PACIFIC).isoformat(timespec="milliseconds"),
        "name": short_name,
        "zone": zone_url,
        "selfLink": group.url,
        "instanceTemplate": template,
        "versions": [{"instanceTemplate": template, "targetSize": {"calculated": group.target_size}}],
        "instanceGroup": f"{zone_url}/instanceGroups/{short_name}",
        "baseInstanceName": base_name,
        "fingerprint": b64encode(sha256(f"{group.name}/{group.target_size}".encode()).digest()[:8]).decode(),
        "targetSize": group.target_size,
        "currentActions": {action: actions.get(action, 0) for action in ACTIONS},
        "status": {
            "isStable": group.running == group.target_size,
            "allInstancesConfig": {"effective": True},
            "versionTarget": {"isReached": True},
            "stateful": {"isStateful": False, "hasStatefulConfig": False, "perInstanceConfigs": {"allEffective": True}},
        },
        "targetStoppedSize": 0,
        "targetSuspendedSize": 0,
        "listManagedInstancesResults": "PAGINATED",
        "standbyPolicy": {"mode": "MANUAL"},
        "updatePolicy": {
            "type": "OPPORTUNISTIC",
            "minimalAction": "REPLACE",
            "minReadySec": 0,
            "maxSurge": one_at_a_time,
            "maxUnavailable": one_at_a_time,
            "replacementMethod": "SUBSTITUTE",
        },
        "serviceAccount": f"{project_number(group.project)}@cloudservices.gserviceaccount.com",
        "instanceLifecyclePolicy": {
            "forceUpdateOnRepair": "YES",
            "defaultActionOnFailure": "REPAIR",
            "onFailedHealthCheck": "DEFAULT_ACTION",
        },
        "satisfiesPzi": True,
        "satisfiesPzs": True,
    }
