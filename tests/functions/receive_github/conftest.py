"""Fixtures for the tests of `receive_github`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.receive_github.stage import Stage, staged


@pytest.fixture
def waiting_stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose function has not started."""
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def stage(waiting_stage: Stage) -> Stage:
    """A stage whose function has started."""
    waiting_stage.start()
    return waiting_stage
