"""A pool's desired state: restrictions come before a person's command, then waiting work, then hours."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.scale_gpu_pools.desired import Desired, PoolView, State
from functions.scale_gpu_pools.parse import Event
from functions.scale_gpu_pools.records import Override, PoolRecord, Records
from functions.scale_gpu_pools.settings import GpuDutyCycle, Metric, PendingMessages, Settings, Signal
from functions.scale_gpu_pools.signals import WAKE_MINUTES, Reading, Says
from functions.scale_gpu_pools.world import AUTOSCALING, OFF, GpuPool, Question
from shared.automation import RunContext
from shared.decision import Text
from shared.events import Dated, Tick
from shared.hours import ALWAYS
from shared.restrictions import InForce, Restriction, SpendingRestrictions
from tests.functions.scale_gpu_pools.stage import GPU, HOURS, MONDAY, QUEUE, a_pool, settings_of

Given = dict[str, Any]
ACTIVE, IDLE, UNKNOWN = Says.ACTIVE, Says.IDLE, Says.UNKNOWN
FOR_MINUTES = 30
DUTY: dict[str, object] = {
    "kind": "gpu_duty_cycle",
    "project": "my-product",
    "location": "europe-west4",
    "cluster": "training",
}
LOAD: dict[str, object] = {"kind": "metric", "project": "my-product", "filter": 'metric.type = "load"', "at_most": 1}
SIGNALS: dict[str, Question] = {
    "queue": (PendingMessages(subscription="projects/my-product/subscriptions/jobs"), WAKE_MINUTES),
    "duty": (GpuDutyCycle(project="my-product", location="europe-west4", cluster="training"), FOR_MINUTES),
    "load": (Metric(project="my-product", filter='metric.type = "load"', at_most=1.0), FOR_MINUTES),
}

MORNING = datetime.fromisoformat("2026-11-16T08:00:00Z")
EVENING = datetime.fromisoformat("2026-11-16T18:00:00Z")
BECAUSE = "monthly/actual@1"
RESTRICTED = f"the spending restriction gpu_pools_off is in force, by {BECAUSE}"
ASKED = "a person asked for it until 2026-11-16 20:00 UTC"
IN_HOURS = "within hours until 2026-11-16 18:00 UTC"
IDLE_OUT = "out of hours; duty is idle; load is idle"
ON_AGAIN = "on again at 2026-11-17 08:00 UTC or on undelivered messages of jobs"
AT_ZERO, HELD_ON = PoolRecord(is_on=False), PoolRecord(is_on=True)


def minutes(count: float) -> timedelta:
    """A length of time."""
    return timedelta(minutes=count)


def situation(
    *,
    now: datetime = MONDAY,
    size: int = 2,
    record: PoolRecord = HELD_ON,
    because: str = "",
    awake_until: datetime | None = None,
    has_hours: bool = True,
    has_signals: bool = True,
) -> PoolView:
    """A pool of this size that is on in hours, may be found idle, and is woken by a queue."""
    signals = {"idle": {"for_minutes": FOR_MINUTES, "signals": [DUTY, LOAD]}, "wake": [QUEUE]}
    settings: Settings = settings_of(gpu=a_pool(hours=HOURS if has_hours else None, **(signals if has_signals else {})))
    restrictions = {Restriction.GPU_POOLS_OFF: InForce(MORNING, (because,))} if because else {}
    overrides = {GPU: Override(awake_until, said=MORNING)} if awake_until else {}
    context = RunContext[Settings, Event, Records](
        event=Dated(Tick(every_seconds=300), "1", now),
        records=Records(overrides=overrides),
        restrictions=SpendingRestrictions(restrictions),
        settings=settings,
        now=now,
        project="caretaker-home",
    )
    pool = GpuPool(name=GPU, current={AUTOSCALING: OFF, "node_count": size}, size_field="node_count")
    return PoolView("gpu", settings.pools["gpu"], record, pool, context)


def readings(**says: Says) -> dict[Question, Reading]:
    """The states of these signals, with reasons that name them."""
    return {SIGNALS[name]: Reading(say, Text(f"{name} is {say.value}")) for name, say in says.items()}


def marks(desired: Desired) -> set[str]:
    """The properties of a desired state."""
    return {name for name in ("by_a_person", "is_needed", "by_signal", "is_unheard") if getattr(desired, name)}


BOTH_IDLE = {"duty": IDLE, "load": IDLE}
IDLE_SINCE = PoolRecord(is_on=False, idle_in=MORNING)
IDLE_YESTERDAY = PoolRecord(is_on=False, idle_in=MORNING - timedelta(days=3))


@pytest.mark.parametrize(
    ("given", "says", "state", "why"),
    [
        # A restriction before all else.
        ({"because": BECAUSE}, {}, State.ZERO, RESTRICTED),
        ({"because": BECAUSE, "awake_until": EVENING + minutes(120)}, {"queue": ACTIVE}, State.ZERO, RESTRICTED),
        ({"because": BECAUSE, "has_hours": False, "has_signals": False}, {}, State.ZERO, RESTRICTED),
        # Then a person's word, for as long as it holds.
        ({"awake_until": EVENING + minutes(120), "now": EVENING}, {}, State.ON, ASKED),
        ({"awake_until": EVENING + minutes(120), "now": EVENING}, {"queue": ACTIVE}, State.ON, ASKED),
        ({"awake_until": EVENING + minutes(120)}, {"queue": IDLE} | BOTH_IDLE, State.ON, ASKED),
        ({"awake_until": EVENING, "now": EVENING}, {"queue": IDLE} | BOTH_IDLE, State.ZERO, IDLE_OUT),
        ({"awake_until": EVENING - minutes(1), "now": EVENING}, {"queue": IDLE} | BOTH_IDLE, State.ZERO, IDLE_OUT),
        # Then work that waits, at any hour; without data a pool stays as it is.
        ({"now": EVENING}, {"queue": ACTIVE}, State.ON, "queue is active"),
        ({"now": EVENING, "size": 0, "record": AT_ZERO}, {"queue": ACTIVE}, State.ON, "queue is active"),
        ({}, {"queue": ACTIVE} | BOTH_IDLE, State.ON, "queue is active"),
        ({"size": 0, "record": IDLE_SINCE}, {"queue": ACTIVE}, State.ON, "queue is active"),
        ({"now": EVENING}, {"queue": UNKNOWN} | BOTH_IDLE, State.ON, "queue is unknown"),
        ({"now": EVENING, "record": PoolRecord()}, {"queue": UNKNOWN} | BOTH_IDLE, State.ON, "queue is unknown"),
        ({}, {"queue": UNKNOWN} | BOTH_IDLE, State.ON, "queue is unknown"),
        ({"now": EVENING, "size": 0, "record": AT_ZERO}, {"queue": UNKNOWN}, State.ZERO, "out of hours"),
        ({"now": EVENING, "record": AT_ZERO}, {"queue": UNKNOWN}, State.ZERO, "out of hours"),
        ({"now": EVENING}, {"queue": IDLE} | BOTH_IDLE, State.ZERO, IDLE_OUT),
        # Out of hours no work is broken off: what is not idle stays on, and what has just come too.
        ({"now": EVENING}, {"queue": IDLE, "duty": ACTIVE, "load": IDLE}, State.ON, "out of hours, but duty is active"),
        (
            {"now": EVENING},
            {"queue": IDLE, "duty": IDLE, "load": UNKNOWN},
            State.ON,
            "out of hours, but load is unknown",
        ),
        ({"now": EVENING}, {"queue": IDLE}, State.ON, "out of hours, but it is not known whether it is idle"),
        ({"now": EVENING, "size": 0}, {"queue": IDLE}, State.ZERO, "out of hours"),
        (
            {"now": EVENING, "record": PoolRecord(on_since=EVENING - minutes(29))},
            {"queue": IDLE},
            State.ON,
            "out of hours, but on for less than 30 minutes",
        ),
        (
            {"now": EVENING, "record": PoolRecord(on_since=EVENING - minutes(30))},
            {"queue": IDLE} | BOTH_IDLE,
            State.ZERO,
            IDLE_OUT,
        ),
        # Then hours, and within them what tells that it is idle.
        ({"now": EVENING, "has_signals": False}, {}, State.ZERO, "out of hours"),
        ({"has_signals": False}, {}, State.ON, IN_HOURS),
        ({"now": MORNING}, {}, State.ON, IN_HOURS),
        ({"now": EVENING - minutes(1), "size": 0, "record": AT_ZERO}, {"queue": IDLE}, State.ON, IN_HOURS),
        ({}, {"queue": IDLE} | BOTH_IDLE, State.ZERO, "idle: duty is idle; load is idle"),
        ({}, {"queue": IDLE, "duty": ACTIVE, "load": IDLE}, State.ON, f"{IN_HOURS}; duty is active"),
        ({}, {"queue": IDLE, "duty": IDLE, "load": UNKNOWN}, State.ON, f"{IN_HOURS}; load is unknown"),
        ({}, {"queue": UNKNOWN, "duty": UNKNOWN, "load": UNKNOWN}, State.ON, f"{IN_HOURS}; duty is unknown"),
        # Idle only after it was on for as long as the signals are asked for.
        ({"now": MORNING + minutes(29)}, BOTH_IDLE, State.ON, IN_HOURS),
        ({"now": MORNING + minutes(30)}, BOTH_IDLE, State.ZERO, "idle: duty is idle; load is idle"),
        ({"record": PoolRecord(on_since=MONDAY - minutes(29))}, BOTH_IDLE, State.ON, IN_HOURS),
        (
            {"record": PoolRecord(on_since=MONDAY - minutes(30))},
            BOTH_IDLE,
            State.ZERO,
            "idle: duty is idle; load is idle",
        ),
        ({"size": 0, "record": AT_ZERO}, BOTH_IDLE, State.ON, IN_HOURS),
        # Found idle, it stays at zero for its window and no longer.
        ({"size": 0, "record": IDLE_SINCE}, {"queue": IDLE}, State.ZERO, f"idle {IN_HOURS}"),
        ({"size": 0, "record": IDLE_SINCE}, {"queue": UNKNOWN}, State.ZERO, f"idle {IN_HOURS}"),
        ({"size": 0, "record": IDLE_YESTERDAY}, {"queue": IDLE}, State.ON, IN_HOURS),
        ({"size": 2, "record": IDLE_SINCE}, {"queue": IDLE, "duty": ACTIVE}, State.ON, f"{IN_HOURS}; duty is active"),
        # Without hours it is always in its one window.
        ({"has_hours": False, "has_signals": False}, {}, State.ON, "it has no hours"),
        ({"has_hours": False}, {"queue": IDLE} | BOTH_IDLE, State.ZERO, "idle: duty is idle; load is idle"),
        ({"has_hours": False}, {"queue": IDLE, "duty": IDLE, "load": ACTIVE}, State.ON, "load is active"),
        ({"has_hours": False}, {"queue": ACTIVE} | BOTH_IDLE, State.ON, "queue is active"),
        (
            {"has_hours": False, "size": 0, "record": PoolRecord(idle_in=ALWAYS.start)},
            {"queue": IDLE},
            State.ZERO,
            "idle",
        ),
        ({"has_hours": False, "size": 0, "record": IDLE_SINCE}, {"queue": IDLE}, State.ON, "it has no hours"),
    ],
)
def test_what_a_pool_should_be_and_why(given: Given, says: dict[str, Says], state: State, why: str) -> None:
    desired = situation(**given).desired(readings(**says))
    assert (desired.state, str(desired.why)) == (state, why)


@pytest.mark.parametrize(
    ("given", "says", "expected"),
    [
        ({"because": BECAUSE}, {}, set()),
        ({"awake_until": EVENING}, {}, {"by_a_person"}),
        ({"now": EVENING}, {"queue": ACTIVE}, {"by_signal", "is_needed"}),
        ({"now": EVENING}, {"queue": UNKNOWN} | BOTH_IDLE, {"by_signal", "is_unheard"}),
        ({"now": EVENING}, {"queue": IDLE} | BOTH_IDLE, set()),
        ({}, {"duty": ACTIVE, "load": IDLE}, {"by_signal"}),
        ({}, {"duty": UNKNOWN, "load": IDLE}, {"by_signal", "is_unheard"}),
        ({"now": EVENING}, {"queue": IDLE, "duty": ACTIVE, "load": UNKNOWN}, {"by_signal"}),
        ({"now": EVENING}, {"queue": IDLE, "duty": UNKNOWN, "load": IDLE}, {"by_signal", "is_unheard"}),
        ({}, BOTH_IDLE, set()),
        ({"has_signals": False}, {}, set()),
    ],
)
def test_who_says_so(given: Given, says: dict[str, Says], expected: set[str]) -> None:
    assert marks(situation(**given).desired(readings(**says))) == expected


@pytest.mark.parametrize(
    ("given", "says", "next_"),
    [
        ({"because": BECAUSE}, {}, "on again when the restriction is lifted"),
        ({"awake_until": EVENING}, {}, ""),
        ({"now": EVENING}, {"queue": IDLE} | BOTH_IDLE, ON_AGAIN),
        ({"now": EVENING}, {"queue": IDLE, "duty": ACTIVE}, "zero as soon as it is idle"),
        ({"now": EVENING, "has_signals": False}, {}, "on again at 2026-11-17 08:00 UTC"),
        ({}, {}, "zero at 2026-11-16 18:00 UTC, when its hours end"),
        ({}, BOTH_IDLE, ON_AGAIN),
        ({"has_hours": False}, BOTH_IDLE, "on again on undelivered messages of jobs"),
        ({"has_hours": False, "has_signals": False}, {}, ""),
    ],
)
def test_what_would_follow(given: Given, says: dict[str, Says], next_: str) -> None:
    assert str(situation(**given).desired(readings(**says)).next or "") == next_


@pytest.mark.parametrize(
    ("given", "idle_in"),
    [({}, MORNING), ({"has_hours": False}, ALWAYS.start), ({"size": 0, "record": IDLE_SINCE}, MORNING)],
)
def test_an_idle_pool_is_idle_in_its_window(given: Given, idle_in: datetime) -> None:
    assert situation(**given).desired(readings(**BOTH_IDLE)).idle_in == idle_in


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, ["queue", "duty", "load"]),
        ({"has_hours": False}, ["queue", "duty", "load"]),
        ({"because": BECAUSE}, []),
        ({"awake_until": EVENING}, []),
        ({"now": EVENING}, ["queue", "duty", "load"]),
        ({"now": EVENING, "record": PoolRecord(on_since=EVENING - minutes(29))}, ["queue"]),
        ({"now": EVENING, "record": AT_ZERO}, ["queue"]),
        ({"now": EVENING, "size": 0}, ["queue"]),
        ({"size": 0, "record": IDLE_SINCE}, ["queue"]),
        ({"now": MORNING + minutes(29)}, []),
        ({"record": PoolRecord(on_since=MONDAY - minutes(29))}, []),
        ({"has_signals": False}, []),
        ({"has_signals": False, "now": EVENING}, []),
    ],
)
def test_no_signal_is_asked_for_that_does_not_matter(given: Given, asked: Iterable[str]) -> None:
    questions: set[tuple[Signal, int]] = {SIGNALS[name] for name in asked}
    assert situation(**given).questions() == questions


say = some.sampled_from(Says)
moments = some.timedeltas(timedelta(), timedelta(days=7)).map(lambda later: MONDAY + later)
givens = some.fixed_dictionaries(
    {
        "now": moments,
        "size": some.integers(0, 2),
        "because": some.sampled_from(["", BECAUSE]),
        "awake_until": some.none() | moments,
        "has_hours": some.booleans(),
    }
)


@given(givens, some.fixed_dictionaries({"queue": say, "duty": say, "load": say}))
def test_first_things_first(given: Given, says: dict[str, Says]) -> None:
    desired = situation(**given).desired(readings(**says))
    is_asked_for = given["awake_until"] is not None and given["now"] < given["awake_until"]
    if given["because"]:
        assert desired.state is State.ZERO
    elif is_asked_for or says["queue"] is ACTIVE:
        assert desired.state is State.ON
    elif desired.state is State.ZERO and given["size"]:
        assert says["queue"] is IDLE
        assert str(desired.why) == "out of hours" or (says["duty"], says["load"]) == (IDLE, IDLE)
