"""One clock: the system's, or the one that an endpoint tells."""

from datetime import UTC, datetime, timedelta

import pytest

from localcloud import LocalCloud
from shared import clock


def test_the_systems_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clock.ENDPOINT_VARIABLE, raising=False)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().tzinfo is UTC


def test_the_local_clouds_clock(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud) -> None:
    monkeypatch.setenv(clock.ENDPOINT_VARIABLE, cloud.now_address)
    start = clock.now()
    assert (start, start.tzinfo) == (datetime(2026, 11, 15, 12, tzinfo=UTC), UTC)
    cloud.clock.advance(timedelta(days=30, microseconds=7))
    assert clock.now() - start == timedelta(days=30, microseconds=7)


def test_a_clock_that_does_not_answer_is_loud(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud) -> None:
    monkeypatch.setenv(clock.ENDPOINT_VARIABLE, cloud.now_address + "/then")
    with pytest.raises(RuntimeError, match="/now/then does not answer the time, but 404"):
        clock.now()
