"""The picture of some worlds, and the same in each rendering: bounded, and without foreign markup."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import ClassVar

import msgspec
import pytest

from report.compose import picture_of
from report.picture import Cause, Picture, RungState, Tone
from report.rendering import as_json, html, markdown, policy
from report.sources import Month, Sources
from tests.report.examples import BERLIN, STATES, at, many, observing, over_budget

pytestmark = pytest.mark.one_python

LARGEST = 100 * 1024


def sentence(picture: Picture) -> str:
    return "".join(span.text for span in picture.sentence).replace("\u00a0", " ").strip()


SENTENCES = {
    "over_budget": (
        "452 of 400 USD spent in November, heading for about 490. Six things held since Friday. "
        "253 USD saved on GPUs. One needs you."
    ),
    "calm": "30 of 400 USD spent in November, heading for about 170. Nothing is capped. Nothing needs you.",
    "observing": (
        "452 of 400 USD spent in November, heading for about 490. Only observing: four changes would be made now. "
        "Nothing needs you."
    ),
    "first_day": "No cost reported yet in November. Nothing is capped. Nothing needs you.",
    "many": (
        "542 of 400 USD spent on monthly in November, heading for about 580. One more over budget. "
        "40 things held since Friday. One needs you."
    ),
}


@pytest.mark.parametrize("state", SENTENCES)
def test_the_first_sentence_says_all_that_matters(state: str) -> None:
    assert sentence(picture_of(STATES[state]())) == SENTENCES[state]


def test_calm_means_no_alert_and_over_budget_does() -> None:
    tones = {state: {span.tone for span in picture_of(STATES[state]()).sentence} for state in ("calm", "over_budget")}
    assert Tone.ALERT not in tones["calm"]
    assert Tone.ALERT in tones["over_budget"]


def test_what_is_held_stands_beside_its_reason_and_its_undo() -> None:
    (group,) = picture_of(over_budget()).held
    assert (group.cause, group.undo) == (Cause.BUDGET, "./deploy.sh send cap_spending undo --budget monthly")
    assert group.reason == "cost has reached 405.37 USD, past 100 % of 400.00 USD"
    assert {item.name: (item.what, item.standing) for item in group.items} == {
        "batch-import": ("paused, was enabled", ""),
        "batch-report": ("paused, was enabled", ""),
        "api": ("at most 1, was 20", ""),
        "worker": ("at most 4, was 10", "changed by a person, seen 22 Nov, 10:00"),
        "training": ("at zero, was 2", ""),
        "previews": ("deleted, and none is made", ""),
    }


def test_lanes_show_nights_then_the_budget_and_a_hand() -> None:
    lanes = {lane.name: lane.bars for lane in picture_of(over_budget()).lanes}
    nights, capped = lanes["training"][:-1], lanes["training"][-1]
    assert [bar.cause for bar in nights] == [Cause.ROUTINE] * 18
    assert (capped.cause, capped.end) == (Cause.BUDGET, None)
    assert lanes["worker"][0].by_hand_since == at(22, 9)


def test_a_ladder_has_its_amounts_dates_and_where_it_is() -> None:
    (budget,) = picture_of(over_budget()).budgets
    found = [(rung.amount, rung.state, rung.passed) for rung in budget.rungs]
    assert found == [
        (200.0, RungState.IN_FORCE, at(14)),
        (400.0, RungState.IN_FORCE, at(20)),
        (600.0, RungState.AHEAD, None),
    ]


def test_while_observing_it_says_what_would_follow() -> None:
    plans = {plan.name: plan for plan in picture_of(observing()).planned}
    assert plans["spending"].follows == (
        "GPU pools then go to zero",
        "previews are then deleted",
    )
    assert plans["training"].what == "autoscaling off"


def test_a_job_that_failed_needs_a_person() -> None:
    assert [(one.subject, one.title) for one in picture_of(many()).attention] == [("prove backup", "failed")]


def test_a_month_that_is_over_shows_what_was_and_nothing_of_now() -> None:
    later = msgspec.structs.replace(over_budget(), now=at(30).replace(month=12), month=Month.around(at(24), BERLIN))
    picture = picture_of(later)
    assert sentence(picture) == "452 of 400 USD spent in November. 253 USD saved on GPUs."
    assert (picture.attention, picture.held, picture.upcoming) == ((), (), ())
    assert picture.lanes


class Tags(HTMLParser):
    """Every tag of a page, and that none loads anything."""

    LOADING: ClassVar = {"src", "href", "action", "srcset", "poster", "data", "style"}

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loading: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loading += [(tag, name) for name, _ in attrs if name in self.LOADING or name.startswith("on")]


@pytest.mark.parametrize("state", STATES)
def test_a_page_is_small_asks_for_nothing_and_has_no_markup_of_others(state: str) -> None:
    page = html(picture_of(STATES[state]()))
    found = Tags()
    found.feed(page)
    assert len(page.encode()) < LARGEST
    assert found.loading == []
    assert (found.tags.count("script"), found.tags.count("style"), found.tags.count("h1")) == (1, 1, 1)
    assert policy().replace("'", "&#39;") in page


@pytest.mark.parametrize("rendering", [html, markdown, as_json])
def test_hostile_texts_are_bounded_and_inert(rendering: Callable[[Picture], str]) -> None:
    rendered = rendering(picture_of(STATES["hostile"]()))
    assert "\x00" not in rendered
    assert "\u202e" not in rendered
    assert "x" * 500 not in rendered
    if rendering is not as_json:
        assert "<script>document" not in rendered


@pytest.mark.parametrize("state", STATES)
def test_markdown_and_json_say_the_same(state: str) -> None:
    picture = picture_of(STATES[state]())
    rendered = markdown(picture)
    assert rendered.startswith("# ")
    assert all(f"Undo: `{group.undo}`" in rendered for group in picture.held)
    assert msgspec.convert(json.loads(as_json(picture)), Picture, strict=False) == picture


def test_the_same_sources_make_the_same_page() -> None:
    def page(sources: Sources) -> str:
        return html(picture_of(sources))

    assert page(over_budget()) == page(over_budget())
