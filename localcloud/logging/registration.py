"""Cloud Logging in the local cloud."""

from localcloud.core.service import Api, Service
from localcloud.logging.service import Logging
from localcloud.logging.sinks import Sinks
from localcloud.pubsub.registration import PUBSUB

LOG_SINKS = Service(
    lambda cloud: Sinks(cloud.clock, cloud.of(PUBSUB)),
    transports=(Api("google.cloud.logging_v2.services.config_service_v2", "ConfigServiceV2"),),
)
LOGGING = Service(
    lambda cloud: Logging(cloud.clock, cloud.of(LOG_SINKS)),
    transports=(Api("google.cloud.logging_v2.services.logging_service_v2", "LoggingServiceV2"),),
)
