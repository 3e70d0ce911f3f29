"""One run: wake -> parse -> fold -> [ read -> settle -> plan -> guard -> intend -> apply ]* -> report."""

from collections.abc import Callable
from typing import Any

import msgspec
from cloudevents.http import CloudEvent

from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.errors import IgnoredMessage, RunFailed, cloud_errors, in_words
from shared.events import Dated, is_superseded, read_message
from shared.report import Outcome, Report, with_changes
from shared.runtime import Runtime
from shared.settings import Configuration, from_environment
from shared.steps import Steps


def entry_point(automation: AnyAutomation, *, patience: float = 0.0) -> Callable[[CloudEvent], None]:
    """The function that answers an automation's CloudEvents, waiting ``patience`` seconds for what is in flight.

    Raises ``SettingsError`` at once if the settings are wrong, so that a function with wrong settings does not start.
    """
    settings = from_environment(automation.name, automation.section)
    runtime = Runtime(Clients.from_environment(), patience=patience)

    def answer(cloud_event: CloudEvent) -> None:
        run(automation, settings, cloud_event, runtime)

    return answer


def run(automation: AnyAutomation, settings: Configuration[Any], cloud_event: CloudEvent, runtime: Runtime) -> Report:
    """Take one event through all steps, and report.

    Raises ``RunFailed`` if anything is still owed, so that Pub/Sub delivers the message again. A message that can
    never succeed is reported and acknowledged.
    """
    now = runtime.clock()
    runtime = msgspec.structs.replace(runtime, clients=runtime.clients.for_one_run())
    report = Report(
        automation=automation.name,
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
        event = Dated(automation.parse(message, settings.section), message.message_id, message.published)
    except IgnoredMessage as ignored:
        return _finish(msgspec.structs.replace(report, why=str(ignored)), runtime)
    report = msgspec.structs.replace(report, event=type(event.event).__name__)
    if is_superseded(event.event, event.published, now):
        why = "superseded: this tick is older than its period, and a newer one is due"
        return _finish(msgspec.structs.replace(report, outcome=Outcome.UNCHANGED, why=why), runtime)
    steps = Steps(automation, settings, event, now, runtime)
    try:
        report = steps.carry_out(report)
    except cloud_errors() as error:
        failed = msgspec.structs.replace(with_changes(report, tuple(steps.results)), why=in_words(error))
        _finish(msgspec.structs.replace(failed, outcome=Outcome.FAILED), runtime)
        raise RunFailed(f"{automation.name}: {in_words(error)}") from error
    _finish(report, runtime)
    if report.outcome is Outcome.FAILED:
        owed = [change.target for change in report.changes if change.outcome is Outcome.FAILED]
        raise RunFailed(f"{automation.name}: {report.counts[Outcome.FAILED]} still owed, such as {owed[0]}")
    return report


def _finish(report: Report, runtime: Runtime) -> Report:
    runtime.report(report)
    return report
