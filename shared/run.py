"""One run: trigger -> parse -> fold -> [ (needs -> look)* -> decide -> guard -> record -> apply ]* -> report."""

import traceback
from typing import Any

import msgspec
from cloudevents.http import CloudEvent

from shared.acting import RunLoop
from shared.automation import AnyAutomation
from shared.errors import RunFailed, cloud_errors, in_words, presentable, shortened
from shared.events import ASKED, PLAN, SENT_BY, Command, PubsubMessage
from shared.receiving import Received, receive
from shared.report import Outcome, Report, bounded_unreadable, with_changes
from shared.runtime import Runtime
from shared.settings import Configuration


def run(automation: AnyAutomation, settings: Configuration[Any], cloud_event: CloudEvent, runtime: Runtime) -> Report:
    """Take one message through all steps, and report. Raises as ``carry_out`` does."""
    received = receive(automation.name, automation.parse, settings, cloud_event, runtime)
    return received if isinstance(received, Report) else carry_out(automation, settings, received, runtime)


def carry_out(
    automation: AnyAutomation, settings: Configuration[Any], received: Received[Any], runtime: Runtime
) -> Report:
    """Take one event from fold to the report.

    Raises ``RunFailed`` if anything failed, so that Pub/Sub delivers the message again.
    """
    event, message = received.event, received.message
    runtime = msgspec.structs.replace(runtime, clients=runtime.clients.for_one_run())
    report = msgspec.structs.replace(received.report, sent_by=_sender(event.event, message))
    plan = message.attributes.get(PLAN, "") if isinstance(event.event, Command) else ""
    loop = RunLoop(automation, settings, event, received.now, runtime, sent_by=report.sent_by, plan=plan)
    try:
        report = loop.carry_out(report)
    except cloud_errors() as error:
        failed = runtime.finish(_failed(report, loop, in_words(error)))
        if plan == ASKED:
            return failed  # the caller sees it, and can ask again
        raise RunFailed(f"{automation.name}: {in_words(error)}") from error
    except Exception as error:
        # A fault of ours: alerts must see it too, so it is reported before it takes the run down.
        runtime.finish(_failed(report, loop, _where(error)))
        raise
    runtime.finish(report)
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
