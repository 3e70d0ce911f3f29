"""`notify_chat` reads nothing. Pure."""

from functions.notify_chat.records import Context
from functions.notify_chat.world import Nothing
from shared.world import World


def needs(context: Context, world: World) -> tuple[Nothing, ...]:
    """Nothing: reports tell everything."""
    del context, world
    return ()
