"""The answers of Slack's incoming webhooks, as text.

Limits: https://docs.slack.dev/reference/block-kit/blocks. Errors:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from collections.abc import Callable, Mapping

from localcloud.core.http import HttpAnswer

TEXT = "text/html"
OK = HttpAnswer(200, b"ok", TEXT)
NO_SERVICE = HttpAnswer(404, b"no_service", TEXT)
ARCHIVED = HttpAnswer(410, b"channel_is_archived", TEXT)
RATE_LIMITED = HttpAnswer(429, b"rate_limited", TEXT, {"Retry-After": "1"})
INVALID_PAYLOAD = HttpAnswer(400, b"invalid_payload", TEXT)
NO_TEXT = HttpAnswer(400, b"no_text", TEXT)
INVALID_BLOCKS = HttpAnswer(400, b"invalid_blocks", TEXT)
MOST_BLOCKS = 50
LONGEST_SECTION = 3000
LONGEST_HEADER = 150
MOST_ELEMENTS = 10
"""Of a context."""


def refusal(message: Mapping[str, object] | None) -> HttpAnswer | None:
    """Why a message is not taken; None if it is."""
    if message is None:
        return INVALID_PAYLOAD
    blocks = message.get("blocks")
    if not message.get("text") and not blocks:
        return NO_TEXT
    if blocks is None:
        return None
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS or not all(map(_is_valid, blocks)):
        return INVALID_BLOCKS
    return None


def _is_valid(block: object) -> bool:
    if not isinstance(block, dict) or block.get("type") not in CHECKS:
        return False
    return CHECKS[str(block["type"])](block)


def _is_text(value: object, longest: int, kinds: tuple[str, ...]) -> bool:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return False
    text = value.get("text")
    return isinstance(text, str) and 0 < len(text) <= longest


def _section(block: Mapping[str, object]) -> bool:
    return _is_text(block.get("text"), LONGEST_SECTION, ("mrkdwn", "plain_text"))


def _header(block: Mapping[str, object]) -> bool:
    return _is_text(block.get("text"), LONGEST_HEADER, ("plain_text",))


def _context(block: Mapping[str, object]) -> bool:
    elements = block.get("elements")
    return (
        isinstance(elements, list)
        and 0 < len(elements) <= MOST_ELEMENTS
        and all(_is_text(one, LONGEST_SECTION, ("mrkdwn", "plain_text")) for one in elements)
    )


CHECKS: Mapping[str, Callable[[Mapping[str, object]], bool]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "divider": lambda _: True,
}
