"""The one change that `notify_chat` makes: it posts a message."""

from functions.notify_chat.items import Item
from functions.notify_chat.settings import Product
from shared.decision import Change


class Post(Change, frozen=True, kw_only=True):
    """Post one message with all that has happened since the last one."""

    product: Product
    webhook_secret: str
    project: str
    """In whose log the reports are."""
    request_id: str
    """The same for the same lines, in every run."""
    items: tuple[tuple[str, Item], ...]
    """With their keys, the most urgent first."""

    @property
    def lines(self) -> tuple[Item, ...]:
        """The lines of the message."""
        return tuple(item for _, item in self.items)
