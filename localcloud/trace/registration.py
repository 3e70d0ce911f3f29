"""Cloud Trace in the local cloud."""

from localcloud.core.service import Later, Service
from localcloud.trace.service import Trace

TRACE = Service(lambda _: Trace(), transports=(Later("google.cloud.trace_v2.services.trace_service", "TraceService"),))
