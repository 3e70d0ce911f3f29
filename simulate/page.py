"""The answer as one page with pictures: no script, nothing loaded from elsewhere. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

import msgspec

from functions.cap_spending.settings import Settings as BudgetSettings
from simulate.figures import Figures, figures_of
from simulate.playing import Played
from simulate.recording import MINUTE, Period
from simulate.spending import Cost, period_start
from simulate.together import Billing, Outcome

WIDTH, HEIGHT = 1000.0, 220.0
POINTS = 400
"""Of a line of costs: more cannot be seen."""
WEEK = timedelta(days=7)
STYLE = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1a1a19;--soft:#63635e;--line:#e3e3de;--rule:#bcbcb5;--accent:#c2380c}
@media (prefers-color-scheme:dark){
:root{--bg:#141413;--ink:#ededE9;--soft:#a3a39c;--line:#2c2c2a;--rule:#4e4e4a;--accent:#ff8a63}}
*{box-sizing:border-box;margin:0}
body{background:var(--bg);color:var(--ink);font:400 15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;
max-width:72rem;margin:auto;padding:1.5rem clamp(1rem,4vw,3rem) 3rem}
h1{font-size:1.6rem;font-weight:400;line-height:1.3;color:var(--soft);max-width:36em;margin:1rem 0 2rem}
h1 b{color:var(--ink);font-weight:550}h2{font-size:15px;font-weight:550;margin:2.2rem 0 .6rem}
p,figcaption,footer{color:var(--soft);font-size:13px}figure{margin:0}
svg{display:block;width:100%;height:auto;overflow:visible}text{fill:var(--soft);font-size:12px}
.rung{stroke:var(--line)}.is-whole{stroke:var(--rule)}.dot{fill:var(--ink)}
.recorded,.simulated{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}
.recorded{stroke:var(--soft);stroke-dasharray:2 4}.simulated{stroke:var(--ink)}
.needed{fill:var(--soft)}.on{fill:var(--ink)}.wait{fill:var(--accent)}
table{border-collapse:collapse;width:100%;font-size:14px}th{font-weight:400;color:var(--soft);text-align:left}
td,th{padding:.35rem .9rem .35rem 0;border-top:1px solid var(--line)}.num{text-align:right;white-space:nowrap}
.bar{display:inline-block;height:8px;background:var(--ink);min-width:1px}.bad{color:var(--accent)}
"""


class Page(msgspec.Struct, frozen=True):
    """All that the page shows."""

    outcomes: Sequence[Outcome]
    period: Period
    basis: Sequence[str]
    """Sentences on what the answer stands on."""
    hurting: Sequence[str]
    billing: Billing | None = None


def page_of(answer: Page) -> str:
    """The page as HTML."""
    own = answer.outcomes[0]
    parts = [f"<h1>{_headline(answer)}</h1>"]
    if own.spent and answer.billing and own.policy.budgets:
        parts += ["<h2>Cost against its rungs</h2>", _costs(own, answer)]
    for key, played in own.pools.items():
        parts += [f"<h2>{escape(key)}: nodes on, and needed</h2>", _lanes(played, answer.period)]
    if own.pools:
        parts += ["<h2>What if</h2>", _table(answer)]
    if answer.hurting:
        items = "".join(f"<p>{escape(line)}</p>" for line in answer.hurting)
        parts += ["<h2>What would hurt, with your settings</h2>", items]
    footer = " ".join(escape(line if line.endswith(".") else f"{line}.") for line in answer.basis)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>Caretaker, simulated</title>"
        f"<style>{STYLE}</style></head><body>{''.join(parts)}<h2>What this stands on</h2>"
        f"<footer>{footer}</footer></body></html>\n"
    )


def _headline(answer: Page) -> str:
    own = answer.outcomes[0]
    rows = [figures_of(own.policy.name, one, answer.period) for one in own.pools.values()]
    always, on = sum(one.node_hours_always for one in rows), sum(one.node_hours_on for one in rows)
    met, jobs = sum(one.met_zero for one in rows), sum(one.jobs for one in rows)
    killed = sum(one.killed for one in rows)
    said = ""
    if rows:
        said += f"Your GPU pools would have been on for <b>{on:,.0f} of {always:,.0f} hours</b>. "
        said += f"{met} of {jobs} jobs would have waited for nodes, and {killed or 'none'} would have been interrupted."
        if unfinished := sum(one.unfinished for one in rows):
            said += f' <b class="bad">{unfinished / 60:,.0f} hours of work</b> would not have been done by the end.'
    if own.spent and own.spent.costs and answer.billing:
        months = _by_period(own.spent.costs)
        recorded = sum(costs[-1].recorded for costs in months.values())
        simulated = sum(costs[-1].simulated for costs in months.values())
        currency = escape(answer.billing.charges[0].currency)
        said += f" The bill would have been <b>{simulated:,.0f} {currency}</b> instead of {recorded:,.0f}."
    return said


def _costs(own: Outcome, answer: Page) -> str:
    """The recorded and the simulated cost of each period as they became known, and the rungs."""
    if own.spent is None or own.policy.budgets is None or answer.billing is None:
        return ""
    rungs = list(_rungs(own.policy.budgets, answer.billing))
    highest = max([*(one.recorded for one in own.spent.costs), *(level for _, level, _ in rungs), 1e-9])

    def y(cost: float) -> float:
        return HEIGHT - max(cost, 0.0) / highest * HEIGHT

    def path(costs: Sequence[Cost], kind: str) -> str:
        step = max(1, len(costs) // POINTS)
        shown = [*costs[::step], costs[-1]]
        line = " ".join(f"{_x(one.at, answer.period):.1f},{y(getattr(one, kind)):.1f}" for one in shown)
        return f'<polyline class="{kind}" points="{line}"/>'

    lines = [path(costs, kind) for costs in _by_period(own.spent.costs).values() for kind in ("recorded", "simulated")]
    marks = [
        f'<line class="rung{" is-whole" if is_whole else ""}" x1="0" x2="{WIDTH:g}" y1="{y(level):.1f}" '
        f'y2="{y(level):.1f}"/><text x="4" y="{y(level) - 4:.1f}">{escape(name)}: {level:,.0f}</text>'
        for name, level, is_whole in rungs
    ]
    passed = [(step, y(_cost_at(own.spent.costs, step.at))) for step in own.spent.steps if step.changes]
    dots = [
        f'<circle class="dot" r="4" cx="{_x(step.at, answer.period):.1f}" cy="{at:.1f}">'
        f"<title>{escape('; '.join((f'{step.at:%a %d %b %H:%M}', *step.changes)))}</title></circle>"
        for step, at in passed
    ]
    caption = "Dotted: as recorded. Solid: with Caretaker. A dot: a rung acts, when its cost was known."
    return _figure([*marks, *lines, *dots, *_weeks(answer.period, HEIGHT)], HEIGHT + 24, caption)


def _lanes(played: Played, period: Period) -> str:
    """Times of work, of nodes that were on, and of work that waited."""
    waits = bytearray(period.minutes)
    for at, length in played.model.waits:
        waits[at : at + length] = b"\1" * len(waits[at : at + length])
    lanes: list[tuple[str, Sequence[object], float]] = [
        ("needed", played.model.busy, 4.0),
        ("on", played.model.sizes, 24.0),
        ("wait", waits, 44.0),
    ]
    bars = [bar for name, values, top in lanes for bar in _bars(name, values, top, period)]
    names = [f'<text x="0" y="{top + 12}">{name}</text>' for name, _, top in lanes]
    moved = (
        f'<g transform="translate(60) scale({(WIDTH - 60) / WIDTH:.4f} 1)">{"".join([*bars, *_weeks(period, 60)])}</g>'
    )
    return _figure(
        [*names, moved], 84, "Each minute with work, each with nodes asked for, and each in which work waited."
    )


def _bars(name: str, values: Sequence[object], top: float, period: Period) -> Iterator[str]:
    at = 0
    for is_on, group in groupby(values, bool):
        length = sum(1 for _ in group)
        if is_on:
            x, width = at / period.minutes * WIDTH, max(length / period.minutes * WIDTH, 0.4)
            yield f'<rect class="{name}" x="{x:.1f}" y="{top:g}" width="{width:.1f}" height="14"/>'
        at += length


def _table(answer: Page) -> str:
    heads = ("settings", "pool", "hours on", "", "saved", "of best", "jobs that waited", "longest", "interrupted")
    rows = [
        _row(figures_of(one.policy.name, played, answer.period))
        for one in answer.outcomes
        for played in one.pools.values()
    ]
    head = "".join(f"<th>{one}</th>" for one in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _row(row: Figures) -> str:
    share = row.node_hours_on / row.node_hours_always
    cells = [
        escape(row.policy),
        escape(row.pool),
        f"{row.node_hours_on:,.0f}",
        f'<span class="bar" style="width:{share * 10:.2f}rem"></span>',
        f"{1 - share:.0%}",
        "" if row.clairvoyant_share is None else f"{row.clairvoyant_share:.0%}",
        f"{row.met_zero} of {row.jobs}",
        f"{row.longest_wait} min",
        f'<span class="{"bad" if row.killed else ""}">{row.killed}</span>',
    ]
    return f"<tr>{''.join(f'<td>{one}</td>' for one in cells)}</tr>"


def _figure(parts: Sequence[str], height: float, caption: str) -> str:
    return (
        f'<figure><svg viewBox="0 -14 {WIDTH:g} {height + 14:g}" role="img">{"".join(parts)}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _weeks(period: Period, bottom: float) -> Iterator[str]:
    monday = period.start.replace(hour=0, minute=0) - timedelta(days=period.start.weekday())
    weeks = (period.end - monday) // WEEK + 1
    for number in range(0, weeks, max(1, weeks // 12)):
        moment = monday + number * WEEK
        if period.start <= moment < period.end:
            yield f'<text x="{_x(moment, period):.1f}" y="{bottom + 18:g}">{moment:%d %b}</text>'


def _rungs(budgets: BudgetSettings, billing: Billing) -> Iterator[tuple[str, float, bool]]:
    """For each cost at which rungs are passed their names, and whether it is a budget's whole amount."""
    levels: dict[float, list[str]] = {}
    for key, budget in budgets.budgets.items():
        for rung in budget.ladder:
            if rung.at:
                levels.setdefault(rung.at * billing.amounts[key], []).append(f"{key}/{rung.name}")
    whole = {billing.amounts[key] for key in budgets.budgets}
    yield from ((", ".join(names), level, level in whole) for level, names in sorted(levels.items()))


def _by_period(costs: Sequence[Cost]) -> Mapping[datetime, list[Cost]]:
    return {start: list(group) for start, group in groupby(costs, lambda one: period_start(one.at))}


def _cost_at(costs: Sequence[Cost], moment: datetime) -> float:
    return next((one.simulated for one in reversed(costs) if one.at <= moment), 0.0)


def _x(moment: datetime, period: Period) -> float:
    return (moment - period.start) / MINUTE / period.minutes * WIDTH
