"""Positions in a chart, in per cent of its width and height. Pure, and for other pages too."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from report.picture import BudgetPicture, CostPoint
from report.words import money, rounded

HEADROOM = 1.08
TOP_LINE = 6.0
"""A rung's label stands above its line: no line is nearer to the top than this, in per cent."""


class Axis(msgspec.Struct, frozen=True):
    """A time from left to right."""

    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        """The position of a moment within the chart."""
        share = (moment - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def days(self, every: int = 7) -> list[tuple[float, date]]:
        """Days to write below it, the first of them its first."""
        found, day = [], self.start
        while day < self.end:
            found.append((self.x(day), day.date()))
            day += timedelta(days=every)
        return found


class Line(msgspec.Struct, frozen=True):
    """A rung's amount, as a line across."""

    y: float
    amount: str
    is_budget: bool


class Dot(msgspec.Struct, frozen=True):
    """The point at which the cost passed a rung."""

    x: float
    y: float
    is_over: bool


class Label(msgspec.Struct, frozen=True):
    """A text at a place."""

    x: float
    y: float
    text: str


class CostChart(msgspec.Struct, frozen=True):
    """A budget's cost over a time, against its ladder."""

    lines: tuple[Line, ...]
    below: str
    """The points of the cost line as far as it is within the amount, for an SVG of 100 by 100."""
    above: str
    """The rest of it."""
    guess: str
    """The forecast."""
    dots: tuple[Dot, ...]
    cost: Label | None
    expected: Label | None
    is_over: bool


def cost_chart(budget: BudgetPicture, axis: Axis, now: datetime) -> CostChart:
    """The chart of one budget. ``now`` is where the line ends if the newest cost is older."""
    highest = max(
        [budget.amount, budget.cost or 0.0, *(rung.amount for rung in budget.rungs if rung.basis == "actual")]
    )
    if budget.expected is not None:
        highest = max(highest, min(budget.expected, highest * 1.15))
    top = highest * HEADROOM or 1.0

    def y(cost: float) -> float:
        return round(100 - (100 - TOP_LINE) * min(max(cost, 0.0), top) / top, 2)

    points = _from_its_start(budget, axis)
    below, above = _split(points, budget.amount)
    last = points[-1] if points else None
    guess, expected = "", None
    if last and budget.expected is not None:
        ends = CostPoint(axis.end, budget.expected)
        guess = _path([last, ends], axis, y)
        expected = Label(100.0, y(ends.cost), f"about {money(rounded(ends.cost))}")
    return CostChart(
        lines=tuple(
            Line(y(amount), money(amount), amount == budget.amount)
            for amount in sorted({budget.amount, *(one.amount for one in budget.rungs if one.basis == "actual")})
            if amount
        ),
        below=_path(below, axis, y),
        above=_path(above, axis, y),
        guess=guess,
        dots=tuple(
            Dot(axis.x(rung.passed), y(_cost_at(points, rung.passed)), rung.amount >= budget.amount)
            for rung in budget.rungs
            if rung.passed and axis.start <= rung.passed < axis.end
        ),
        cost=Label(axis.x(min(last.at, now)), y(last.cost), money(last.cost)) if last else None,
        expected=expected,
        is_over=budget.is_over,
    )


def _from_its_start(budget: BudgetPicture, axis: Axis) -> list[CostPoint]:
    """The cost line: a period that begins within the time that is shown begins with nothing."""
    points = list(budget.points)
    if points and budget.period_start and budget.period_start < points[0].at:
        begins_here = budget.period_start >= axis.start - timedelta(days=1)
        points.insert(0, CostPoint(max(budget.period_start, axis.start), 0.0 if begins_here else points[0].cost))
    return points


def _split(points: Sequence[CostPoint], amount: float) -> tuple[list[CostPoint], list[CostPoint]]:
    """The line up to the amount, and from there on."""
    below: list[CostPoint] = []
    above: list[CostPoint] = []
    for point in points:
        if point.cost <= amount and not above:
            below.append(point)
        elif not above and below:
            before = below[-1]
            share = (amount - before.cost) / (point.cost - before.cost)
            crossing = CostPoint(before.at + (point.at - before.at) * share, amount)
            below.append(crossing)
            above += [crossing, point]
        else:
            above.append(point)
    return below, above


def _path(points: Sequence[CostPoint], axis: Axis, y: Callable[[float], float]) -> str:
    return " ".join(f"{axis.x(point.at):g},{y(point.cost):g}" for point in points)


def _cost_at(points: Sequence[CostPoint], moment: datetime) -> float:
    return next((point.cost for point in points if point.at >= moment), points[-1].cost if points else 0.0)
