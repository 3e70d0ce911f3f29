"""Parse messages: only ticks, hints that restrictions have changed, and commands, from the inbox."""

from functions.scale_gpu_pools.commands import Awake, Off, Status, checked
from functions.scale_gpu_pools.settings import Settings
from shared.decoding import decoder_of
from shared.errors import IgnoredMessage
from shared.events import Command, PubsubMessage, RestrictionsChanged, Tick, is_from_inbox, read_inbox

Event = Tick | RestrictionsChanged | Command
Inbox = Tick | RestrictionsChanged | Awake | Off | Status


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed."""
    if not is_from_inbox(message, "scale_gpu_pools"):
        raise IgnoredMessage(f"foreign: nothing is expected by the topic {message.topic}")
    event = read_inbox(message, decoder_of(Inbox))
    return checked(event, settings) if isinstance(event, Command) else event
