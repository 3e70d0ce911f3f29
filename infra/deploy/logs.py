"""The reports of runs, as Cloud Logging has them."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from infra.deploy.target import Target
from shared.report import Report

if TYPE_CHECKING:
    from google.cloud.logging_v2.types import LogEntry

FUNCTIONS = 'resource.type="cloud_run_revision"'
EVERY_SECONDS = 2.0
"""Cloud Logging answers 60 reads a minute: https://cloud.google.com/logging/quotas."""
EVERY_SECONDS_HERE = 0.1
"""The local cloud answers as many as come."""


class _Payload(msgspec.Struct):
    report: Report


def report_of_message(target: Target, message_id: str, since: datetime) -> Report | None:
    """The newest report of a run that a message woke; None if there is none yet."""
    return _newest(target, f'jsonPayload.report.message_id="{message_id}"', since)


def newest_report(target: Target, automation: str, since: datetime) -> Report | None:
    """The newest report of an automation; None if it has not run since."""
    return _newest(target, f'jsonPayload.report.automation="{automation}"', since)


def wait_for(
    find: Callable[[], Report | None],
    seconds: float,
    *,
    every: float = EVERY_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Report | None:
    """The result of a repeated search within so many seconds; None if there was none."""
    deadline = time.monotonic() + seconds
    while (found := find()) is None and time.monotonic() < deadline:
        sleep(every)
    return found


def _newest(target: Target, condition: str, since: datetime) -> Report | None:
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

    request = {
        "resource_names": [f"projects/{target.project}"],
        "filter": f'{FUNCTIONS} AND {condition} AND timestamp>="{since.isoformat()}"',
        "order_by": "timestamp desc",
        "page_size": 1,
    }
    clients = target.clients
    pages = clients.of(LoggingServiceV2Client).list_log_entries(request=request, **clients.reading)
    entry = next(iter(pages), None)
    return None if entry is None else _report(entry)


def _report(entry: "LogEntry") -> Report:
    """The report in an entry. A protobuf struct holds every number as a double, so it is read leniently."""
    from google.protobuf.json_format import MessageToDict

    payload = MessageToDict(type(entry).pb(entry).json_payload)
    return msgspec.convert(payload, _Payload, strict=False).report
