"""The filters of metrics and alert policies, held against reports as functions write them."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from local.cloud.logging import payload
from local.cloud.logging_filter import all_hold, parse_filter
from shared.plan import Alert, Refusal
from shared.report import Outcome, Report
from shared.settings import Mode
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


def filters() -> dict[str, str]:
    """Every filter on log entries, by what it is for, with what it refers to put in."""
    known = local_values()

    def text(value: str) -> str:
        plain = value.removeprefix('"').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
        return re.sub(r"\$\{local\.(\w+)\}", lambda found: text(known[found[1]]), plain)

    groups = {**known["counters"], **known["matched"]}
    return {name.strip('"'): text(body["filter"]) for name, body in groups.items() if not name.startswith("__")}


def entry(**fields: object) -> dict[str, object]:
    """An entry as Cloud Run's agent makes it of a line."""
    resource = {"type": "cloud_run_revision", "labels": {"service_name": "caretaker-cap-spending"}}
    return {"resource": resource, **payload(msgspec.json.encode({"severity": "INFO", **fields}))}


@pytest.mark.parametrize(
    ("line", "matched"),
    [
        (entry(report=QUIET), {"runs"}),
        (
            entry(report=msgspec.structs.replace(QUIET, alerts=(Alert("stock_out", "training", "no GPU"),))),
            {"runs", "alerts"},
        ),
        (
            entry(report=msgspec.structs.replace(QUIET, refusals=(Refusal("shop", "last_good_backup", "it is"),))),
            {"runs", "refusals"},
        ),
        (entry(report=msgspec.structs.replace(QUIET, failed_money=1)), {"runs", "money_failures", "money"}),
        (entry(message="m", budget_alert={"budget": "monthly", "rung": "actual@1"}), {"budget"}),
        (entry(message="m", webhook={"delivery": "7", "outcome": "not published"}, severity="ERROR"), {"webhooks"}),
        (entry(message="m", webhook={"delivery": "7", "outcome": "published"}), set()),
        (entry(message="a line of text alone", severity="ERROR"), set()),
    ],
)
def test_what_a_line_is_counted_as(line: dict[str, object], matched: set[str]) -> None:
    found = {name for name, text in filters().items() if all_hold(parse_filter(text), line)}
    assert found == matched


def test_the_lines_of_others_are_none_of_ours() -> None:
    other = entry(report=QUIET)
    other["resource"] = {"type": "cloud_run_revision", "labels": {"service_name": "api"}}
    assert not any(all_hold(parse_filter(text), other) for text in filters().values())
