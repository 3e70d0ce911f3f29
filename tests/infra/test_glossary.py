"""The glossary: short enough to be learned, about words that the code has; and words that it has no more."""

import re
import subprocess

import pytest

from infra.suite.automations import ROOT

pytestmark = pytest.mark.one_python

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = [word for row in re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY, re.MULTILINE) for word in row.split(", ")]
CODE = "\n".join(
    path.read_text(encoding="utf-8").lower() for part in ("shared", "functions") for path in (ROOT / part).rglob("*.py")
)
MOST_WORDS = 20
REPLACED = re.compile(
    r"\b(?:somebody|nobody|whoever|reckon\w*|for ever|all the same(?=[.,:;])|told|if nothing (?:else )?is said)\b",
    re.IGNORECASE,
)
CLAUSES = re.compile(r'"""(?:What|Who|Whose|Those|Where|When|How|Which) ')
"""The beginning of a docstring whose subject is a clause, where a noun or a verb is read faster."""
KEEP_OLD_WORDS = ("CHANGELOG.md", "tests/infra/test_glossary.py")
"""The history of earlier releases, and this list."""


def test_a_newcomer_has_at_most_twenty_words_to_learn() -> None:
    assert 0 < len(WORDS) <= MOST_WORDS


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_one_that_the_code_uses(word: str) -> None:
    assert re.search(rf"\b{word.replace(' ', '[ _]?')}s?\b", CODE)


def listed(*patterns: str) -> list[str]:
    """The files of the project that match."""
    command = ["git", "-C", str(ROOT), "ls-files", *patterns]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    files = [name for name in listed("*.py") if name not in KEEP_OLD_WORDS]
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in files
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
        if CLAUSES.search(line)
    ]
    assert len(files) > 100
    assert found == []


def test_words_that_were_replaced_stay_gone() -> None:
    """In prose: Markdown, docstrings and comments. Each has a plainer word, which the code uses now."""
    files = listed("*.md", "*.py")
    found = [
        f"{name}:{number}: {word[0]}"
        for name in files
        if name not in KEEP_OLD_WORDS
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
        if name.endswith(".md") or '"""' in line or "# " in line
        if (word := REPLACED.search(line))
    ]
    assert len(files) > 100
    assert found == []
