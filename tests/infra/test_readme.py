"""The README and the documentation: short, with links that lead somewhere, and without words that only we use."""

import re
from pathlib import Path

import pytest

from infra.suite.automations import ROOT
from local.story.picture import picture

pytestmark = pytest.mark.one_python

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "functions").glob("*/README.md"))
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_begins_with_what_it_does_for_the_money() -> None:
    assert len(README.splitlines()) <= 120
    assert "bill" in README.split("\n\n")[1]
    for needed in ("./deploy.sh local ", "./deploy.sh test ", "docs/images/story.svg", "## What it may never do"):
        assert needed in README


@pytest.mark.parametrize("page", sorted((ROOT / "functions").glob("*/README.md")), ids=lambda page: page.parent.name)
def test_a_functions_page_says_what_its_owner_asks_first(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    introduction, *_ = text.partition("\n## ")
    assert len(introduction.split("\n\n")[1].splitlines()) <= 6
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert {"How to undo", "Limits", "Settings", "Permissions"} <= set(headings)
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{target}{anchor}"


def test_the_files_that_surprises_name_exist() -> None:
    page = (ROOT / "docs" / "surprises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:infra/terraform/)?([\w-]+/[\w/-]+(?:\.\w+)?)`", page)
    paths = [name for name in named if name.partition("/")[0] in FOLDERS or name.startswith("modules/")]
    assert len(paths) > 60
    places = (ROOT, ROOT / "infra" / "terraform")
    assert [name for name in paths if not any((place / name).exists() for place in places)] == []


def test_the_picture_is_drawn_from_lines_and_loads_nothing() -> None:
    drawn = picture(["Mon 09 Nov 09:00  A step.", "  09:00 failed    cap_spending: paused a"], "title")
    for text in (drawn, (ROOT / "docs" / "images" / "story.svg").read_text(encoding="utf-8")):
        assert text.startswith("<svg")
        assert "url(" not in re.sub(r"url\(#", "", text)
    assert "paused" in drawn
