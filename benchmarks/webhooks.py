"""Webhooks a second, refused for their signature, not wanted, and published, beside a function that does nothing.

All with GitHub's example of 21 KB, from eight senders at once, to functions that are hosted as they are deployed. Two
processes of one function differ by up to a tenth, so each round is measured on fresh ones. Then the slowest answer to
a valid webhook beside fifty strangers, each of whom sends good headers and one byte of a body.
"""

import contextlib
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

from google.pubsub_v1 import PublisherClient

from benchmarks.functions import (
    PATIENCE_SECONDS,
    PROJECT,
    bare_bundle,
    bundle,
    environment,
    post,
    serving,
    slow_sender,
    wait_for,
    webhook,
    webhook_headers,
    webhook_section,
)
from benchmarks.harness import Figure, in_turn, show, spread
from benchmarks.senders import SENDERS, Turn, senders, turn
from infra.suite.automations import load_functions
from localcloud import LocalCloud
from shared.clients import Clients
from shared.github_events import TOPIC

WEBHOOKS = 500
TURNS = 3
ROUNDS = 9
STRANGERS = 50
BESIDE_STRANGERS = 20
LONGEST_ANSWER_SECONDS = 1.0
AT_LEAST = {"forged": 0.9, "published": 0.7}
"""Of a bare function's webhooks a second."""


def measure() -> bool:
    """Measure and print. Returns whether every webhook was answered as it should be."""
    body = webhook()
    signed = webhook_headers(body)
    forged = webhook_headers(body, b"another secret")
    not_wanted = signed | {"X-GitHub-Event": "push"}
    bodies = [body] * WEBHOOKS
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud, senders() as pool:
        make_topic(cloud)
        place = Path(folder)
        ready = environment(cloud.address, cloud.http_address, more=webhook_section(place))
        ours_folder, bare_folder = bundle(place / "ours", "receive_github"), bare_bundle(place / "bare")
        measured: dict[str, list[Turn]] = {}
        deployed = ready | load_functions()["receive_github"].environment
        with serving(ours_folder, "receive_github", deployed) as ours:
            slowest = _slowest_beside_strangers(ours.port, body)
        for _ in range(ROUNDS):
            with (
                serving(ours_folder, "receive_github", deployed) as ours,
                serving(bare_folder, "bare_http", ready) as bare,
            ):
                for contender in (ours, bare):
                    wait_for(contender.port)
                contenders: dict[str, Callable[[], Turn]] = {
                    "bare function": partial(turn, pool, bare, "/", bodies, headers=signed),
                    "forged": partial(turn, pool, ours, "/", bodies, headers=forged, expected=HTTPStatus.FORBIDDEN),
                    "not wanted": partial(
                        turn, pool, ours, "/", bodies, headers=not_wanted, expected=HTTPStatus.NO_CONTENT
                    ),
                    "published": partial(turn, pool, ours, "/", bodies, headers=signed, expected=HTTPStatus.ACCEPTED),
                }
                for name, turns in in_turn(contenders, TURNS).items():
                    measured.setdefault(name, []).append(_together(turns))
    figures = [
        Figure(name, "bare function", _median(turns, field), _median(measured["bare function"], field), unit, **bound)
        for field, unit in (("rate", "/s"), ("cpu", "CPU ms"))
        for name, turns in measured.items()
        if name != "bare function"
        for bound in [{"at_least": AT_LEAST[name]} if field == "rate" and name in AT_LEAST else {}]
    ]
    figures.append(
        Figure(f"slowest beside {STRANGERS} strangers", "a second", slowest, LONGEST_ANSWER_SECONDS, "s", at_most=1.0)
    )
    notes = [
        f"{name}: {spread([one.rate for one in turns])} /s, {ROUNDS} times {TURNS * WEBHOOKS}"
        for name, turns in measured.items()
    ]
    notes.append(f"CPU of the local cloud: {_median(measured['published'], 'here'):.3f} ms for each that is published")
    show("Webhooks a second", figures, [f"{len(body)} bytes each, from {SENDERS} senders", *notes])
    return True


def _together(turns: Sequence[Turn]) -> Turn:
    """Turns of the same number of requests as one."""
    if again := sum(one.sent_again for one in turns):
        raise RuntimeError(f"{again} of {len(turns) * WEBHOOKS} were answered otherwise")
    mean = {field: statistics.mean(getattr(one, field) for one in turns) for field in ("cpu", "here")}
    return Turn(rate=statistics.harmonic_mean([one.rate for one in turns]), sent_again=0, **mean)


def _median(turns: Sequence[Turn], field: str) -> float:
    median: float = statistics.median(getattr(turn, field) for turn in turns)
    return median


def make_topic(cloud: LocalCloud) -> None:
    """Make the topic to which webhooks are published."""
    clients = Clients(PROJECT, endpoint=cloud.address)
    clients.of(PublisherClient).create_topic(request={"name": f"projects/{PROJECT}/topics/{TOPIC}"})
    clients.close()


def _slowest_beside_strangers(port: int, body: bytes) -> float:
    """Seconds until the slowest of some valid webhooks is answered. Raises ``RuntimeError`` if one is not published."""
    wait_for(port)
    slowest = 0.0
    with contextlib.ExitStack() as stack:
        for _ in range(STRANGERS):
            stack.enter_context(slow_sender(port, webhook_headers(b"", b"another secret")))
        for number in range(1 + BESIDE_STRANGERS):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
            begun = time.perf_counter()
            with contextlib.closing(connection):
                status = post(connection, body, "/", webhook_headers(body))
            if number:  # the first one opens the connection to Pub/Sub: cold starts have a benchmark of their own
                slowest = max(slowest, time.perf_counter() - begun)
            if status != HTTPStatus.ACCEPTED:
                raise RuntimeError(f"answered {status}")
    return slowest


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
