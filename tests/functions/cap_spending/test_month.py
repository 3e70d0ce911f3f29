"""A month of decisions, every one with its reason, held against a text that people can read: `month.txt`.

When a decision is meant to become another one: `python -m tests.functions.cap_spending.test_month`.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo
from tests.functions.cap_spending.examples import DECEMBER, EXPERIMENTS, NOON, WORKER, hours, settings
from tests.functions.cap_spending.simulation import Simulation

GOLDEN = Path(__file__).with_name("month.txt")


def rendered() -> str:
    """The month as text."""
    return "".join(f"{line}\n" for line in _month())


def _month() -> Iterator[str]:
    known = settings(
        {"at": 0.5, "do": ["notify"]},
        {"at": 0.8, "on": "forecast", "do": ["notify", "previews_off"]},
        {"at": 0.95, "on": "projected", "do": ["gpu_pools_off"]},
        {"at": 1.0, "do": ["notify", "pause_schedules", "limit_cloud_run"]},
        {"at": 1.5, "do": ["detach_billing"]},
        hourly_burn=2,
    )
    stage = Simulation(known, amounts={"monthly": Decimal(400)})
    yield from _step(stage, "120 of 400", lambda: stage.notify(120))
    yield from _step(stage, "204.50, and Google forecasts 80 %", lambda: stage.notify(204.5, forecast=0.8, after=40))
    yield from _step(stage, "370", lambda: stage.notify(370, after=50))
    yield from _step(stage, "a tick, five hours later", lambda: stage.tick(5))
    yield from _step(stage, "412.30", lambda: stage.notify(412.3, after=2))
    yield from _step(stage, "the same again", lambda: stage.notify(412.3))
    yield from _step(stage, "a person raises the worker to 4", lambda: stage.change_by_hand(WORKER, 4))
    yield from _step(stage, "a tick", lambda: stage.tick(1))
    yield from _step(stage, "the rung actual@1 is accepted", lambda: stage.deliver(Accept(rung="actual@1"), after=1))
    yield from _step(stage, "nothing new for a day", lambda: stage.deliver(Snooze(until=NOON + hours(130)), after=1))
    yield from _step(stage, "603", lambda: stage.notify(603, after=20))
    yield from _step(stage, "a tick after that day", lambda: stage.tick(20))
    stage.amounts = {"monthly": Decimal(450)}
    yield from _step(stage, "a tick; the budget is 450 now", lambda: stage.tick(1))
    yield from _step(stage, "undone", lambda: stage.deliver(Undo(), after=1))
    yield from _step(stage, "680 of 450", lambda: stage.notify(680, 450, after=1))
    stage.change_by_hand(EXPERIMENTS, "")
    yield from _step(stage, "a new month", lambda: stage.notify(2.4, 450, interval=DECEMBER, after=260))
    yield from _step(
        stage, "a project is to be linked again", lambda: stage.deliver(LinkBilling(project="my-experiments"), after=1)
    )


def _step(stage: Simulation, what: str, happens: Callable[[], None]) -> Iterator[str]:
    stage.plans, stage.notices = [], []
    happens()
    yield f"{stage.now:%d %b %H:%M}  {what}"
    for plan in stage.plans:
        for change in plan.changes:
            yield f"    {change.kind} {change.target}: {change.field} {change.before or '-'} -> {change.after or '-'}"
            yield f"        because {change.reason}"
    for notice in stage.notices:
        yield f"    notice: {notice}"
    for line in stage.plans[-1].next if stage.plans else ():
        yield f"    next: {line}"
    yield f"    {', '.join(f'{name} {value or None}' for name, value in stage.values.items())}"
    yield f"    restrictions: {', '.join(sorted(stage.restrictions.in_force)) or 'none'}"


def test_a_month_of_decisions() -> None:
    assert rendered().splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    GOLDEN.write_text(rendered(), encoding="utf-8")
