"""Plays days of `cap_spending` again through the whole run on the local cloud: notifications as Pub/Sub pushes them."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timedelta

import msgspec
from cloudevents.http import CloudEvent

from functions.cap_spending.automation import AUTOMATION
from functions.cap_spending.notification import SCHEMA_VERSION
from functions.cap_spending.settings import Action, Settings
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.direct_clients import DirectClients
from shared.restrictions import DOCUMENT as RESTRICTIONS
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import State
from shared.watching import NoWatcher
from simulate.playing import Step
from simulate.replay import PROJECT, pushed
from simulate.spending import Cost, Spent, forecast_threshold, period_start

TOPIC = "budgets"
DAY = timedelta(days=1)


def can_be_played_again(settings: Settings) -> bool:
    """Whether the local cloud needs nothing but notifications: not what is detached, nor the ticks of a projection."""
    rungs = [rung for budget in settings.budgets.values() for rung in budget.ladder]
    return not any(Action.DETACH_BILLING in rung.do or rung.on == "projected" for rung in rungs)


def spending_differences(
    spent: Spent, settings: Settings, amounts: Mapping[str, float], days: Sequence[datetime]
) -> list[str]:
    """Differences between the local cloud's rungs and the simulation's on these days: none if they are equal."""
    found = []
    for day in days:
        here = {step.at: step.changes for step in spent.steps if day <= step.at < day + DAY}
        there = {step.at: step.changes for step in _replay(spent, settings, amounts, day)}
        found += [
            f"cap_spending: simulated {here.get(at)} at {at}, on the local cloud {there.get(at)}"
            for at in sorted(here.keys() | there.keys())
            if here.get(at) != there.get(at)
        ]
    return found


def _replay(spent: Spent, settings: Settings, amounts: Mapping[str, float], day: datetime) -> list[Step]:
    cloud = LocalCloud(now=day)
    clients = DirectClients(PROJECT, cloud, watcher=NoWatcher())
    runtime = Runtime(clients, clock=cloud.clock.now, report=lambda _: None, log=lambda _: None)
    try:
        seed(cloud, world_from({"projects": {name: {} for name in sorted(_projects(settings))}}))
        for path, value in (
            (f"records/{AUTOMATION.name}", spent.days[day].records),
            (RESTRICTIONS, spent.days[day].restrictions),
        ):
            State(clients).write(State(clients).read(path)[0], value)
        steps = []
        for cost in (one for one in spent.costs if day <= one.at < day + DAY):
            cloud.clock.advance_to(cost.at)
            for key in settings.budgets:
                event = _notification(settings, key, cost, amounts[key])
                # A notification of people is a line of the log on the standard output, which is not part of the answer.
                with redirect_stdout(io.StringIO()):
                    report = run(AUTOMATION, Configuration(Mode.ACT, settings), event, runtime)
                said = [f"{one.kind} {one.field} {one.before} -> {one.after}: {one.reason}" for one in report.changes]
                steps += [Step(cost.at, tuple(said))] if said else []
        return steps
    finally:
        clients.close()
        cloud.stop()


def _notification(settings: Settings, key: str, cost: Cost, amount: float) -> CloudEvent:
    """The notification that Google would have pushed: https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications."""
    budget = settings.budgets[key]
    data = {
        "costAmount": cost.simulated,
        "costIntervalStart": period_start(cost.at).isoformat(),
        "budgetAmount": amount,
        "currencyCode": budget.currency,
    }
    if (threshold := forecast_threshold(budget, amount, cost.forecast)) is not None:
        data["forecastThresholdExceeded"] = threshold
    attributes = {
        "billingAccountId": budget.billing_account,
        "budgetId": budget.id,
        "schemaVersion": SCHEMA_VERSION,
    }
    return pushed(TOPIC, f"{cost.at:%Y%m%d%H%M}", cost.at, msgspec.json.encode(data), attributes)


def _projects(settings: Settings) -> Iterator[str]:
    yield PROJECT
    for budget in settings.budgets.values():
        for scope in (budget.may_touch.limit_cloud_run, budget.may_touch.pause_schedules):
            yield from scope.projects if scope else ()
