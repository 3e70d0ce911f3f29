"""Errors and lost answers at any call: the message is delivered again, and everything ends as it was."""

import contextlib
from decimal import Decimal

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.errors import RunFailed
from shared.lease import DURATION
from shared.restrictions import SpendingRestrictions
from tests.functions.cap_spending.examples import DECEMBER, NOVEMBER
from tests.functions.cap_spending.simulation import ACCOUNT_NAME
from tests.functions.cap_spending.stage import GET_BUDGET, Stage

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

FREE = {
    "admin": 5,
    "api": 20,
    "worker": 10,
    "batch-import": "ENABLED",
    "keep-warm": "ENABLED",
    "my-experiments": ACCOUNT_NAME,
}
METHODS = [
    "BatchGetDocuments",
    "Commit",
    "ListServices",
    "UpdateService",
    "ListJobs",
    "PauseJob",
    "ResumeJob",
    "GetProjectBillingInfo",
    "UpdateProjectBillingInfo",
    GET_BUDGET,
]
CODES = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
]

events = some.one_of(
    some.tuples(some.just("notify"), some.sampled_from([210.0, 412.0, 605.0]), some.booleans()),
    some.tuples(some.just("tick"), some.just(0.0), some.just(value=False)),
    some.tuples(some.just("undo"), some.just(0.0), some.just(value=False)),
    some.tuples(some.just("budget"), some.sampled_from([300.0, 400.0, 900.0]), some.just(value=False)),
)
faults = some.tuples(some.sampled_from(METHODS), some.sampled_from(CODES), some.integers(0, 3), some.booleans())


@settings(max_examples=25)
@given(some.lists(some.tuples(events, some.none() | faults), max_size=6))
def test_nothing_is_lost(
    happened: list[tuple[tuple[str, float, bool], tuple[str, grpc.StatusCode, int, bool] | None]],
) -> None:
    with Stage() as stage:
        for number, (event, fault) in enumerate(happened):
            if fault:
                method, code, skip, after_effect = fault
                stage.cloud.server.fail(method, code, skip=skip, after_effect=after_effect)
            with contextlib.suppress(RunFailed):
                _happens(stage, event, str(number))
            stage.cloud.server.clear_faults()
            # A run that died on giving back its lease holds it for some minutes.
            stage.cloud.clock.advance(DURATION)
            _happens(stage, event, str(number), is_again=True)
        stage.command(1, type="undo")
        stage.tick(1 / 6)
        assert stage.values == FREE
        assert (stage.records.holds, stage.restrictions) == ({}, SpendingRestrictions())


def _happens(stage: Stage, event: tuple[str, float, bool], number: str, *, is_again: bool = False) -> None:
    kind, value, is_december = event
    match kind:
        case "notify":
            interval = DECEMBER if is_december else NOVEMBER
            stage.notify(value, interval=interval, after=0 if is_again else 1, message_id=number)
        case "tick":
            stage.tick(0 if is_again else 1 / 6)
        case "undo":
            stage.command(0 if is_again else 1, type="undo")
        case _:
            stage.set_budget(Decimal(repr(value)))
