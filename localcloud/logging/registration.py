"""Cloud Logging in the local cloud."""

from localcloud.core.service import Later, Service
from localcloud.logging.service import Logging

LOGGING = Service(
    lambda cloud: Logging(cloud.clock),
    transports=(Later("google.cloud.logging_v2.services.logging_service_v2", "LoggingServiceV2"),),
)
