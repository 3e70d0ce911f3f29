"""The commands of `notify_chat`."""

from shared.events import Command


class Status(Command, frozen=True, tag="status"):
    """Report how many states the room has seen, and how many lines are pending."""
