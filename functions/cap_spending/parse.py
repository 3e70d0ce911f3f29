"""Parse messages: only notifications and anomalies from the budget topic, only ticks and commands from the inbox."""

from functions.cap_spending.anomaly import CostAnomaly, is_anomaly, parse_anomaly
from functions.cap_spending.commands import (
    Accept,
    Arm,
    Lift,
    LinkBilling,
    RemoveSpendCaps,
    Snooze,
    Status,
    Undo,
    checked,
)
from functions.cap_spending.notification import BudgetNotification, parse_notification
from functions.cap_spending.settings import Settings
from shared.decoding import decoder_of
from shared.events import Command, PubsubMessage, RestrictionsChanged, Tick, is_from_inbox, read_inbox

Event = BudgetNotification | CostAnomaly | Tick | RestrictionsChanged | Command
Inbox = Tick | RestrictionsChanged | Undo | Accept | Snooze | LinkBilling | Lift | Arm | RemoveSpendCaps | Status


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed.

    Only the inbox can command: a message by any other topic is a budget notification, a cost anomaly or nothing.
    """
    if not is_from_inbox(message, "cap_spending"):
        return parse_anomaly(message, settings) if is_anomaly(message) else parse_notification(message, settings)
    event = read_inbox(message, decoder_of(Inbox))
    return checked(event, settings) if isinstance(event, Command) else event
