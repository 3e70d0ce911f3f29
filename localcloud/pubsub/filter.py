"""The filters of Pub/Sub subscriptions, over a message's attributes.

Grammar: https://cloud.google.com/pubsub/docs/subscription-message-filter
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError

Attributes = Mapping[str, str]
Filter = Callable[[Attributes], bool]

LONGEST_FILTER = 256
_TOKEN = re.compile(
    r"""\s*(?:
        "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)
      | (?P<symbol>!=|[=:(),.-])
      | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|(.))", re.DOTALL)
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Token(NamedTuple):
    """A piece of a filter: a quoted ``text``, a ``word``, a ``symbol``, or the ``end``."""

    kind: str
    value: str


def compile_filter(text: str) -> Filter:
    """The filter that a subscription's text means; no text lets every message pass.

    Raises INVALID_ARGUMENT for a text that is none.
    """
    if len(text.encode()) > LONGEST_FILTER:
        raise invalid(f"The filter is longer than {LONGEST_FILTER} bytes.")
    if not text:
        return lambda _: True
    return _Parser(text).whole()


class _Parser:
    """Reads a filter from left to right: NOT binds tightest, and AND and OR may not be mixed without parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._place = 0

    def whole(self) -> Filter:
        """The whole text as one filter."""
        found = self._expression()
        self._take("end", "")
        return found

    def _expression(self) -> Filter:
        parts = [self._term()]
        joint = self._next
        while joint in (Token("word", "AND"), Token("word", "OR")) and self._next == joint:
            self._place += 1
            parts.append(self._term())
        if joint == Token("word", "OR"):
            return lambda attributes: any(part(attributes) for part in parts)
        return lambda attributes: all(part(attributes) for part in parts)

    def _term(self) -> Filter:
        if self._next in (Token("word", "NOT"), Token("symbol", "-")):
            self._place += 1
            negated = self._term()
            return lambda attributes: not negated(attributes)
        if self._next == Token("symbol", "("):
            self._place += 1
            inner = self._expression()
            self._take("symbol", ")")
            return inner
        if self._next == Token("word", "hasPrefix"):
            return self._has_prefix()
        return self._comparison()

    def _has_prefix(self) -> Filter:
        self._take("word", "hasPrefix")
        self._take("symbol", "(")
        self._take("word", "attributes")
        self._take("symbol", ".")
        key = self._key()
        self._take("symbol", ",")
        prefix = self._string()
        self._take("symbol", ")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _comparison(self) -> Filter:
        self._take("word", "attributes")
        if self._next == Token("symbol", ":"):
            self._place += 1
            key = self._key()
            return lambda attributes: key in attributes
        self._take("symbol", ".")
        key = self._key()
        if self._next == Token("symbol", "!="):
            self._place += 1
            value = self._string()
            # A message without the attribute passes too.
            return lambda attributes: attributes.get(key) != value
        self._take("symbol", "=")
        value = self._string()
        return lambda attributes: attributes.get(key) == value

    def _key(self) -> str:
        if self._next.kind == "text":
            return self._string()
        return self._take("word", None)

    def _string(self) -> str:
        return _ESCAPE.sub(_unescaped, self._take("text", None))

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self, kind: str, value: str | None) -> str:
        """Step over the next token, which must be of this kind and value (None is any), and return its value."""
        token = self._next
        if token.kind != kind or value not in (None, token.value):
            raise self._invalid(f"{value or kind!r} should stand where {token.value or token.kind!r} stands")
        self._place += 1
        return token.value

    def _split(self) -> list[Token]:
        tokens: list[Token] = []
        position = 0
        while not tokens or tokens[-1].kind != "end":
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                raise self._invalid(f"what begins after {self._text[:position]!r} makes no sense")
            tokens.append(Token(match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return tokens

    def _invalid(self, what: str) -> ApiError:
        return invalid(f"Invalid filter {self._text!r}: {what}.")


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3]
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if match[4]:
        return chr(int(match[4], 8))
    return _CONTROL.get(match[5], match[5])
