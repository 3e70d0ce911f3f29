"""Law 2, dry run is the truth: observing changes nothing but own records, and plans what acting does first."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.automation import AnyAutomation
from shared.decision import Change
from shared.report import ChangeReport
from shared.settings import Mode
from tests.laws.broken import in_lines
from tests.laws.case import Case
from tests.laws.harness import Stage

NAME = "dry_run_is_the_truth"


@dataclass
class FirstRound:
    """Notes what an automation applies before it looks at the world again."""

    applied: list[Change] = field(default_factory=list)
    is_over: bool = False

    def around(self, automation: AnyAutomation) -> AnyAutomation:
        """The same automation, noted."""

        def decide(*arguments: Any) -> Any:
            self.is_over = bool(self.applied)
            return automation.decide(*arguments)

        def apply(change: Change, *arguments: Any) -> Any:
            if not self.is_over:
                self.applied.append(change)
            return automation.apply(change, *arguments)

        return msgspec.structs.replace(automation, decide=decide, apply=apply)


def check(case: Case, part: str) -> None:
    """Before each event is acted upon, observe it from the same past, and compare."""
    del part
    with Stage(case, NAME) as stage:
        for event in stage.scenario.events:
            stage.reach(event)
            past = stage.snapshot()
            observed = stage.deliver(event, mode=Mode.OBSERVE)
            for call in observed.mutating:
                if not stage.only_writes(call, "records"):
                    raise stage.broken(f"observing `{event.name}` makes the mutating call {call.method}")
            planned = set(map(_line, observed.report.changes if observed.report else ()))
            past.restore()
            first = FirstRound()
            stage.automation = first.around(case.automation)
            stage.deliver_until_acknowledged(event)
            stage.automation = case.automation
            done = set(map(_line, first.applied))
            if planned != done:
                lines = [
                    *(f"only planned: {one}" for one in planned - done),
                    *(f"only done: {one}" for one in done - planned),
                ]
                raise stage.broken(f"observing `{event.name}` plans other than acting does first{in_lines(lines)}")


def _line(change: Change | ChangeReport) -> str:
    return f"{change.kind} {change.target}: {change.field} {change.before} -> {change.after}, as {change.reason}"
