"""Law 4, duplicates: n deliveries equal one, one after another and interleaved at any API call."""

from tests.laws.case import Case
from tests.laws.harness import Stage

NAME = "duplicates"
DELIVERIES = 3


def check(case: Case, part: str) -> None:
    """Deliver one event several times in a row, then twice at once, the first held before each of its calls in turn."""
    with Stage(case, NAME, is_by_wire=False) as stage:
        event = stage.play_until(part)
        past = stage.snapshot()
        (whole, *_) = stage.deliver_until_acknowledged(event)
        expected = stage.end_state()
        for _ in range(DELIVERIES - 1):
            stage.deliver_until_acknowledged(event)
        stage.must_be(expected, stage.end_state(), f"`{event.name}` delivered {DELIVERIES} times is not as once")
        # Wherever both together have changed the same, the end state is the same.
        seen = set()
        for at, method in enumerate(whole.methods):
            past.restore()
            deliveries = stage.deliver_twice_at_once(event, at)
            owed = [delivery for delivery in deliveries if not delivery.is_over]
            key = (deliveries[0].effects(), len(owed))
            if key in seen:
                continue
            seen.add(key)
            for _ in owed:
                stage.deliver_until_acknowledged(event)
            what = f"`{event.name}` held before call {at}, {method}, while a copy of it ran: the end state differs"
            stage.must_be(expected, stage.end_state(), what)
