"""The reports of runs, as Cloud Logging has them."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from infra.deploy.target import Target
from shared.decoding import converted
from shared.report import Report
from shared.rest import Page, read

LIST = "google.logging.v2.LoggingServiceV2/ListLogEntries"
ENTRIES = "https://logging.googleapis.com/v2/entries:list"
FUNCTIONS = 'resource.type="cloud_run_revision"'
EVERY_SECONDS = 2.0
"""Cloud Logging answers 60 reads a minute: https://cloud.google.com/logging/quotas."""
EVERY_SECONDS_HERE = 0.1
"""The local cloud answers as many as come."""


PayloadT = TypeVar("PayloadT")


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """An entry with a structured line."""

    timestamp: datetime
    json_payload: dict[str, object]

    def as_type(self, type_: type[PayloadT]) -> PayloadT:
        """The line as a value. Cloud Logging holds every number as a double, so it is read leniently."""
        return converted(self.json_payload, type_, strict=False)


class _Entries(Page, frozen=True):
    entries: tuple[Entry, ...] = ()


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


def newest_entry(target: Target, condition: str, since: datetime) -> Entry | None:
    """The newest entry of the project since then that meets a condition; None if there is none.

    A page without entries ends the search only if it names no next one:
    https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list.
    """
    request: dict[str, object] = {
        "resourceNames": [f"projects/{target.project}"],
        "filter": f'{condition} AND timestamp>="{since.isoformat()}"',
        "orderBy": "timestamp desc",
        "pageSize": 1,
    }
    page = read(target.clients, LIST, ENTRIES, request, _Entries)
    while page.next_page_token and not page.entries:
        page = read(target.clients, LIST, ENTRIES, request | {"pageToken": page.next_page_token}, _Entries)
    return page.entries[0] if page.entries else None


def _newest(target: Target, condition: str, since: datetime) -> Report | None:
    entry = newest_entry(target, f"{FUNCTIONS} AND {condition}", since)
    return entry.as_type(_Payload).report if entry else None
