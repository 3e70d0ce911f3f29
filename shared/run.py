"""One run: trigger -> parse -> fold -> [ (needs -> look)* -> decide -> guard -> record -> apply ]* -> report."""

import traceback
from collections.abc import Callable
from typing import Any

import msgspec
from cloudevents.http import CloudEvent

from shared.acting import RunLoop
from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.errors import IgnoredMessage, RunFailed, cloud_errors, in_words, presentable, shortened
from shared.events import ASKED, PLAN, SENT_BY, Command, Dated, PubsubMessage, is_superseded, read_message
from shared.report import Outcome, Report, bounded_unreadable, with_changes
from shared.runtime import Runtime
from shared.settings import Configuration, from_environment


def entry_point(automation: AnyAutomation) -> Callable[[CloudEvent], None]:
    """The function that answers an automation's CloudEvents.

    Raises ``SettingsError`` at once if the settings are wrong, so that a function with wrong settings does not start.
    """
    settings = from_environment(automation.name, automation.section)
    runtime = Runtime(Clients.from_environment(), patience=automation.patience)

    def answer(cloud_event: CloudEvent) -> None:
        run(automation, settings, cloud_event, runtime)

    return answer


def run(automation: AnyAutomation, settings: Configuration[Any], cloud_event: CloudEvent, runtime: Runtime) -> Report:
    """Take one event through all steps, and report.

    Raises ``RunFailed`` if anything failed, so that Pub/Sub delivers the message again. A message that can
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
    report = msgspec.structs.replace(report, sent_by=_sender(event.event, message))
    plan = message.attributes.get(PLAN, "") if isinstance(event.event, Command) else ""
    loop = RunLoop(automation, settings, event, now, runtime, sent_by=report.sent_by, plan=plan)
    try:
        report = loop.carry_out(report)
    except cloud_errors() as error:
        failed = _finish(_failed(report, loop, in_words(error)), runtime)
        if plan == ASKED:
            return failed  # the caller sees it, and can ask again
        raise RunFailed(f"{automation.name}: {in_words(error)}") from error
    except Exception as error:
        # A fault of ours: alerts must see it too, so it is reported before it takes the run down.
        _finish(_failed(report, loop, _where(error)), runtime)
        raise
    _finish(report, runtime)
    if report.outcome is Outcome.FAILED and plan != ASKED:
        raise RunFailed(f"{automation.name}: {_unfinished(report)}")
    return report


def _sender(event: object, message: PubsubMessage) -> str:
    """The sender that a command names; unverified."""
    return shortened(presentable(message.attributes.get(SENT_BY, "")), 100) if isinstance(event, Command) else ""


def _failed(report: Report, loop: RunLoop[Any, Any, Any, Any, Any], why: str) -> Report:
    """The report of a run that ended in the middle: what it has done, what it could not read, and why it ended."""
    done = with_changes(report, tuple(loop.results))
    unreadable = bounded_unreadable(loop.unreadable)
    return msgspec.structs.replace(done, outcome=Outcome.FAILED, why=why, unreadable=unreadable)


def _where(error: Exception) -> str:
    """A fault of ours by its type and its last frame. What it says is left out, as it may quote a value."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    file = "/".join(frame.filename.split("/")[-3:])
    return f"{type(error).__name__} in {frame.name} ({file}, line {frame.lineno})"


def _unfinished(report: Report) -> str:
    """The failures of a run, in one line."""
    failed = [change.target for change in report.changes if change.outcome is Outcome.FAILED]
    count = report.counts.get(Outcome.FAILED, 0)
    changes = [f"{count} {'change' if count == 1 else 'changes'} failed, such as {failed[0]}"] if failed else []
    return "; ".join([*changes, *map(str, report.unreadable[:1])])


def _finish(report: Report, runtime: Runtime) -> Report:
    runtime.report(report)
    return report
