"""A message in the format of each product: Slack's blocks, and Google Chat's cards. Pure.

Texts are cut to the products' limits, and none of them is read as markup: names and errors may contain anything.
https://docs.slack.dev/reference/block-kit/blocks, https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
"""

import html
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from functions.notify_chat.items import Item, ItemKind
from functions.notify_chat.settings import Product

MOST_LINES = 20
"""Of one message; the rest is counted. Slack takes 50 blocks, Google Chat 32,000 bytes."""
LONGEST_TEXT = 400
"""Characters of a subject, a reason or an error."""
SIGNS: Mapping[ItemKind, str] = {
    ItemKind.ALERT: "Needs you",
    ItemKind.ALERT_OVER: "Over",
    ItemKind.HELD: "Held",
    ItemKind.RESTORED: "Restored",
    ItemKind.FAILED: "Failed",
    ItemKind.NOTIFIED: "Spending",
    ItemKind.WOULD: "Observing",
}
"""The first word of a line."""

FORMATTING = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)")

Json = dict[str, object]


def card(product: Product, items: Sequence[Item], project: str) -> Json:
    """The body of the request that posts a message."""
    return slack(items, project) if product is Product.SLACK else google_chat(items, project)


def summary(items: Sequence[Item]) -> str:
    """One sentence: what a phone shows of the message."""
    first = items[0]
    more = f", and {len(items) - 1} more" if len(items) > 1 else ""
    return _cut(f"{SIGNS[first.kind]}: {first.subject}: {first.what}{more}")


def slack(items: Sequence[Item], project: str) -> Json:
    """Blocks, with a text for notifications."""
    sections = [_slack_section(item, project) for item in items[:MOST_LINES]]
    return {
        "text": _slack_text(summary(items)),
        "blocks": [*sections, *([_slack_context(len(items) - MOST_LINES)] if len(items) > MOST_LINES else [])],
    }


def google_chat(items: Sequence[Item], project: str) -> Json:
    """A card, with a text for notifications."""
    widgets = [_paragraph(_google_line(item, project)) for item in items[:MOST_LINES]]
    if len(items) > MOST_LINES:
        widgets.append(_paragraph(_more(len(items) - MOST_LINES)))
    header = {"title": "Caretaker", "subtitle": _subtitle(items)}
    inner = {"header": header, "sections": [{"widgets": widgets}]}
    return {"fallbackText": summary(items), "cardsV2": [{"cardId": "caretaker", "card": inner}]}


def log_link(item: Item, project: str) -> str:
    """The address of the run's report in Cloud Logging; "" if there is none."""
    if not item.message_id:
        return ""
    query = quote(f'jsonPayload.report.message_id="{item.message_id}"', safe="")
    return f"https://console.cloud.google.com/logs/query;query={query}?project={quote(project, safe='')}"


def _slack_section(item: Item, project: str) -> Json:
    lines = [f"*{SIGNS[item.kind]}: {_slack_text(item.subject)}*: {_slack_text(item.what)}"]
    if item.why:
        lines.append(_slack_text(item.why))
    lines.append(_slack_footer(item, project))
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines), "verbatim": True}}


def _slack_footer(item: Item, project: str) -> str:
    parts = [f"Undo: `{_slack_code(item.undo.replace('`', ''))}`"] if item.undo else []
    link = log_link(item, project)
    parts.append(f"<{link}|{_slack_text(item.automation)}>" if link else _slack_text(item.automation))
    return " · ".join(parts)


def _slack_context(more: int) -> Json:
    return {"type": "context", "elements": [{"type": "plain_text", "text": _more(more)}]}


def _slack_text(text: str) -> str:
    """Slack reads ``<...>`` as a link or a mention, and ``*``, ``_``, ``~`` and backquotes at the edge of a word."""
    return FORMATTING.sub("\u200b\\g<0>", _slack_code(text))


def _slack_code(text: str) -> str:
    """Text for a code span, which can be copied as it is."""
    return _cut(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _google_line(item: Item, project: str) -> str:
    """Cards read a few tags of HTML: https://developers.google.com/workspace/add-ons/concepts/widgets#text_formatting."""
    lines = [f"<b>{SIGNS[item.kind]}: {_html(item.subject)}</b>: {_html(item.what)}"]
    if item.why:
        lines.append(_html(item.why))
    parts = [f"Undo: {_html(item.undo)}"] if item.undo else []
    link = log_link(item, project)
    parts.append(f'<a href="{html.escape(link)}">{_html(item.automation)}</a>' if link else _html(item.automation))
    return "<br>".join([*lines, " · ".join(parts)])


def _html(text: str) -> str:
    return html.escape(_cut(text))


def _paragraph(text: str) -> Json:
    return {"textParagraph": {"text": text}}


def _subtitle(items: Sequence[Item]) -> str:
    return "1 change" if len(items) == 1 else f"{len(items)} changes"


def _more(count: int) -> str:
    return f"and {count} more: ./deploy.sh status"


def _cut(text: str) -> str:
    """One line without control characters, and not too long."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 3]}..."
