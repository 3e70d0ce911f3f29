"""The first step of a run: a message becomes an event of its automation, or is ignored.

That needs the settings and `parse.py` alone, so the rest of an automation and of the engine is imported for the first
message of its own: a cold start for any other takes half as much of our code.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from cloudevents.http import CloudEvent

from shared.clients import Clients
from shared.errors import IgnoredMessage
from shared.events import Dated, PubsubMessage, is_superseded, read_message
from shared.report import Outcome, Report
from shared.runtime import Runtime
from shared.settings import Configuration, SectionT, from_environment

if TYPE_CHECKING:
    from shared.automation import Automation

EventT = TypeVar("EventT")


class Received(msgspec.Struct, Generic[EventT], frozen=True):
    """A message that an automation must act on."""

    message: PubsubMessage
    event: Dated[EventT]
    now: datetime
    report: Report
    """The report of its run, as far as that is known."""


def receive(
    automation: str,
    parse: Callable[[PubsubMessage, SectionT], EventT],
    settings: Configuration[SectionT],
    cloud_event: CloudEvent,
    runtime: Runtime,
) -> Received[EventT] | Report:
    """The event of a message; or the report of one that can never succeed, or that a newer one supersedes, written."""
    now = runtime.clock()
    report = Report(
        automation=automation,
        mode=settings.mode,
        at=now,
        event="unknown",
        message_id="",
        outcome=Outcome.IGNORED,
    )
    try:
        message = read_message(cloud_event)
        report = msgspec.structs.replace(
            report, message_id=message.message_id, event=f"a message by {message.topic.rpartition('/')[2]}"
        )
        event = Dated(parse(message, settings.section), message.message_id, message.published)
    except IgnoredMessage as ignored:
        return runtime.finish(msgspec.structs.replace(report, why=str(ignored)))
    report = msgspec.structs.replace(report, event=type(event.event).__name__)
    if is_superseded(event.event, event.published, now):
        why = "superseded: this tick is older than its period, and a newer one is due"
        return runtime.finish(msgspec.structs.replace(report, outcome=Outcome.UNCHANGED, why=why))
    return Received(message, event, now, report)


class EntryPoint(Generic[SectionT, EventT]):
    """An automation's function, for all messages of a process.

    Raises ``SettingsError`` at once if the settings are wrong, so that a function with wrong settings does not start.
    """

    def __init__(self, name: str, section: type[SectionT], parse: Callable[[PubsubMessage, SectionT], EventT]) -> None:
        self._name = name
        self._parse = parse
        self._settings = from_environment(name, section)
        self._runtime = Runtime(Clients.from_environment())

    def receive(self, cloud_event: CloudEvent) -> Received[EventT] | None:
        """The message in a CloudEvent; None if nothing is to be done about it, which has been reported."""
        received = receive(self._name, self._parse, self._settings, cloud_event, self._runtime)
        return received if isinstance(received, Received) else None

    def run(self, automation: "Automation[SectionT, EventT, Any, Any, Any]", received: Received[EventT]) -> None:
        """Do what the automation does about a message. Raises as ``run.carry_out`` does."""
        from shared.run import carry_out

        runtime = msgspec.structs.replace(self._runtime, patience=automation.patience)
        carry_out(automation, self._settings, received, runtime)
