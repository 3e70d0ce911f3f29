"""Law 11, settings may change at any time: what is held is restored, or an alert names it with a command that works.

When most is held, each key of the section is dropped, renamed or altered, and permissions are granted anew, as a
deployment grants them: for what the settings ask for and what is held. Ticks follow, the commands that debts name then,
and ticks again. Then everything is as it was seeded, or as without the edit and after the same commands, and nothing
is held, or an alert names it.
"""

import shlex
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from infra.deploy.commands import read_command
from infra.suite.scope import scope_of, union_of
from localcloud.core.snapshot import Snapshot
from shared.automation import Records
from shared.debts import Debt
from shared.events import inbox_of
from shared.restrictions import DOCUMENT as RESTRICTIONS
from shared.restrictions import SpendingRestrictions
from shared.state import State
from tests.laws.case import Case, Delivery
from tests.laws.edits import Edit, edits_of
from tests.laws.harness import Stage
from tests.laws.least_privilege import enforcing
from tests.laws.scenario import Event

NAME = "settings"
TICKS = 2
PATIENCE = timedelta(days=8)
COMMAND = "./deploy.sh send "


def check(case: Case, part: str) -> None:
    """Play the scenario until most is held, then every edit from there."""
    del part
    with Stage(case, NAME, is_by_wire=False) as stage:
        seeded = stage.resources()
        past, debts = _when_most_is_held(stage)
        if not debts:
            return
        _future(stage)
        right = (seeded, stage.resources())
        for edit in edits_of(case.scenario.settings, case.automation):
            past.restore()
            _deploy(stage, edit, debts)
            last = _future(stage)
            stage.authorize = None
            _must_be_restored_or_named(stage, edit, debts, right, last)


def _when_most_is_held(stage: Stage) -> tuple[Snapshot, tuple[Debt, ...]]:
    past, most = stage.snapshot(), _debts(stage)
    for event in stage.scenario.events:
        stage.play([event])
        if len(debts := _debts(stage)) > len(most):
            past, most = stage.snapshot(), debts
    past.restore()
    return past, most


def _debts(stage: Stage) -> tuple[Debt, ...]:
    name = stage.automation.name
    records: Records = State(stage.clients).read(f"records/{name}")[0].as_type(stage.automation.records)
    return records.debts()


def _deploy(stage: Stage, edit: Edit, debts: Sequence[Debt]) -> None:
    """Deploy edited settings: from now on only what they and the debts ask for is granted."""
    entry, project = stage.case.entry, stage.scenario.project
    sections: list[Any] = [edit.section, *(debt.asks_for for debt in debts)]
    stage.settings = edit.settings
    stage.authorize = enforcing(entry, union_of([scope_of(one, entry, project) for one in sections], entry))


def _future(stage: Stage) -> Delivery | None:
    """Ticks, the commands that the debts name, and ticks: the last delivery. What ends by itself is given its time."""
    _tick(stage)
    for command in dict.fromkeys(debt.undo for debt in _debts(stage)):
        stage.deliver(_event_of(stage, command))
    if stage.case.entry.obeys:
        _lift_restrictions(stage)
    if _ends_by_itself(stage):
        _tick(stage)
        stage.cloud.clock.advance(PATIENCE)
    return _tick(stage)


def _tick(stage: Stage) -> Delivery | None:
    """Some ticks, whether their runs succeed or not."""
    last = None
    for _ in range(TICKS * stage.scenario.ticks if stage.case.entry.tick else 0):
        stage.let_a_period_pass()
        last = stage.deliver(stage.a_tick())
    return last


def _event_of(stage: Stage, text: str) -> Event:
    """The message of a command as a debt names it. A time that it leaves open is tomorrow."""
    now = stage.cloud.clock.now()
    words = shlex.split(text.removeprefix(COMMAND).replace("TIME", f"{now + timedelta(days=1):%Y-%m-%dT%H:%MZ}"))
    automation, command = read_command(words, now)
    data: dict[str, object] = msgspec.to_builtins(command)
    return Event(name=f"undo_{len(text)}_{now:%H%M%S}", topic=inbox_of(automation), data=data, published=now)


def _lift_restrictions(stage: Stage) -> None:
    """Another automation lifts its restrictions, as in a new period of the budget."""
    state = State(stage.clients)
    (known,) = state.read(RESTRICTIONS)
    state.write(known, SpendingRestrictions())


def _ends_by_itself(stage: Stage) -> bool:
    """Whether what is held is not to be as it was, but to come to an end: a rotation."""
    return "undo" in stage.case.entry.laws_that_do_not_apply


def _must_be_restored_or_named(
    stage: Stage, edit: Edit, debts: Sequence[Debt], right: tuple[dict[str, Any], ...], last: Delivery | None
) -> None:
    alerts = last.report.alerts if last and last.report else ()
    named = {alert.subject for alert in alerts}
    actual = stage.resources()
    for name in () if _ends_by_itself(stage) else dict.fromkeys(debt.resource for debt in debts):
        if name not in named and actual.get(name) not in [state.get(name) for state in right]:
            stage.must_be(right[1].get(name), actual.get(name), f"{edit.what}: {name} is not restored, and no alert")
    known = {_identity(stage, debt) for debt in debts}
    for debt in _debts(stage):
        if debt.resource not in named and _identity(stage, debt) in known:
            raise stage.broken(f"{edit.what}: no alert names what is still held: {debt}")


def _identity(stage: Stage, debt: Debt) -> tuple[object, ...]:
    """The identity of a debt: a rotation may be followed by another, a field's hold by another's."""
    return (debt.resource, debt.field, debt.since if _ends_by_itself(stage) else None)
