"""Logs as Cloud Logging reads them from standard output: one JSON object a line, linked to its trace."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TypedDict

from opentelemetry import trace
from opentelemetry.trace import format_span_id, format_trace_id

SEVERITIES = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARNING",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "CRITICAL",
}


class HttpRequest(TypedDict):
    """A request, in the fields that Cloud Logging shows it by.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest
    """

    requestMethod: str
    requestUrl: str
    status: int
    latency: str
    userAgent: str


class JsonFormatter(logging.Formatter):
    """Makes one line of a record."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """The record with its severity, its trace, and the request that it is about."""
        entry: dict[str, object] = {
            "severity": SEVERITIES.get(record.levelno, "DEFAULT"),
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
        }
        entry |= self._trace()
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        if request := getattr(record, "http_request", None):
            entry["httpRequest"] = request
        return json.dumps(entry, ensure_ascii=False)

    def _trace(self) -> dict[str, object]:
        """The fields that Cloud Logging links an entry to its trace by; none outside of a request.

        https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields
        """
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        identifier = format_trace_id(context.trace_id)
        return {
            "logging.googleapis.com/trace": f"projects/{self._project}/traces/{identifier}"
            if self._project
            else identifier,
            "logging.googleapis.com/spanId": format_span_id(context.span_id),
            "logging.googleapis.com/trace_sampled": context.trace_flags.sampled,
        }


def log_to_standard_output(project: str) -> None:
    """Have everything that logs in this process do so in JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(project))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
