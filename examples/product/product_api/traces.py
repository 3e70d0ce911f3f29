"""Tracing: which requests are traced, and where traces go."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from product_api.settings import Settings


def sampler(ratio: float) -> Sampler:
    """That part of all requests, and everything that our callers trace already.

    Google's front end sends a parent with nearly every request, and has decided against almost all of them: the usual
    ``parentbased_traceidratio`` would follow it and trace next to nothing. Its no is not taken for an answer.
    """
    root = TraceIdRatioBased(ratio)
    return ParentBased(root=root, remote_parent_not_sampled=root)


def make_provider(settings: Settings) -> TracerProvider:
    """The source of spans. Those that are exported go to Cloud Trace, with the account that the API runs as."""
    provider = TracerProvider(
        sampler=sampler(settings.trace_ratio), resource=Resource.create({"service.name": "product-api"})
    )
    if settings.exports_traces:
        provider.add_span_processor(BatchSpanProcessor(_exporter(settings)))
    return provider


def _exporter(settings: Settings) -> SpanExporter:
    from opentelemetry.exporter.cloud_trace import CloudTraceSpanExporter

    if not settings.trace_endpoint:
        return CloudTraceSpanExporter(project_id=settings.project or None)
    import grpc
    from google.cloud.trace_v2 import TraceServiceClient
    from google.cloud.trace_v2.services.trace_service.transports import TraceServiceGrpcTransport

    transport = TraceServiceGrpcTransport(channel=grpc.insecure_channel(settings.trace_endpoint))
    return CloudTraceSpanExporter(project_id=settings.project, client=TraceServiceClient(transport=transport))
