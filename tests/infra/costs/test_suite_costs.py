"""The suite's own cost: estimated from the map, and equal to the table in docs/deploy.md."""

import pytest

from infra.costs.estimate import estimate, load_prices
from infra.costs.suite import suite_cost_lines, suite_parts, suite_rows
from infra.suite.automations import ROOT, load_functions

pytestmark = pytest.mark.one_python


def test_the_table_in_the_docs_is_the_estimate() -> None:
    shown = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = "\n".join(suite_cost_lines())
    assert table in shown, "run ./deploy.sh generate"


def test_one_automation_by_hand() -> None:
    (functions, firestore, scheduler, *_, secrets) = estimate(
        suite_parts({"cap_spending": load_functions()["cap_spending"]}), load_prices()
    )
    # 4,320 ticks of a second are free.
    assert (functions.before, scheduler.before, secrets.before) == (0, 0, 0)
    assert firestore.before == pytest.approx(4_320 * 4 * 0.0000003)
    assert firestore.after == pytest.approx((4_320 + 30_000) * 4 * 0.0000003 + 30_000 * 3 * 0.0000009)


def test_events_cost_more_and_what_is_free_costs_less() -> None:
    rows, free = suite_rows(with_free=False), suite_rows(with_free=True)
    assert all(row.before <= row.after for row in rows)
    assert all(mine.after <= row.after for mine, row in zip(free, rows, strict=True))
    assert 0 < sum(row.after for row in free) < sum(row.after for row in rows) < 10
