"""Service Usage in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.service_usage.service import ServiceUsage

SERVICE_USAGE = Service(
    lambda cloud: ServiceUsage(cloud.operations),
    transports=(Api("google.cloud.service_usage_v1.services.service_usage", "ServiceUsage"),),
)
