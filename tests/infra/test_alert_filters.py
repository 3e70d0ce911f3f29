"""The filters of metrics and alert policies, held against reports as functions write them."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.prune_backups.guards import QUESTIONS
from infra.suite.automations import ROOT, load_automations
from infra.suite.loading import load_automation
from localcloud.logging.filter import all_hold, parse_filter
from localcloud.logging.service import payload
from shared.decision import Alert, Refusal
from shared.report import Outcome, Report
from shared.settings import Mode
from shared.transitions import TITLES
from tests.infra.test_docs import OPERATE
from tests.infra.test_terraform_structure import parsed

pytestmark = pytest.mark.one_python

QUIET = Report(
    automation="cap_spending",
    mode=Mode.ACT,
    at=datetime(2026, 11, 15, 12, tzinfo=UTC),
    event="Tick",
    message_id="1",
    outcome=Outcome.UNCHANGED,
)


def local_values() -> dict[str, Any]:
    """The locals of modules/observability."""
    return {
        name: value
        for _, file in parsed("modules/observability")
        for block in file.get("locals", [])
        for name, value in block.items()
    }


def filters(group: str) -> dict[str, str]:
    """The filters on log entries of metrics (`counters`, `amounts`) or of policies (`matched`), with all put in."""
    known = local_values()

    def text(value: str) -> str:
        plain = value.removeprefix('"').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
        return re.sub(r"\$\{local\.(\w+)\}", lambda found: text(known[found[1]]), plain)

    return {name.strip('"'): text(body["filter"]) for name, body in known[group].items() if not name.startswith("__")}


def matched(group: str, line: dict[str, object]) -> set[str]:
    """The metrics that count a line, or the policies that alert on it."""
    return {name for name, text in filters(group).items() if all_hold(parse_filter(text), line)}


def entry(**fields: object) -> dict[str, object]:
    """An entry as Cloud Run's agent makes it of a line."""
    resource = {"type": "cloud_run_revision", "labels": {"service_name": "caretaker-cap-spending"}}
    return {"resource": resource, **payload(msgspec.json.encode({"severity": "INFO", **fields}))}


def report(*alerts: str, refusals: tuple[str, ...] = (), **fields: Any) -> dict[str, object]:
    """The entry of a report with alerts of these kinds, and refusals by these guards."""
    shown = tuple(Alert(kind, "a subject", "a reason") for kind in alerts)
    refused = tuple(Refusal("a subject", guard, "a reason") for guard in refusals)
    return entry(report=msgspec.structs.replace(QUIET, alerts=shown, refusals=refused, **fields))


@pytest.mark.parametrize(
    ("line", "metrics", "policies"),
    [
        (report(), {"runs"}, set()),
        (report(failed_money=1), {"runs", "money_failures"}, {"money"}),
        (report("stock_out"), {"runs", "alerts"}, {"stock_out"}),
        (report("overdue"), {"runs", "alerts"}, {"overdue"}),
        (report("overdue", "rotation_failed"), {"runs", "alerts"}, {"overdue", "rotation"}),
        (report("stale_newest", refusals=("stale_newest",)), {"runs", "alerts", "refusals"}, {"stale_backup"}),
        (report("below_floor", refusals=("below_floor",)), {"runs", "alerts", "refusals"}, {"refused_prune"}),
        (report(refusals=("never_a_gap",)), {"runs", "refusals"}, {"refusals"}),
        (report("never_heard_of"), {"runs", "alerts"}, {"alerts"}),
        (report("no_data_at_all"), {"runs", "alerts"}, {"alerts"}),
        (entry(message="m", budget_alert={"budget": "monthly", "rung": "actual@1"}), set(), {"budget"}),
        (
            entry(message="m", webhook={"delivery": "7", "outcome": "not published"}, severity="ERROR"),
            set(),
            {"webhooks"},
        ),
        (entry(message="m", webhook={"delivery": "7", "outcome": "published"}), set(), set()),
        (entry(message="a line of text alone", severity="ERROR"), set(), set()),
        (report(saved=1.5, currency="EUR"), {"runs", "savings"}, set()),
        (entry(message="m", budget_cost={"budget": "monthly", "cost": 1.0}), {"cost", "budget_amount"}, set()),
    ],
)
def test_what_a_line_is_counted_as_and_who_tells_of_it(
    line: dict[str, object], metrics: set[str], policies: set[str]
) -> None:
    counted = matched("counters", line) | matched("amounts", line)
    assert (counted, matched("matched", line)) == (metrics, policies)


def test_the_lines_of_others_are_none_of_ours() -> None:
    other = report("stock_out", refusals=("below_floor",), failed_money=1)
    other["resource"] = {"type": "cloud_run_revision", "labels": {"service_name": "api"}}
    assert matched("counters", other) | matched("amounts", other) | matched("matched", other) == set()


def nodes() -> Iterator[ast.AST]:
    """The functions' code, and what the engine says of debts."""
    for path in (*sorted((ROOT / "functions").rglob("*.py")), ROOT / "shared" / "debts.py"):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the functions' code, by the name that is called."""
    for node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield (node.func.id if isinstance(node.func, ast.Name) else node.func.attr), node


def guards_of_changes() -> Iterator[str]:
    """The guard that each kind of change names."""
    for node in nodes():
        match node:
            case ast.AnnAssign(target=ast.Name("guard"), value=ast.Constant(str(name))):
                yield name


def kinds() -> tuple[set[str], set[str]]:
    """Every kind of alert, and every guard, that the code names."""
    said = {"Alert": (0, True), "alert": (0, True), "Refusal": (1, False), "refused": (0, False)}
    alerts = {question.__name__ for question in QUESTIONS}
    guards = set(guards_of_changes()) - alerts
    for name, call in calls():
        place, is_alert = said.get(name, (0, False))
        first = call.args[place] if name in said and len(call.args) > place else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            is_both = any(keyword.arg == "is_alert" for keyword in call.keywords)
            (alerts if is_alert or is_both else guards).add(first.value)
    return alerts, guards


def test_each_kind_of_alert_that_there_is_has_one_policy_and_no_guard_is_silent() -> None:
    alerts, guards = kinds()
    assert {"stock_out", "overdue", "stale_newest", "no_bucket", "lost_access"} <= alerts
    assert {"never_a_gap", "may_be_detached"} <= guards
    shown = {kind: matched("matched", report(kind)) for kind in alerts}
    assert {kind: policies for kind, policies in shown.items() if len(policies) != 1 or "alerts" in policies} == {}
    assert {guard for guard in guards if matched("matched", report(refusals=(guard,))) != {"refusals"}} == set()
    titles = {kind for name in load_automations() for kind in load_automation(name).alert_titles}
    assert alerts <= titles | TITLES.keys()  # each has a name for people
    # And it is for kinds that there are.
    assert set(text(local_values()["known"]).split("|")) == alerts


def text(value: str) -> str:
    """A string as Terraform has it."""
    return value.removeprefix('"').removesuffix('"')


def test_each_policy_is_in_the_docs() -> None:
    titles = {text(body["title"]) for name, body in local_values()["matched"].items() if not name.startswith("__")}
    section = OPERATE.partition("## What alerts mean")[2].partition("\n## ")[0]
    assert {title for title in titles if f"| {title} |" not in section} == set()
