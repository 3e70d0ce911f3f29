"""Fixtures and hooks of the whole test suite."""

import gc
import importlib
import os
import re
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec
import pytest
from coverage import Coverage
from hypothesis import settings

from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from shared.postgres_server import PostgresMissing, PostgresServer
from shared.settings import VARIABLE

# A function reads its settings when it is imported, and does not start without them.
os.environ.setdefault(VARIABLE, msgspec.json.encode(load_caretaker_yaml(EXAMPLES / "caretaker.yaml")).decode())

# The same examples on every run, at any speed of the machine; other profiles run more.
settings.register_profile("house", derandomize=True, deadline=None)
settings.register_profile("hunt", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


# A background process ignores Ctrl-C, and so do its children: also those that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOTES = "COVERAGE_PROCESS_CONFIG"
"""The variable by which a process that is started measures its coverage, which triples its start time."""

# Before there are workers: each would compile Google's libraries for itself, where they are freshly installed.
importlib.import_module("localcloud")

ON_ONE_PYTHON = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.one_python\b", re.MULTILINE)
"""The mark of a file whose tests all run on the main Python alone."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file of which no test would be selected: the other Pythons begin with a third less work."""
    if config.option.markexpr != "not one_python" or collection_path.suffix != ".py":
        return None
    return ON_ONE_PYTHON.search(collection_path.read_text()) is not None or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, so that no core waits for it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Look for no garbage in what has been imported by now, which stays: all of Google's libraries."""
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Take no notes for the coverage while a test runs that is marked ``no_cover``, nor in processes that it starts.

    Hypothesis marks its tests itself: they run the same code with a hundred examples.
    """
    is_measured = not any(map(item.get_closest_marker, ("no_cover", "hypothesis")))
    coverage = None if is_measured else Coverage.current()
    if coverage is None:
        return (yield)
    coverage.stop()
    notes = os.environ.pop(NOTES, None)
    try:
        return (yield)
    finally:
        if notes is not None:
            os.environ[NOTES] = notes
        coverage.start()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the tests of a worker share; each test creates databases and roles of its own."""
    server = PostgresServer()
    try:
        server.start()
    except PostgresMissing as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()
