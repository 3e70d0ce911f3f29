"""Parse messages: reports and jobs' outcomes from the topic of reports, ticks and commands from the inbox."""

from datetime import datetime

import msgspec
from msgspec.json import Decoder

from functions.notify_chat.commands import Status
from functions.notify_chat.log_entry import JobEntry, LogEntry, ReportEntry
from functions.notify_chat.settings import Settings
from shared.decoding import decoder_of
from shared.errors import IgnoredMessage
from shared.events import Command, PubsubMessage, Tick, decode, in_utc, is_from_inbox, read_inbox
from shared.report import Outcome


class Reported(msgspec.Struct, frozen=True):
    """An automation has reported a run."""

    report: ReportEntry


class JobEnded(msgspec.Struct, frozen=True):
    """A container job has ended."""

    job: JobEntry
    at: datetime


Event = Tick | Reported | JobEnded | Command
INBOX: Decoder[Tick | Status] = decoder_of(Tick | Status)
ENTRY = decoder_of(LogEntry)
OWN = "notify_chat"


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed, and for its own reports."""
    del settings
    if is_from_inbox(message, OWN):
        return read_inbox(message, INBOX)
    entry = decode(message.data, ENTRY)
    report, job = entry.json_payload.report, entry.json_payload.job
    if job:
        return JobEnded(job, in_utc(entry.timestamp, "timestamp"))
    if report is None or report.automation == OWN:
        raise IgnoredMessage("foreign: the log entry is neither a report of another automation nor the end of a job")
    if report.outcome is Outcome.IGNORED:
        raise IgnoredMessage("nothing to tell: the report is of a message that was ignored")
    in_utc(report.at, "report.at")
    return Reported(report)
