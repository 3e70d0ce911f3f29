"""Law 9, no secret leaves: the canary never shows in logs (at DEBUG too), tracebacks, reports, state or writes."""

import contextlib
import io
import logging
import traceback
from collections.abc import Iterator

import msgspec
from google.api_core.client_logging import StructuredLogFormatter
from grpc import StatusCode

from tests.laws.case import Case, Delivery
from tests.laws.end_state import documents
from tests.laws.errors import FOR_GOOD
from tests.laws.harness import Stage

NAME = "no_secret_leaves"


def check(case: Case, part: str) -> None:
    """Play everything with all logging on; let each event's run fail in its first read and write, too."""
    del part
    canary = case.scenario.canary
    said = msgspec.json.encode(
        (case.scenario.world, [(event.payload.decode(), event.attributes) for event in case.scenario.events])
    ).decode()
    with everything_logged() as log, Stage(case, NAME) as stage:
        if canary not in said:
            raise stage.broken(
                "the canary is neither in the world nor in an event, so it could not leave: put it there"
            )
        for event in (*stage.scenario.events, stage.a_tick(), *([stage.scenario.undo] if stage.scenario.undo else [])):
            stage.reach(event)
            past = stage.snapshot()
            for method in dict.fromkeys(stage.deliver(event).methods):
                past.restore()
                stage.cloud.server.fail(method, StatusCode.PERMISSION_DENIED, times=FOR_GOOD)
                _must_keep(stage, stage.deliver(event), f"`{event.name}`, when {method} fails,")
                stage.cloud.server.clear_faults()
            past.restore()
            for delivery in stage.deliver_until_acknowledged(event):
                _must_keep(stage, delivery, f"`{event.name}`")
        for collection in ("records", "restrictions", "leases", "history"):
            if canary in repr(documents(stage.clients, collection)):
                raise stage.broken(f"the canary is in a document of {collection}")
        stage.clients.close()
    if line := next((line for line in log.getvalue().splitlines() if canary in line), ""):
        at = line.index(canary)
        raise stage.broken(f"the canary is in the log: {line[:80]} ... {line[max(at - 80, 0) : at + len(canary)]}")


def _must_keep(stage: Stage, delivery: Delivery, what: str) -> None:
    canary = stage.scenario.canary
    if delivery.error and canary in "".join(traceback.format_exception(delivery.error)):
        raise stage.broken(f"{what} raises an error with the canary in its traceback")
    if delivery.report and canary in msgspec.json.encode(delivery.report).decode():
        raise stage.broken(f"{what} reports the canary")
    for call in delivery.mutating:
        if canary.encode() in call.request.SerializeToString():
            raise stage.broken(f"{what} writes the canary, with {call.method}")


@contextlib.contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All output and logs, with every logger at DEBUG, Google's as if its logging scope had been set to all."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    # Google's clients put requests and answers beside the message, where their own formatter finds them.
    handler.setFormatter(StructuredLogFormatter())
    known = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    loggers = [logging.getLogger(), *(logger for logger in known if logger.name.split(".")[0] == "google")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        if logger is logging.root or not logger.propagate:
            logger.addHandler(handler)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            yield output
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
