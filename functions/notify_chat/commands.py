"""What a person may ask of `notify_chat`."""

from shared.events import Command


class Status(Command, frozen=True, tag="status"):
    """Report what the room has been told, and what it has not been told yet."""
