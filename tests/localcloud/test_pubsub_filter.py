"""The filters of subscriptions. Google's emulator ignores them, so nothing but the documentation checks these."""

from collections.abc import Mapping

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.core.server import ApiError
from localcloud.pubsub.filter import compile_filter

EVENT = {"eventType": "SECRET_ROTATE", "data-format": "JSON", "iana.org/lang": "en", "empty": "", "quote": 'say "hi"'}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ('attributes.eventType = "SECRET_ROTATE"', True),
        ('attributes.eventType="SECRET_ROTATE"', True),
        ('attributes.eventType = "secret_rotate"', False),
        ('attributes.eventtype = "SECRET_ROTATE"', False),
        ('attributes.absent = ""', False),
        ('attributes.empty = ""', True),
        ('attributes.eventType != "TOPIC_CONFIGURED"', True),
        ('attributes.eventType != "SECRET_ROTATE"', False),
        ('attributes.absent != "anything"', True),
        ("attributes:eventType", True),
        ("attributes:absent", False),
        ("attributes:data-format", True),
        ('attributes.data-format = "JSON"', True),
        ('attributes:"iana.org/lang"', True),
        ('attributes."iana.org/lang" = "en"', True),
        ('hasPrefix(attributes.eventType, "SECRET_")', True),
        ('hasPrefix(attributes.eventType, "TOPIC_")', False),
        ('hasPrefix(attributes.absent, "")', False),
        ('hasPrefix(attributes.empty, "")', True),
        ("NOT attributes:absent", True),
        ("-attributes:absent", True),
        ("NOT NOT attributes:absent", False),
        ('NOT attributes.eventType = "TOPIC_CONFIGURED"', True),
        ("attributes:eventType AND attributes:empty", True),
        ("attributes:eventType AND attributes:absent", False),
        ("attributes:absent OR attributes:empty", True),
        ("attributes:absent OR attributes:missing", False),
        ("attributes:eventType AND attributes:empty AND attributes:absent", False),
        ("NOT attributes:absent AND attributes:missing", False),
        ("NOT (attributes:absent AND attributes:missing)", True),
        ("(attributes:eventType OR attributes:absent) AND attributes:missing", False),
        ("attributes:eventType OR (attributes:absent AND attributes:missing)", True),
        ("( ( attributes : eventType ) )", True),
        (r'attributes.quote = "say \"hi\""', True),
        (r'attributes."\x65\u006d\160ty" = ""', True),
        ('attributes:"AND"', False),
        ("attributes:" + "e" * 245, False),
    ],
)
def test_what_a_filter_lets_pass(text: str, passes: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert compile_filter(text)(EVENT) is passes


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "what",
        "attributes",
        "attributes.",
        "attributes:",
        "attributes:)",
        "attributes.=",
        "attributes.eventType",
        "attributes.eventType =",
        "attributes.eventType = SECRET_ROTATE",
        "attributes.eventType = 'SECRET_ROTATE'",
        'attributes.eventType = "unended',
        'attributes.eventType == "x"',
        'attributes.eventType > "x"',
        'attribute.eventType = "x"',
        'data = "x"',
        "attributes:iana.org/lang",
        'hasPrefix(attributes.eventType "x")',
        'hasprefix(attributes.eventType, "x")',
        'hasPrefix(attributes:eventType, "x")',
        'hasSuffix(attributes.eventType, "x")',
        "not attributes:eventType",
        "NOT",
        "(attributes:eventType",
        "attributes:eventType)",
        "attributes:eventType attributes:empty",
        "attributes:eventType AND",
        "AND attributes:eventType",
        "attributes:eventType and attributes:empty",
        # These two may not be mixed without parentheses.
        "attributes:eventType AND attributes:empty OR attributes:absent",
        "attributes:eventType OR attributes:empty AND attributes:absent",
        "attributes:" + "e" * 246,
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        compile_filter(text)
    assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT


Expression = tuple[str, bool]
"""A filter's text, and whether it lets `EVENT` pass."""


def negated(one: Expression) -> Expression:
    return f"NOT ({one[0]})", not one[1]


def joined(many: list[Expression], word: str) -> Expression:
    text = f" {word} ".join(f"({text})" for text, _ in many)
    return text, (all if word == "AND" else any)(passes for _, passes in many)


leaves = st.sampled_from([(f"attributes:{key}", key in EVENT) for key in ("eventType", "empty", "absent")])
expressions = st.recursive(
    leaves,
    lambda inner: (
        inner.map(negated) | st.builds(joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"]))
    ),
    max_leaves=6,
)


@given(expression=expressions.filter(lambda one: len(one[0]) <= 256))
def test_filters_nest(expression: Expression) -> None:
    text, passes = expression
    assert compile_filter(text)(EVENT) is passes


@given(
    text=st.text(alphabet='attributes.:="xy ANDOR()NT!-,\\', max_size=40),
    attributes=st.dictionaries(st.text(), st.text()),
)
def test_any_text_is_a_filter_or_refused(text: str, attributes: Mapping[str, str]) -> None:
    refusals = []
    try:
        assert compile_filter(text)(attributes) in {True, False}
    except ApiError as error:
        refusals.append(error.code)
    assert set(refusals) <= {grpc.StatusCode.INVALID_ARGUMENT}
