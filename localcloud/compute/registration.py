"""Compute Engine in the local cloud."""

from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.service import Service

INSTANCE_GROUPS = Service(
    lambda _: InstanceGroups(),
    is_http=True,
    add_project=lambda groups, project_id, _: groups.add_project(project_id),
)
