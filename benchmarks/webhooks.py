"""Webhooks a second, refused for their signature, not wanted, and published, beside a function that does nothing.

All with GitHub's example of 21 KB, from eight senders at once, to functions that are hosted as they are deployed. Two
processes of one function differ by up to a tenth, so each round is measured on fresh ones. Then the slowest answer to
a valid webhook beside fifty strangers, each of whom sends good headers and one byte of a body.
"""

import contextlib
import http.client
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
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
from infra.suite.automations import load_functions
from localcloud import LocalCloud
from shared.clients import Clients
from shared.github_events import TOPIC

SENDERS = 8
WEBHOOKS = 500
TURNS = 3
ROUNDS = 9
STRANGERS = 50
BESIDE_STRANGERS = 20
LONGEST_ANSWER_SECONDS = 1.0


def measure() -> bool:
    """Measure and print. Returns whether every webhook was answered as it should be."""
    body = webhook()
    signed = webhook_headers(body)
    forged = webhook_headers(body, b"another secret")
    not_wanted = signed | {"X-GitHub-Event": "push"}
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud:
        _make_topic(cloud)
        place = Path(folder)
        ready = environment(cloud.address, more=webhook_section(place))
        ours_folder, bare_folder = bundle(place / "ours", "receive_github"), bare_bundle(place / "bare")
        measured: dict[str, list[float]] = {}
        deployed = ready | load_functions()["receive_github"].environment
        with serving(ours_folder, "receive_github", deployed) as ours:
            slowest = _slowest_beside_strangers(ours.port, body)
        for _ in range(ROUNDS):
            with (
                serving(ours_folder, "receive_github", deployed) as ours,
                serving(bare_folder, "bare_http", ready) as bare,
            ):
                contenders: dict[str, Callable[[], float]] = {
                    "bare function": partial(_rate, bare.port, body, signed, HTTPStatus.OK),
                    "forged": partial(_rate, ours.port, body, forged, HTTPStatus.FORBIDDEN),
                    "not wanted": partial(_rate, ours.port, body, not_wanted, HTTPStatus.NO_CONTENT),
                    "published": partial(_rate, ours.port, body, signed, HTTPStatus.ACCEPTED),
                }
                for name, rates in in_turn(contenders, TURNS).items():
                    measured.setdefault(name, []).append(statistics.harmonic_mean(rates))
    median = {name: statistics.median(values) for name, values in measured.items()}
    floor = median.pop("bare function")
    figures = [
        Figure(name, "bare function", rate, floor, "/s", at_least=0.9 if name == "forged" else None)
        for name, rate in median.items()
    ]
    figures.append(
        Figure(f"slowest beside {STRANGERS} strangers", "a second", slowest, LONGEST_ANSWER_SECONDS, "s", at_most=1.0)
    )
    notes = [f"{name}: {spread(values)} /s, {ROUNDS} times {TURNS * WEBHOOKS}" for name, values in measured.items()]
    show("Webhooks a second", figures, [f"{len(body)} bytes each, from {SENDERS} senders", *notes])
    return True


def _make_topic(cloud: LocalCloud) -> None:
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
            if number:  # the first one imports the client of Pub/Sub: cold starts have a benchmark of their own
                slowest = max(slowest, time.perf_counter() - begun)
            if status != HTTPStatus.ACCEPTED:
                raise RuntimeError(f"answered {status}")
    return slowest


def _rate(port: int, body: bytes, headers: Mapping[str, str], expected: HTTPStatus) -> float:
    """Webhooks a second. Raises ``RuntimeError`` if one is answered otherwise."""
    wait_for(port)
    left, lock, others = iter(range(WEBHOOKS)), threading.Lock(), itertools.count()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        while True:
            with lock:
                if next(left, None) is None:
                    break
            if post(connection, body, "/", headers) != expected:
                next(others)
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    begun = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    took = time.perf_counter() - begun
    if wrong := next(others):
        raise RuntimeError(f"{wrong} of {WEBHOOKS} were not answered {expected}")
    return WEBHOOKS / took


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
