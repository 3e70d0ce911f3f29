"""Law 1, settled: run twice, and the second run's plan is empty and makes no mutating call."""

from tests.laws.case import Case, Delivery
from tests.laws.harness import Stage

NAME = "settled"


def check(case: Case, part: str) -> None:
    """Deliver each event twice; at the end, tick twice."""
    del part
    with Stage(case, NAME) as stage:
        for event in stage.scenario.events:
            stage.deliver_until_acknowledged(event)
            _must_be_settled(stage, stage.deliver(event), f"`{event.name}`, delivered again,")
        stage.tick()
        for delivery in stage.tick():
            _must_be_settled(stage, delivery, "the tick after the tick")


def _must_be_settled(stage: Stage, delivery: Delivery, what: str) -> None:
    if not delivery.is_over:
        raise stage.broken(f"{what} fails: {delivery.error}")
    if delivery.report and delivery.report.changes:
        planned = ", ".join(f"{change.kind} {change.target} ({change.outcome})" for change in delivery.report.changes)
        raise stage.broken(f"{what} still finds something to change: {planned}")
    if delivery.mutating:
        raise stage.broken(f"{what} still makes mutating calls: {', '.join(call.method for call in delivery.mutating)}")
