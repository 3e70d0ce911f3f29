"""Google Chat's validation of a webhook's message.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
"""

from collections.abc import Mapping

import grpc

from localcloud.chat.room import Room
from localcloud.core.messages import invalid
from localcloud.core.server import ApiError

LARGEST = 32_000
"""Bytes of a message, cards included."""
MOST_WIDGETS = 100
"""Of a card; Google shows no more."""
MESSAGE = frozenset({"text", "cardsV2", "thread", "fallbackText", "accessoryWidgets"})
CARD = frozenset({"header", "sections", "name", "sectionDividerStyle", "cardActions"})
SECTION = frozenset({"header", "widgets", "collapsible", "uncollapsibleWidgetsCount"})
WIDGET = frozenset({"textParagraph", "decoratedText", "buttonList", "divider", "image"})
RATE_LIMITED = ApiError(
    grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric 'Message writes' and limit per space."
)


def check_caller(room: Room | None, query: Mapping[str, str]) -> None:
    """Raises INVALID_ARGUMENT for a wrong key, UNAUTHENTICATED for a wrong token."""
    if room and query.get("key") != room.key:
        raise invalid("API key not valid. Please pass a valid API key.")
    if room and query.get("token") != room.token:
        raise ApiError(grpc.StatusCode.UNAUTHENTICATED, "The request has an invalid webhook token.")


def check_message(message: Mapping[str, object], size: int) -> None:
    """Raises INVALID_ARGUMENT for a message that is empty, too large, or has fields that Chat does not know."""
    _check_fields(message, MESSAGE)
    if not message.get("text") and not message.get("cardsV2"):
        raise invalid("Message cannot be empty. Discarding empty create message request in the space.")
    if size > LARGEST:
        raise invalid(f"Message is longer than {LARGEST} bytes")
    for card in _list(message, "cardsV2"):
        _check_card(card)


def _check_card(with_id: object) -> None:
    card = with_id.get("card") if isinstance(with_id, dict) else None
    if not isinstance(card, dict):
        raise invalid("Invalid value at 'message.cards_v2': a card is required")
    _check_fields(card, CARD)
    sections = [one for one in _list(card, "sections") if isinstance(one, dict)]
    widgets = [widget for section in sections for widget in _list(section, "widgets")]
    for section in sections:
        _check_fields(section, SECTION)
    for widget in widgets:
        if isinstance(widget, dict):
            _check_fields(widget, WIDGET)
    if not widgets or len(widgets) > MOST_WIDGETS:
        raise invalid(f"Card must have at least one widget, and at most {MOST_WIDGETS}")


def _list(value: Mapping[str, object], key: str) -> list[object]:
    found = value.get(key, [])
    if not isinstance(found, list):
        raise invalid(f"Invalid value at {key!r}: expected a list")
    return found


def _check_fields(value: Mapping[str, object], known: frozenset[str]) -> None:
    for name in value:
        if name not in known:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
