"""The filters of Pub/Sub subscriptions, over a message's attributes.

Grammar: https://cloud.google.com/pubsub/docs/subscription-message-filter
"""

import re
from collections.abc import Callable, Mapping

import grpc

from local.cloud.engine import ApiError

Attributes = Mapping[str, str]
Test = Callable[[Attributes], bool]

LONGEST = 256
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<symbol>!=|=|:|\(|\)|,|\.|-)
      | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    )""",
    re.VERBOSE,
)


def compile_filter(text: str) -> Test:
    """A test of attributes from a filter's text; no text lets everything pass. INVALID_ARGUMENT if it is none."""
    if not text.strip():
        return lambda _: True
    if len(text.encode()) > LONGEST:
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f"The filter is longer than {LONGEST} bytes.")
    return _Parser(text).whole()


class _Parser:
    """A recursive descent: AND and OR may not be mixed without parentheses, NOT and ``-`` bind tightest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._place = 0

    def whole(self) -> Test:
        test = self._expression()
        if self._peek():
            raise self._wrong(f"unexpected {self._peek()}")
        return test

    def _expression(self) -> Test:
        tests = [self._negation()]
        joint = self._peek() if self._peek() in {"AND", "OR"} else ""
        while joint and self._peek() == joint:
            self._take(joint)
            tests.append(self._negation())
        if self._peek() in {"AND", "OR"}:
            raise self._wrong("AND and OR are mixed without parentheses")
        if joint == "OR":
            return lambda attributes: any(test(attributes) for test in tests)
        return lambda attributes: all(test(attributes) for test in tests)

    def _negation(self) -> Test:
        if self._peek() in {"NOT", "-"}:
            self._take(self._peek())
            inner = self._negation()
            return lambda attributes: not inner(attributes)
        if self._peek() == "(":
            self._take("(")
            inner = self._expression()
            self._take(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        if self._peek() == "hasPrefix":
            self._take("hasPrefix")
            self._take("(")
            self._take_attributes()
            self._take(".")
            key = self._key()
            self._take(",")
            prefix = self._string()
            self._take(")")
            return lambda attributes: key in attributes and attributes[key].startswith(prefix)
        self._take_attributes()
        if self._peek() == ":":
            self._take(":")
            key = self._key()
            return lambda attributes: key in attributes
        self._take(".")
        key = self._key()
        if self._peek() == "!=":
            self._take("!=")
            value = self._string()
            return lambda attributes: attributes.get(key) != value
        self._take("=")
        value = self._string()
        return lambda attributes: attributes.get(key) == value

    def _take_attributes(self) -> None:
        self._take("attributes")

    def _key(self) -> str:
        return self._string() if self._peek().startswith('"') else self._next("a key")

    def _string(self) -> str:
        token = self._next("a quoted string")
        if not token.startswith('"'):
            raise self._wrong(f"{token} should be in double quotes")
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self, expected: str) -> str:
        token = self._peek()
        if not token:
            raise self._wrong(f"it ends where {expected} should stand")
        self._place += 1
        return token

    def _take(self, token: str) -> None:
        if self._next(token) != token:
            raise self._wrong(f"{token} should stand where {self._tokens[self._place - 1]} stands")

    def _split(self) -> list[str]:
        tokens, position = [], 0
        text = self._text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match:
                raise self._wrong(f"what begins at character {position + 1} makes no sense")
            tokens.append(match[match.lastgroup or 0])
            position = match.end()
        return tokens

    def _wrong(self, what: str) -> ApiError:
        return ApiError(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid filter {self._text!r}: {what}.")
