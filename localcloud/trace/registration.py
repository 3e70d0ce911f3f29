"""Cloud Trace in the local cloud."""

from localcloud.core.service import Api, Service
from localcloud.trace.service import Trace

TRACE = Service(lambda _: Trace(), transports=(Api("google.cloud.trace_v2.services.trace_service", "TraceService"),))
