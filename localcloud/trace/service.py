"""Cloud Trace: google.devtools.cloudtrace.v2, the spans that are written to it."""

import threading
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty

from localcloud.core.messages import invalid

if TYPE_CHECKING:
    from google.cloud.trace_v2.types import BatchWriteSpansRequest, Span


class Trace:
    """Serves ``google.cloud.trace_v2.TraceServiceClient``, limited to batch writes of spans; it reads none."""

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}
        self._lock = threading.Lock()

    @property
    def spans(self) -> "list[Span]":
        """The spans that were written, by name: projects/PROJECT/traces/TRACE/spans/SPAN."""
        with self._lock:
            return [self._spans[name] for name in sorted(self._spans)]

    def batch_write_spans(self, request: "BatchWriteSpansRequest") -> Empty:
        """Keep spans of one project; one that is written twice is there once. INVALID_ARGUMENT for those of another."""
        for span in request.spans:
            if not span.name.startswith(f"{request.name}/traces/"):
                raise invalid(f"Span {span.name!r} is not of {request.name!r}.")
        with self._lock:
            self._spans |= {span.name: span for span in request.spans}
        return Empty()
