"""Parse messages: only ticks and commands, from the inbox."""

from functions.prune_backups.commands import Prune, Restore, Retire, Status, checked
from functions.prune_backups.settings import Settings
from shared.decoding import decoder_of
from shared.errors import IgnoredMessage
from shared.events import Command, PubsubMessage, Tick, is_from_inbox, read_inbox

Event = Tick | Command
Inbox = Tick | Prune | Restore | Retire | Status


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed."""
    if not is_from_inbox(message, "prune_backups"):
        raise IgnoredMessage(f"foreign: nothing is expected by the topic {message.topic}")
    event = read_inbox(message, decoder_of(Inbox))
    return checked(event, settings) if isinstance(event, Command) else event
