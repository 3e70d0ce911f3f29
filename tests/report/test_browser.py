"""The page in a real browser: laptop and phone, light and dark, with and without JavaScript, keyboard, accessibility.

Skipped, each test once, where Chromium is not installed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from report.compose import picture_of
from report.rendering import html
from tests.report.examples import STATES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover, pytest.mark.xdist_group("browser")]

LAPTOP, PHONE = (1280, 900), (390, 844)
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, state in STATES.items():
        (folder / f"{name}.html").write_text(html(picture_of(state())), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in STATES}


def opened(
    browser: "Browser", path: Path, size: tuple[int, int] = LAPTOP, *, scheme: Scheme = "light", scripts: bool = True
) -> "Page":
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        java_script_enabled=scripts,
    )
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda message: pytest.fail(message.text))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    return page


@pytest.mark.parametrize(
    ("size", "scheme", "states"),
    [
        (LAPTOP, "light", tuple(STATES)),
        (PHONE, "light", ("over_budget", "many", "hostile")),
        (LAPTOP, "dark", ("over_budget", "observing")),
        (PHONE, "dark", ("over_budget",)),
    ],
)
def test_no_page_scrolls_sideways_nor_violates_a_rule_of_accessibility(
    browser: "Browser", pages: dict[str, Path], size: tuple[int, int], scheme: Scheme, states: tuple[str, ...]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for name in states:
        page = opened(browser, pages[name], size, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        violations = axe.run(page).response["violations"]
        assert [(name, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in violations] == []
        page.context.close()


def test_without_javascript_everything_is_there_but_search_and_copy(browser: "Browser", pages: dict[str, Path]) -> None:
    page = opened(browser, pages["over_budget"], scripts=False)
    notable = page.locator(".log > li:visible").count()
    page.get_by_text("Everything").click()
    assert page.locator(".log > li:visible").count() > notable
    assert page.get_by_role("searchbox").count() == 0
    assert page.get_by_role("button", name="Copy").count() == 0
    page.context.close()


def test_by_keyboard_alone(browser: "Browser", pages: dict[str, Path]) -> None:
    page = opened(browser, pages["over_budget"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Copy"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator("#everything").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("worker")
    assert page.locator(".log > li:visible").count() == 2  # the cap, and the change by hand
    page.keyboard.type("zzz")
    assert page.locator("#none").is_visible()
    page.context.close()


def test_hostile_texts_run_nothing(browser: "Browser", pages: dict[str, Path]) -> None:
    page = opened(browser, pages["hostile"])
    assert page.title().endswith("Caretaker, my-product")
    assert page.locator("script").count() == 1
    page.context.close()
