"""The messages that arrive during the story: budget notifications, and commands of the owner."""

from datetime import UTC, datetime
from decimal import Decimal

from local.story.player import Player
from local.suite import Suite
from shared.events import inbox_of
from shared.publishing import publish

ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
BUDGET = f"billingAccounts/{ACCOUNT}/budgets/8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"
NOVEMBER = datetime(2026, 11, 1, 7, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 8, tzinfo=UTC)


def notify(player: Player, cost: str, *, interval: datetime = NOVEMBER) -> str:
    """Cloud Billing notifies of this cost, and the suite answers."""
    player.console.detail("event", f"budget notification: {cost} of 400.00 USD")
    message_id = player.cloud.budgets.notify(BUDGET, Decimal(cost), interval_start=interval)
    player.show(message_id)
    return message_id


def command(player: Player, suite: Suite, automation: str, said: dict[str, str]) -> None:
    """The owner sends a command to an automation's inbox."""
    player.console.detail("event", f"command to {automation}: {' '.join(said.values())}")
    player.show(publish(suite.clients, f"projects/my-product/topics/{inbox_of(automation)}", said))
