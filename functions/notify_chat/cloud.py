"""The edge to the chat products: posts one message. Only this module knows the webhook's address."""

import msgspec

from functions.notify_chat.cards import card
from functions.notify_chat.changes import Post
from functions.notify_chat.settings import Product
from functions.notify_chat.world import Nothing
from shared.clients import Clients
from shared.errors import CaretakerError, no_answer
from shared.secret_values import latest_value

JSON = {"Content-Type": "application/json; charset=UTF-8"}


class NoWebhook(CaretakerError):
    """The secret does not contain the address of an incoming webhook of the product."""


class ChatRefused(CaretakerError):
    """The product does not take the message; the text has its words, and never the address."""


def look(need: Nothing, clients: Clients) -> None:
    """Never asked."""
    del need, clients


def apply(change: Post, clients: Clients) -> None:
    """Post a message. Raises what the call raises, or ``ChatRefused``, at the product's rate limit too.

    Google Chat creates one message for one request id, so that a message that was posted and whose answer was lost
    is not there twice. Slack has nothing like it: there it may be.
    """
    product = change.product
    address = latest_value(change.webhook_secret, clients)
    if not address.startswith(product.address):
        raise NoWebhook(f"{change.webhook_secret} does not contain an address that begins with {product.address}")
    body = msgspec.json.encode(card(product, change.lines, change.project))
    query = {"requestId": change.request_id} if product is Product.GOOGLE_CHAT else {}
    with no_answer(f"POST to the webhook of {product.label}"):
        answer = clients.public_session.post(
            clients.url(address),
            params=query,
            data=body,
            headers=JSON,
            timeout=clients.writing["timeout"],
            allow_redirects=False,
        )
    if answer.status_code >= 300:
        raise ChatRefused(f"{product.label} answered {answer.status_code}: {answer.text[:200]!r}")
