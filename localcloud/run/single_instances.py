"""Cloud Run instances, the resource: google.cloud.run.v2.Instances, limited to listing.

They are made by a client, started, stopped and deleted, and not changed. Nothing runs in one.
"""

from google.cloud import run_v2

from localcloud.core.clock import Clock
from localcloud.core.messages import page
from localcloud.run import rules

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


class SingleInstances:
    """Serves ``google.cloud.run_v2.InstancesClient``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._instances: dict[str, run_v2.Instance] = {}

    def add(self, instance: run_v2.Instance) -> None:
        """Add an instance that someone created, by its full name."""
        rules.split_name(instance.name, "instances")
        made = run_v2.Instance(instance)
        made.create_time = self._clock.now()
        made.terminal_condition = rules.condition("CONDITION_SUCCEEDED", self._clock.now())
        self._instances[instance.name] = made

    def remove(self, name: str) -> None:
        """Remove one that someone deleted."""
        del self._instances[name]

    def list_instances(self, request: run_v2.ListInstancesRequest) -> run_v2.ListInstancesResponse:
        """The instances of one region, in order of name."""
        rules.check_parent(request.parent)
        prefix = f"{request.parent}/instances/"
        here = {name: one for name, one in self._instances.items() if name.startswith(prefix)}
        shown, token = page(here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)
        return run_v2.ListInstancesResponse(instances=shown, next_page_token=token)
