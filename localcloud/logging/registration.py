"""Cloud Logging in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
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
