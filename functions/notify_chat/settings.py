"""The owner's section of caretaker.yaml for `notify_chat`: which room gets the messages."""

from enum import StrEnum

from shared.settings import SecretName, Section


class Product(StrEnum):
    """The chat product of the room."""

    SLACK = "slack"
    GOOGLE_CHAT = "google_chat"

    @property
    def label(self) -> str:
        """As its vendor calls it."""
        return {Product.SLACK: "Slack", Product.GOOGLE_CHAT: "Google Chat"}[self]

    @property
    def address(self) -> str:
        """The prefix of its incoming webhooks' addresses."""
        return {
            Product.SLACK: "https://hooks.slack.com/services/",
            Product.GOOGLE_CHAT: "https://chat.googleapis.com/v1/spaces/",
        }[self]


class Settings(Section, frozen=True, kw_only=True):
    """Section `notify_chat`."""

    product: Product
    """The chat product of the incoming webhook."""
    webhook_secret: SecretName
    """Contains the address of the incoming webhook: anyone who has it can post."""
