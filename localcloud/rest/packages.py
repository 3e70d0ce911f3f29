"""Reads Google's http rules off the official packages: what ``rules.txt`` should contain."""

import importlib
import inspect
from collections.abc import Iterable, Iterator

from localcloud.core.transports import rpcs_of
from localcloud.rest.rules import Rule

DESCRIPTORS = "/v3/{name=projects/*}/metricDescriptors"
DESCRIPTOR = "/v3/{name=projects/*/metricDescriptors/**}"
RESOURCES = "/v3/{name=projects/*}/monitoredResourceDescriptors"
NO_REST = {
    "google.logging.v2.LoggingServiceV2": (
        "logging.googleapis.com",
        (
            ("POST", "/v2/entries:list", "ListLogEntries", "*"),
            ("POST", "/v2/entries:write", "WriteLogEntries", "*"),
            ("GET", "/v2/{parent=*/*}/logs", "ListLogs", ""),
            ("DELETE", "/v2/{log_name=projects/*/logs/*}", "DeleteLog", ""),
            ("GET", "/v2/monitoredResourceDescriptors", "ListMonitoredResourceDescriptors", ""),
        ),
    ),
    "google.logging.v2.ConfigServiceV2": (
        "logging.googleapis.com",
        (
            ("GET", "/v2/{parent=*/*}/sinks", "ListSinks", ""),
            ("POST", "/v2/{parent=*/*}/sinks", "CreateSink", "sink"),
            ("GET", "/v2/{sink_name=*/*/sinks/*}", "GetSink", ""),
            ("PUT", "/v2/{sink_name=*/*/sinks/*}", "UpdateSink", "sink"),
            ("PATCH", "/v2/{sink_name=projects/*/sinks/*}", "UpdateSink", "sink"),
            ("DELETE", "/v2/{sink_name=*/*/sinks/*}", "DeleteSink", ""),
        ),
    ),
    "google.monitoring.v3.MetricService": (
        "monitoring.googleapis.com",
        (
            ("GET", "/v3/{name=projects/*}/timeSeries", "ListTimeSeries", ""),
            ("POST", "/v3/{name=projects/*}/timeSeries", "CreateTimeSeries", "*"),
            ("POST", "/v3/{name=projects/*}/timeSeries:createService", "CreateServiceTimeSeries", "*"),
            ("GET", DESCRIPTORS, "ListMetricDescriptors", ""),
            ("POST", DESCRIPTORS, "CreateMetricDescriptor", "metric_descriptor"),
            ("GET", DESCRIPTOR, "GetMetricDescriptor", ""),
            ("DELETE", DESCRIPTOR, "DeleteMetricDescriptor", ""),
            ("GET", RESOURCES, "ListMonitoredResourceDescriptors", ""),
            ("GET", "/v3/{name=projects/*/monitoredResourceDescriptors/*}", "GetMonitoredResourceDescriptor", ""),
        ),
    ),
}
"""Services whose package has no REST transport. Rules from https://cloud.google.com/logging/docs/reference/v2/rest and
https://cloud.google.com/monitoring/api/ref_v3/rest."""


def rules_text(transports: Iterable[type]) -> str:
    """The rules of all RPCs of these transports, a line for each, sorted."""
    lines = {rule.line(host) for transport in transports for host, rule in _rules_of(transport)}
    return "".join(f"{line}\n" for line in sorted(lines))


def _rules_of(transport: type) -> Iterator[tuple[str, Rule]]:
    paths = {path.rpartition("/")[2]: path[1:] for path in (rpc.path for rpc in rpcs_of(transport))}
    service = next(path for path in paths.values() if path.endswith(f".{_name(transport)}/{path.rpartition('/')[2]}"))
    if no_rest := NO_REST.get(service.partition("/")[0]):
        host, of_service = no_rest
        for verb, template, method, body in of_service:
            yield host, Rule(verb, template, paths[method], body)
        return
    module = importlib.import_module(f"{transport.__module__.rpartition('.')[0]}.rest_base")
    base = getattr(module, f"_Base{_name(transport)}RestTransport")
    host = inspect.signature(base.__init__).parameters["host"].default
    for name, inner in vars(base).items():
        path = paths.get(name.removeprefix("_Base"))
        if path and hasattr(inner, "_get_http_options"):
            for option in inner._get_http_options():  # noqa: SLF001 - there is no other place for them
                yield host, Rule(option["method"].upper(), option["uri"], path, option.get("body", ""))


def _name(transport: type) -> str:
    return transport.__name__.removesuffix("GrpcTransport")
