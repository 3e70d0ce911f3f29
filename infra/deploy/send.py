"""Sends a command to an automation, and waits for the report of the run that it has woken.

Pub/Sub does not answer: that the message has arrived shows in Cloud Logging, by the id of the message.
"""

import getpass
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from infra.deploy.logs import EVERY_SECONDS, EVERY_SECONDS_HERE, report_of_message, wait_for
from infra.deploy.rendering import report_lines
from infra.deploy.target import Target
from shared.events import PLAN, SENT_BY, Command, inbox_of
from shared.publishing import publish
from shared.report import Outcome, Report

CLOCKS_DIFFER = timedelta(minutes=5)
"""The tolerated difference between this machine's clock and Google's."""


def send(
    target: Target,
    automation: str,
    command: Command,
    *,
    now: datetime,
    wait_seconds: float,
    say: Callable[[str], None],
    plan: str = "",
) -> Report | None:
    """Publish a command, say its message's id, wait for the report, and tell it. None if none came in time.

    With ``plan``, it is only planned (``ASKED``), or carried out only if it leads to just the plan of that checksum.
    """
    topic = f"projects/{target.project}/topics/{inbox_of(automation)}"
    attributes = {SENT_BY: sender(), **({PLAN: plan} if plan else {})}
    message_id = publish(target.clients, topic, command, attributes)
    say(f"published to {topic}: message {message_id}")
    since = now - CLOCKS_DIFFER
    every = EVERY_SECONDS_HERE if target.is_local else EVERY_SECONDS
    report = wait_for(lambda: report_of_message(target, message_id, since), wait_seconds, every=every)
    if report is None:
        say(f"no report within {wait_seconds:.0f} s. It may still come: jsonPayload.report.message_id={message_id!r}")
        return None
    for line in report_lines(report):
        say(line)
    return report


def sender() -> str:
    """The name of the local user."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def succeeded(report: Report | None) -> bool:
    """Whether a command was accepted, and everything that it asked for was done."""
    return report is not None and report.outcome not in {Outcome.FAILED, Outcome.IGNORED}
