"""10,000 notifications, doubled and shuffled, from eight senders at once: each resource is changed once.

Ours and a function that does nothing take turns, each hosted as it is deployed. The senders have a process of their
own; the local cloud, where ours reads and writes its state for each message, is this one.
"""

import random
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.functions import PROJECT, bare_bundle, bundle, environment, notification, serving, wait_for
from benchmarks.harness import Figure, show, spread
from benchmarks.senders import SENDERS, Turn, senders, turn
from localcloud import LocalCloud
from localcloud.world import seed, world_from

MESSAGES = 10_000
SERVICES = 20
TURNS = 10
IN_A_TURN = MESSAGES // TURNS
TOPIC = f"/projects/{PROJECT}/topics/caretaker-budget-notifications"
AT_LEAST = 0.55


def measure() -> bool:
    """Measure and print. Returns whether every service was changed exactly once."""
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud, senders() as pool:
        seed(cloud, world_from(_world()))
        ready = environment(cloud.address, cloud.http_address)
        place = Path(folder)
        with (
            serving(bundle(place / "ours", "cap_spending"), "cap_spending", ready) as ours,
            serving(bare_bundle(place / "bare"), "bare", ready) as bare,
        ):
            for contender in (ours, bare):
                wait_for(contender.port)
            bodies = _bodies()
            turn(pool, bare, TOPIC, bodies[:IN_A_TURN])  # not counted
            turns = [
                (turn(pool, ours, TOPIC, part), turn(pool, bare, TOPIC, part))
                for part in (bodies[start : start + IN_A_TURN] for start in range(0, MESSAGES, IN_A_TURN))
            ]
        updates: dict[str, int] = {}
        for call in cloud.server.calls:
            if call.method.endswith("Services/UpdateService"):
                name = call.request.service.name  # type: ignore[attr-defined]
                updates[name] = updates.get(name, 0) + 1
    our_turns, bare_turns = zip(*turns[1:], strict=True)  # the first has the cold start, and changes the services
    once = sum(count == 1 for count in updates.values())
    figures = [
        Figure("messages a second", "bare function", *_medians(our_turns, bare_turns, "rate"), "/s", at_least=AT_LEAST),
        Figure("CPU of the function", "bare function", *_medians(our_turns, bare_turns, "cpu"), "ms a message"),
    ]
    sent_again = sum(ours.sent_again for ours, _ in turns)
    rates = {"ours": our_turns, "bare": bare_turns}
    each = ", ".join(f"{name} {spread([one.rate for one in found])}" for name, found in rates.items())
    notes = [
        f"{MESSAGES} messages, half of them different, shuffled, from {SENDERS} senders; {sent_again} sent again",
        f"{once} of {SERVICES} services were changed exactly once; updates in all: {sum(updates.values())}",
        f"messages a second in {TURNS} turns, of which the first is not counted: {each}",
        f"CPU of the local cloud: {spread([one.here for one in our_turns])} ms a message of ours",
    ]
    show("Notifications", figures, notes)
    return once == SERVICES == len(updates)


def _medians(ours: tuple[Turn, ...], bare: tuple[Turn, ...], field: str) -> tuple[float, float]:
    first, second = (statistics.median(getattr(turn, field) for turn in turns) for turns in (ours, bare))
    return first, second


def _world() -> dict[str, object]:
    services = {
        f"web-{number}": {"labels": {"tier": "web"}, "scaling": {"max_instance_count": 10}}
        for number in range(SERVICES)
    }
    return {"projects": {PROJECT: {"location": "europe-west1", "services": services}}}


def _bodies() -> list[bytes]:
    """All messages: during them the cost passes the rung that limits the services."""
    different = [notification(str(number), 150 * number / (MESSAGES // 2)) for number in range(1, MESSAGES // 2 + 1)]
    bodies = different * 2
    random.Random(8).shuffle(bodies)  # noqa: S311 - the same order in each run
    return bodies


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
