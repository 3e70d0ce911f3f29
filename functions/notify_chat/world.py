"""`notify_chat` reads nothing of the world: reports tell it everything, and a room cannot be read by its webhook."""

from shared.world import Need


class Nothing(Need[None], frozen=True):
    """No question."""
