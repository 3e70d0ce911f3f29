"""The part of a world that is chat rooms: the incoming webhooks that exist."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from localcloud.core.world_place import Place

if TYPE_CHECKING:
    from localcloud.chat.service import Chat

SlackHook = Annotated[str, msgspec.Meta(pattern=r"^T\w+/B\w+/\w+$")]
Space = Annotated[str, msgspec.Meta(pattern=r"^[\w-]+$")]


class GoogleSpace(msgspec.Struct, forbid_unknown_fields=True):
    """A space of Google Chat with one incoming webhook."""

    key: str
    token: str


class ChatWorld(msgspec.Struct, forbid_unknown_fields=True):
    """The key `chat` of a world."""

    slack: list[SlackHook] = []
    """The paths of the webhooks, as after ``https://hooks.slack.com/services/``."""
    google_chat: dict[Space, GoogleSpace] = {}
    """By space, the webhook's secrets."""


def add_rooms(chat: "Chat", place: Place, world: ChatWorld) -> None:
    """Let the webhooks exist."""
    del place
    for hook in world.slack:
        chat.add_slack(hook)
    for space, one in world.google_chat.items():
        chat.add_google_chat(space, one.key, one.token)
