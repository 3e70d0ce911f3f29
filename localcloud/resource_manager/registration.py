"""Resource Manager in the local cloud."""

from localcloud.core.service import Later, Service
from localcloud.resource_manager.service import ResourceManager

RESOURCE_MANAGER = Service(
    lambda _: ResourceManager(),
    transports=(Later("google.cloud.resourcemanager_v3.services.projects", "Projects"),),
    add_project=lambda projects, project_id, _: projects.add_project(project_id),
)
