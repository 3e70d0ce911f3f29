"""A day in the life of a GPU pool: an idle afternoon, backlog at night, a spending restriction, a stock-out."""

from datetime import UTC, datetime, timedelta

from local.story import hands
from local.story.messages import DECEMBER, command, notify
from local.story.player import Player
from local.suite import Suite

POOL = "projects/my-product/locations/europe-west4/clusters/research/nodePools/gpu"
ZONES = ("europe-west4-a", "europe-west4-b")
BUSY = 84
TICK = timedelta(minutes=5)
AFTERNOON = datetime(2026, 12, 1, 13, 30, tzinfo=UTC)
NIGHT = datetime(2026, 12, 2, 1, tzinfo=UTC)
MORNING = datetime(2026, 12, 2, 7, tzinfo=UTC)  # eight o'clock in Berlin


def play(player: Player, suite: Suite) -> None:
    """Play the whole day; every step checks what it has left in the cloud."""
    player.about("scale_gpu_pools")
    player.cloud.gke.operation_delay = timedelta(minutes=2)
    _afternoon(player, suite)
    _night(player, suite)
    _restricted(player, suite)
    _stock_out(player, suite)
    command(player, suite, "scale_gpu_pools", {"type": "status"})


def _afternoon(player: Player, suite: Suite) -> None:
    player.pass_time(AFTERNOON - player.cloud.clock.now())
    _check(player, suite, nodes=2, autoscaling="0 to 2")
    _work(player, duty_cycle=0, messages=0)
    player.step(
        "A busy GPU pool is idle for half an hour: the autoscaler is turned off, then the pool is set to zero.",
        after=timedelta(minutes=20),
    )
    _ticks(player, 5)
    _check(player, suite, nodes=0, autoscaling="off")


def _night(player: Player, suite: Suite) -> None:
    player.step(
        "At night 40 messages wait for a GPU: the pool is restored within two ticks.",
        after=NIGHT - player.cloud.clock.now(),
    )
    _work(player, duty_cycle=None, messages=40)
    player.pass_time(timedelta(minutes=1))
    _ticks(player, 2)
    player.pass_time(timedelta(minutes=3))
    _check(player, suite, nodes=2, autoscaling="0 to 2")
    _work(player, duty_cycle=0, messages=0)
    player.step("The work is done while it is still night.", after=timedelta(minutes=30))
    _ticks(player, 2)
    _check(player, suite, nodes=0, autoscaling="off")


def _restricted(player: Player, suite: Suite) -> None:
    player.step("In the morning the pool's hours start.", after=MORNING - player.cloud.clock.now())
    _work(player, duty_cycle=BUSY, messages=3)
    _ticks(player, 3)
    _check(player, suite, nodes=2, autoscaling="0 to 2")
    player.step("The month's budget is spent on the second day: GPU pools are turned off, even during their hours.")
    notify(player, "418.20", interval=DECEMBER)
    _ticks(player, 3)
    _check(player, suite, nodes=0, autoscaling="off")


def _stock_out(player: Player, suite: Suite) -> None:
    player.step("The owner accepts the cost, but Google is out of GPUs.")
    for zone in ZONES:
        player.cloud.gke.stock_out(zone)
    command(player, suite, "cap_spending", {"type": "undo"})
    player.step(
        "After twenty minutes without a node: an alert with Google's reason. The pool keeps trying.",
        after=timedelta(minutes=15),
    )
    _ticks(player, 3)
    _check(player, suite, nodes=0, autoscaling="0 to 2")
    player.step("GPUs are available again.")
    for zone in ZONES:
        player.cloud.gke.end_stock_out(zone)
    _ticks(player, 3)
    _check(player, suite, nodes=2, autoscaling="0 to 2")


def _work(player: Player, *, duty_cycle: int | None, messages: int) -> None:
    """From now on the pool has so much to do; without nodes there is no duty cycle."""
    monitoring = player.cloud.monitoring
    monitoring.set_value(
        "my-product",
        "kubernetes.io/container/accelerator/duty_cycle",
        duty_cycle,
        resource_type="k8s_container",
        resource_labels={"location": "europe-west4", "cluster_name": "research"},
    )
    monitoring.set_value(
        "my-product",
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        messages,
        resource_type="pubsub_subscription",
        resource_labels={"subscription_id": "training-jobs"},
    )


def _ticks(player: Player, count: int) -> None:
    """Let so many ticks come, each at its time."""
    for _ in range(count):
        player.pass_time(TICK)


def _check(player: Player, suite: Suite, *, nodes: int, autoscaling: str) -> None:
    def bounds() -> str:
        said = hands.autoscaling(suite, POOL)
        return f"{said.min_node_count} to {said.max_node_count}" if said.enabled else "off"

    player.check("GPU nodes", lambda: player.cloud.gke.size_of(POOL), nodes)
    player.check("autoscaling of the GPU pool", bounds, autoscaling)
