"""Renders a picture: one HTML file that asks for nothing else, Markdown, or JSON. Pure but for its own templates."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from markupsafe import Markup

from report.chart import Axis, CostChart, cost_chart
from report.picture import BudgetPicture, Cause, Lane, Picture, RungPicture
from report.words import counted, listed, money

HERE = Path(__file__).with_name("templates")
MOST_LANES = 12
"""Lanes beyond these are folded away."""
MOST_HELD = 16
"""So are held things."""


class Placed(msgspec.Struct, frozen=True):
    """A bar of a lane, in per cent."""

    x: float
    width: float
    css: str


@cache
def environment() -> jinja2.Environment:
    """Templates that escape whatever they show."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"money": money, "listed": listed, "counted": counted}
    return made


def html(picture: Picture, *, console: object = None) -> str:
    """One page. ``console`` is what a live page adds: a token, and the commands that can be sent."""
    axis = Axis(picture.start, picture.end)
    now = None if picture.is_past else axis.x(picture.at)
    view = _View(picture)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            p=picture,
            view=view,
            console=console,
            axis=axis,
            now=now,
            charts=[(budget, cost_chart(budget, axis, picture.at)) for budget in picture.budgets],
            lanes=[(lane, _placed(lane, axis, picture)) for lane in picture.lanes],
            most_lanes=MOST_LANES,
            most_held=MOST_HELD,
            style=Markup(style()),  # noqa: S704 - a file of ours
            script=Markup(script()),  # noqa: S704 - a file of ours
            policy=policy(),
        )
    )


@cache
def style() -> str:
    """The page's style sheet."""
    return (HERE / "page.css").read_text(encoding="utf-8").strip()


@cache
def script() -> str:
    """The page's script: search and copy, and what a console does in place."""
    return (HERE / "page.js").read_text(encoding="utf-8").strip()


def policy(*, is_console: bool = False) -> str:
    """The content security policy: our own style and script, by their hashes, and nothing else."""
    form = "'self'" if is_console else "'none'"
    sources = f"style-src {_hash(style())}; script-src {_hash(script())}"
    return f"default-src 'none'; {sources}; form-action {form}; base-uri 'none'"


def console_page(live: object, sent: object) -> str:
    """The result of a command, and the next step."""
    template = environment().get_template("sent.html.j2")
    return template.render(live=live, sent=sent, style=Markup(style()), script=Markup(script()))  # noqa: S704 - ours


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _View:
    """Words for times and charts, in the time zone of the page."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._zone = ZoneInfo(picture.time_zone)

    def day(self, moment: datetime) -> str:
        """A day: ``19 Nov``, with its year if that is another."""
        local = moment.astimezone(self._zone)
        return f"{local:%-d %b}" + ("" if local.year == self._picture.start.year else f" {local.year}")

    def moment(self, moment: datetime) -> str:
        """A day and a time: ``Thu 19 Nov, 15:00``."""
        return f"{moment.astimezone(self._zone):%a} {self.day(moment)}, {self.clock(moment)}"

    def clock(self, moment: datetime) -> str:
        """A time of the day."""
        return f"{moment.astimezone(self._zone):%H:%M}"

    def chart_label(self, budget: BudgetPicture, chart: CostChart) -> str:
        """A chart in words, for who does not see it."""
        if budget.cost is None or budget.published is None:
            return f"{budget.key}: no cost reported yet."
        spent = f"{money(budget.cost)} of {money(budget.amount, budget.currency)} on {self.day(budget.published)}."
        passed = [f"{_threshold(rung)} passed on {self.day(rung.passed)}" for rung in budget.rungs if rung.passed]
        heading = f" Heading for {chart.expected.text}." if chart.expected else ""
        return f"{budget.key}: {spent}{heading} {'; '.join(passed)}".strip()

    def lane_words(self, lane: Lane) -> str:
        """The time for which a resource was held, in words."""
        return "; ".join(
            f"{bar.cause} {self.day(bar.start)} to {self.day(bar.end) if bar.end else 'now'}" for bar in lane.bars
        )


def _placed(lane: Lane, axis: Axis, picture: Picture) -> list[Placed]:
    placed: list[Placed] = []
    for bar in lane.bars:
        end = bar.end or picture.at
        css = "budget" if bar.cause is Cause.BUDGET else "routine"
        ours = bar.by_hand_since if bar.by_hand_since and bar.by_hand_since < end else end
        placed.append(_bar(bar.start, ours, css, axis))
        if ours < end:
            placed.append(_bar(ours, end, "hand", axis))
    return placed


def _bar(start: datetime, end: datetime, css: str, axis: Axis) -> Placed:
    x = axis.x(start)
    return Placed(x, round(max(axis.x(end) - x, 0.3), 2), css)


def as_json(picture: Picture) -> str:
    """The picture as it is."""
    return msgspec.json.format(msgspec.json.encode(picture), indent=2).decode()


def markdown(picture: Picture) -> str:
    """The picture for a chat, a wiki or a mail."""
    return "\n".join(_markdown(picture)) + "\n"


def _markdown(picture: Picture) -> Iterator[str]:
    view = _View(picture)
    yield f"# {_plain(''.join(span.text for span in picture.sentence).strip())}"
    yield f"\n{_plain(picture.project)}, {picture.mode}, {view.moment(picture.at)} ({picture.time_zone})"
    for note in picture.notes:
        yield f"\n> {_plain(note)}"
    yield from _section(
        "Needs you",
        [f"**{_plain(one.subject)}: {_plain(one.title)}.** {_plain(one.reason)}" for one in picture.attention],
    )
    yield from _section("Budgets", [_budget_line(budget, view) for budget in picture.budgets])
    for group in picture.held:
        yield f"\n## Held: {_plain(group.reason)}, since {view.moment(group.since)}\n"
        yield from (f"- {_plain(one.name)}: {_plain(one.what)}{_standing(one.standing)}" for one in group.items)
        yield f"\nUndo: `{group.undo}`"
    plans = [f"{_plain(one.name)}: {_plain(one.what)}, because {_plain(one.reason)}" for one in picture.planned]
    yield from _section("Would be changed", plans)
    yield from _section(
        "Next", [f"{_when(one.at, view)}{_plain(one.subject)}: {_plain(one.what)}" for one in picture.upcoming]
    )
    saved = [
        f"{money(one.total, one.currency)}: {listed(f'{_plain(each.name)} {each.amount:,.2f}' for each in one.pools)}"
        for one in picture.savings
    ]
    yield from _section("Saved", saved)
    notable = [one for one in picture.events if not one.is_routine]
    yield from _section("History", [f"{view.moment(one.at)}: {_plain(one.title)}" for one in notable])


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"\n## {title}\n"
        yield from (f"- {line}" for line in lines)


def _budget_line(budget: BudgetPicture, view: _View) -> str:
    spent = (
        f"{money(budget.cost)} of {money(budget.amount, budget.currency)}"
        if budget.cost is not None
        else "nothing reported"
    )
    rungs = [_rung_words(rung, view) for rung in budget.rungs]
    return f"{_plain(budget.key)}: {spent}; {'; '.join(rungs)}"


def _rung_words(rung: RungPicture, view: _View) -> str:
    passed = f", passed {view.day(rung.passed)}" if rung.passed else ""
    return f"{_threshold(rung)} {listed(rung.actions)} ({rung.state}{passed})"


def _threshold(rung: RungPicture) -> str:
    return f"{'an anomaly of ' if rung.basis == 'anomaly' else ''}{money(rung.amount)}"


def _standing(standing: str) -> str:
    return f" ({standing})" if standing else ""


def _when(moment: datetime | None, view: _View) -> str:
    return f"{view.moment(moment)}, " if moment else ""


def _plain(text: str) -> str:
    """A text that is no markup: what Markdown or HTML would read as such is escaped."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]#|~" else sign for sign in text)
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
