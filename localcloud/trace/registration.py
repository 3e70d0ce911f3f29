"""Cloud Trace in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.trace.service import Trace

TRACE = Service(lambda _: Trace(), transports=(Api("google.cloud.trace_v2.services.trace_service", "TraceService"),))
