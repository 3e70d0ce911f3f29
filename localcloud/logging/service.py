"""Cloud Logging: google.logging.v2, what the functions have written to standard output, to be read with a filter."""

import json
import threading
from collections import deque
from typing import TYPE_CHECKING

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid
from localcloud.logging.filter import SEVERITIES, all_hold, parse_filter
from localcloud.logging.sinks import Sinks

if TYPE_CHECKING:
    from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse, LogEntry

KEPT = 10_000
"""Entries: older ones are dropped."""
LARGEST_PAGE = 1000
ELSEWHERE = frozenset({"httpRequest"})
"""Fields of a line that Google moves out of the payload, besides `severity` and those that begin with `MOVED`."""
MOVED = "logging.googleapis.com/"


class Logging:
    """Serves ``google.cloud.logging_v2``'s ``LoggingServiceV2Client``: reading alone."""

    def __init__(self, clock: Clock, sinks: Sinks) -> None:
        self._clock = clock
        self._sinks = sinks
        self._entries: deque[dict[str, object]] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.Lock()

    def write_line(self, project: str, service: str, line: bytes, *, location: str = "", revision: str = "") -> None:
        """Take a line of a Cloud Run service's standard output as Cloud Run's agent does: JSON as fields, else text."""
        labels = {
            "project_id": project,
            "service_name": service,
            "configuration_name": service,
            **({"location": location} if location else {}),
            **({"revision_name": revision} if revision else {}),
        }
        with self._lock:
            self._count += 1
            entry: dict[str, object] = {
                "logName": f"projects/{project}/logs/run.googleapis.com%2Fstdout",
                "resource": {"type": "cloud_run_revision", "labels": labels},
                "timestamp": self._clock.now().isoformat(),
                "insertId": f"{self._count:012}",
            }
            entry |= payload(line)
            self._entries.append(entry)
        self._sinks.route(project, entry)

    def list_log_entries(self, request: "ListLogEntriesRequest") -> "ListLogEntriesResponse":
        """Entries of projects that a filter lets through, oldest first unless asked otherwise; one page of them."""
        from google.cloud.logging_v2.types import ListLogEntriesResponse

        if request.order_by not in {"", "timestamp asc", "timestamp desc"}:
            raise invalid(f"order_by {request.order_by!r} is not understood.")
        if not request.resource_names:
            raise invalid("At least one resource name must be specified.")
        comparisons = parse_filter(request.filter)
        logs = tuple(f"{name}/logs/" for name in request.resource_names)
        with self._lock:
            found = [
                entry
                for entry in self._entries
                if str(entry["logName"]).startswith(logs) and all_hold(comparisons, entry)
            ]
        if request.order_by == "timestamp desc":
            found.reverse()
        size = min(request.page_size or 50, LARGEST_PAGE)
        start = int(request.page_token or 0)
        more = str(start + size) if len(found) > start + size else ""
        shown = [_message(entry) for entry in found[start : start + size]]
        return ListLogEntriesResponse(entries=shown, next_page_token=more)


def payload(line: bytes) -> dict[str, object]:
    """The payload of a line: https://cloud.google.com/logging/docs/structured-logging#special-payload-fields.

    A message that is all there is of a line, but for what is moved out of the payload, is text. Of what is moved out
    only the severity is kept: the suite writes nothing else of it.
    """
    text = line.decode(errors="replace").rstrip("\n")
    try:
        fields = json.loads(text)
    except ValueError:
        return {"textPayload": text}
    if not isinstance(fields, dict):
        return {"textPayload": text}
    severity = str(fields.pop("severity", "DEFAULT"))
    entry: dict[str, object] = {"severity": severity if severity in SEVERITIES else "DEFAULT"}
    fields = {name: value for name, value in fields.items() if name not in ELSEWHERE and not name.startswith(MOVED)}
    is_text = fields.keys() == {"message"} and isinstance(fields["message"], str)
    return entry | ({"textPayload": fields["message"]} if is_text else {"jsonPayload": fields})


def _message(entry: dict[str, object]) -> "LogEntry":
    from google.cloud.logging_v2.types import LogEntry
    from google.protobuf.json_format import ParseDict

    message = LogEntry()
    ParseDict(entry, LogEntry.pb(message))
    return message
