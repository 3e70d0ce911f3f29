"""The stage for `scale_gpu_pools`: a seeded local cloud, its runs, and what official clients see of the pools."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.cloud.container_v1 import ClusterManagerClient

from functions.scale_gpu_pools.automation import AUTOMATION
from functions.scale_gpu_pools.records import Records
from functions.scale_gpu_pools.settings import Settings
from shared.report import Report
from shared.restrictions import Restriction
from shared.settings import parse
from shared.state import State
from tests.functions.stage import AutomationStage, last_part

CLUSTER = "projects/my-product/locations/europe-west4/clusters/training"
GPU = f"{CLUSTER}/nodePools/gpu"
MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)  # at noon, in the hours below
HOURS: dict[str, object] = {"time_zone": "Etc/UTC", "windows": ["mon-fri 08:00-18:00"]}
QUEUE: dict[str, object] = {"kind": "pending_messages", "subscription": "projects/my-product/subscriptions/jobs"}
BOUNDS: dict[str, object] = {"enabled": True, "min_node_count": 1, "max_node_count": 4, "location_policy": "BALANCED"}
WORLD: dict[str, object] = {
    "projects": {
        "my-product": {
            "location": "europe-west4",
            "clusters": {
                "training": {
                    "node_pools": {
                        "gpu": {
                            "locations": ["europe-west4-a", "europe-west4-b"],
                            "node_count": 2,
                            "autoscaling": BOUNDS,
                        },
                        "cpu": {"node_count": 3},
                    }
                }
            },
        }
    }
}


def a_pool(**more: object) -> dict[str, object]:
    """One pool of the settings, as `caretaker.yaml` has it: the node pool ``gpu``, in its hours."""
    place = {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "gpu"}
    return {"node_pool": place, "size": 1, "hours": HOURS, "hourly_price": 2.0, **more}


def settings_of(**pools: object) -> Settings:
    """Settings with these pools, by key."""
    section = {"mode": "act", "pools": pools, "savings": {"currency": "USD"}}
    return parse({"scale_gpu_pools": section}, "scale_gpu_pools", Settings).section


class Stage(AutomationStage[Settings]):
    """A local cloud, seeded, and runs of `scale_gpu_pools` on it."""

    def __init__(
        self, settings: Settings | None = None, *, now: datetime = MONDAY, world: Mapping[str, Any] | None = None
    ) -> None:
        chosen = settings or settings_of(gpu=a_pool())
        super().__init__(AUTOMATION, chosen, now=now, world=WORLD if world is None else world)

    def tick(self, minutes: float = 5) -> Report:
        """Let minutes pass, and a tick come."""
        return self.push({"type": "tick", "every_seconds": 300}, minutes)

    def command(self, minutes: float = 0, **command: object) -> Report:
        """Let minutes pass, and a command come."""
        return self.push(command, minutes)

    def push(self, data: dict[str, object], minutes: float = 0) -> Report:
        """Take a message through a run, and answer its report; raises what the run raises."""
        self.advance(minutes=minutes)
        return self.deliver(data)

    def restrict(self, *, because: str | None) -> None:
        """Put the spending restriction in force, or lift it."""
        self.put_in_force(Restriction.GPU_POOLS_OFF, because)

    def resize_by_hand(self, nodes: int, name: str = GPU) -> None:
        """A person resizes a node pool."""
        self.people.of(ClusterManagerClient).set_node_pool_size(request={"name": name, "node_count": nodes})

    @property
    def records(self) -> Records:
        """The records."""
        return State(self.clients).read("records/scale_gpu_pools")[0].as_type(Records)

    @property
    def gpu(self) -> tuple[int, str]:
        """The nodes that run in the pool ``gpu``, and its autoscaling."""
        pool = self.people.of(ClusterManagerClient).get_node_pool(request={"name": GPU})
        said = pool.autoscaling
        bounds = f"{said.min_node_count}..{said.max_node_count}" if said.enabled else "off"
        return self.cloud.gke.size_of(GPU), bounds

    @property
    def calls(self) -> list[str]:
        """The methods of the last run's calls."""
        return last_part(super().calls)

    @property
    def mutating(self) -> list[str]:
        """The calls that changed something in Google Cloud other than our own state."""
        return last_part(super().mutating)
