"""Slack and Google Chat beside the local cloud."""

from localcloud.chat.seed import ChatWorld, add_rooms
from localcloud.chat.service import Chat
from localcloud.core.service import Section, Service
from localcloud.core.world_format import World

CHAT = Service(
    lambda cloud: Chat(cloud.clock),
    is_http=True,
    sections=(Section(World, "chat", ChatWorld, add_rooms, default=ChatWorld),),
    happenings=(Chat.archive, Chat.remove),
)
