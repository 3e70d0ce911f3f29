"""Law 3, crash equivalence: stop a run at any of its API calls, deliver again, tick, and all is as if it had not died.

A run is stopped before each call is sent, and each write after it took effect with its answer lost. To stop it after
an answer is to stop it before its next call, as nothing is sent between the two; and a read has no effect to be lost.
"""

from localcloud.core.calls import is_read
from tests.laws.case import Case
from tests.laws.harness import Stage
from tests.laws.probe import CrashingProbe

NAME = "crash_equivalence"


def check(case: Case, part: str) -> None:
    """Stop the run of one event at every point."""
    with Stage(case, NAME, is_by_wire=False) as stage:
        event = stage.play_until(part)
        past = stage.snapshot()
        (whole, *_) = stage.deliver_until_acknowledged(event)
        expected = stage.again_and_tick(event)
        # The dead leave nothing but what they had changed: what follows is the same wherever that is the same.
        seen = set()
        for at, method in enumerate(whole.methods):
            for answer_lost in (False,) if is_read(method) else (False, True):
                point = f"`{event.name}` died {'when it had made' if answer_lost else 'before'} call {at}, {method}"
                past.restore()
                died = stage.deliver(event, probe=CrashingProbe(at, answer_lost=answer_lost))
                if died.report or died.error:
                    raise stage.broken(f"{point}, and yet the run went on to {died.error or died.report}")
                if (effects := died.effects()) not in seen:
                    seen.add(effects)
                    stage.must_be(expected, stage.again_and_tick(event), f"{point}: the end state differs")
