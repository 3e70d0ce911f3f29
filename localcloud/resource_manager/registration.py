"""Resource Manager in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.resource_manager.service import ResourceManager

RESOURCE_MANAGER = Service(
    lambda cloud: ResourceManager(cloud.operations),
    transports=(Api("google.cloud.resourcemanager_v3.services.projects", "Projects"),),
    surfaces=(("localcloud.resource_manager.v1", "V1"),),
    add_project=lambda projects, project_id, _: projects.add_project(project_id),
)
