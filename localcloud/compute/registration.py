"""Compute Engine in the local cloud."""

from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.service import Service

INSTANCE_GROUPS = Service(
    lambda cloud: InstanceGroups(cloud.clock),
    is_http=True,
    needs_billing=True,
    add_project=lambda groups, project_id, _: groups.add_project(project_id),
)
