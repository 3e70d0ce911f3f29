"""Senders of requests: eight threads in a process of their own, so that they share no lock with what answers."""

import contextlib
import http.client
import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from multiprocessing.pool import Pool

import msgspec

from benchmarks.functions import PATIENCE_SECONDS, Hosted, post
from benchmarks.processes import cpu_seconds

SENDERS = 8


class Turn(msgspec.Struct, frozen=True):
    """The cost of some requests to one contender."""

    rate: float
    """Requests a second."""
    cpu: float
    """CPU milliseconds a request, of the function."""
    here: float
    """The same of this process, which is the local cloud."""
    sent_again: int


@contextlib.contextmanager
def senders() -> Iterator[Pool]:
    """The process of the senders."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield pool


def turn(
    pool: Pool,
    contender: Hosted,
    path: str,
    bodies: Sequence[bytes],
    *,
    headers: Mapping[str, str] | None = None,
    expected: HTTPStatus = HTTPStatus.OK,
) -> Turn:
    """Send all bodies to one contender, each again until it is answered as expected."""
    before = contender.cpu_seconds(), cpu_seconds(os.getpid())
    took, sent_again = pool.apply(_send, (contender.port, path, bodies, headers, expected))
    function, here = contender.cpu_seconds() - before[0], cpu_seconds(os.getpid()) - before[1]
    return Turn(len(bodies) / took, function * 1000 / len(bodies), here * 1000 / len(bodies), sent_again)


def _send(
    port: int, path: str, bodies: Sequence[bytes], headers: Mapping[str, str] | None, expected: HTTPStatus
) -> tuple[float, int]:
    """Returns the seconds that it takes, and how many were sent again."""
    left, lock, again = iter(bodies), threading.Lock(), itertools.count()

    def send_on() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2 * PATIENCE_SECONDS)
        while True:
            with lock:
                body = next(left, None)
            if body is None:
                connection.close()
                return
            while post(connection, body, path, headers) != expected:
                next(again)

    threads = [threading.Thread(target=send_on) for _ in range(SENDERS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun, next(again)
