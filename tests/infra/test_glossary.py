"""The glossary: short enough to be learned, and about words that the code has."""

import re

import pytest

from infra.suite.automations import ROOT

pytestmark = pytest.mark.one_python

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = [word for row in re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY, re.MULTILINE) for word in row.split(", ")]
CODE = "\n".join(
    path.read_text(encoding="utf-8").lower() for part in ("shared", "functions") for path in (ROOT / part).rglob("*.py")
)
MOST_WORDS = 20


def test_a_newcomer_has_at_most_twenty_words_to_learn() -> None:
    assert 0 < len(WORDS) <= MOST_WORDS


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_one_that_the_code_uses(word: str) -> None:
    assert re.search(rf"\b{word.replace(' ', '[ _]?')}s?\b", CODE)
