"""Recorded charges, and budgets that climb their ladder with them while pools at zero cost nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.cap_spending.settings import Settings as BudgetSettings
from functions.scale_gpu_pools.settings import Settings
from shared.errors import SettingsError
from shared.settings import parse
from simulate import __main__ as simulate
from simulate.billing import Charge, read_charges
from simulate.exports import queries_of
from simulate.figures import values_of
from simulate.generator import generate, generate_charges
from simulate.playing import Assumptions
from simulate.recording import Period, read_recordings
from simulate.replay import differences
from simulate.replay_spending import spending_differences
from simulate.spending import SpendingPlayer, period_start
from simulate.together import Billing, Outcome, Policy, Recorded, hourly_price_of, play_together
from tests.functions.scale_gpu_pools.stage import QUEUE, a_pool, settings_of
from tests.simulate.test_model import DUTY

START = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 3
PERIOD = Period(START, DAYS * 1440)
ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
LADDER = [{"at": 0.5, "do": ["notify"]}, {"at": 1.0, "do": ["notify", "gpu_pools_off"]}]
HOUR, KNOWN = timedelta(hours=1), timedelta(hours=5)
POOLS: Settings = settings_of(gpu=a_pool(idle={"signals": [DUTY, QUEUE]}, wake=[QUEUE], hours=None))


def pools() -> dict[str, object]:
    """The pool as `caretaker.yaml` has it."""
    pool = a_pool(idle={"signals": [DUTY, QUEUE]}, wake=[QUEUE])
    return {key: value for key, value in pool.items() if key != "hours"}


def budgets(ladder: object = LADDER) -> BudgetSettings:
    """One budget with this ladder."""
    one = {"billing_account": ACCOUNT, "id": "monthly", "currency": "USD", "ladder": ladder}
    return parse({"cap_spending": {"budgets": {"monthly": one}}}, "cap_spending", BudgetSettings).section


def row(hour: int, cost: float, **more: object) -> dict[str, object]:
    """A row of the detailed export, as `bq query --format=json` prints it."""
    start = datetime(2026, 11, 2) + hour * HOUR  # noqa: DTZ001 - as BigQuery prints it
    return {
        "usage_start_time": str(start),
        "usage_end_time": str(start + HOUR),
        "export_time": f"{start + 5 * HOUR}.123456",
        "cost": str(cost),
        "currency": "USD",
        "credits": [{"name": "free", "amount": "-0.25"}],
        "project": {"id": "my-product", "name": "My product"},
        "labels": [{"key": "goog-k8s-node-pool-name", "value": "gpu"}],
        "resource": {"name": "gke-training-gpu-1", "global_name": None},
        **more,
    }


def test_the_detailed_export(tmp_path: Path) -> None:
    path = tmp_path / "billing.json"
    path.write_text(json.dumps([row(1, 2.0), row(0, 1.0, credits=[], labels=[])]), encoding="utf-8")
    first, second = read_charges(path)
    assert (first.start, first.cost, first.labels) == (START, 1.0, {})
    assert (second.cost, second.labels) == (1.75, {"goog-k8s-node-pool-name": "gpu"})
    assert second.known == START + timedelta(hours=6, microseconds=123456)


def test_focus_of_hours_days_and_months(tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"
    path.write_text(
        "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ResourceName,SubAccountId,Tags\n"
        '1.5,USD,2026-11-02T00:00:00Z,2026-11-02T01:00:00Z,gpu-1,my-product,"{""team"": ""ml""}"\n'
        "30,USD,2026-11-01 00:00:00 UTC,2026-12-01 00:00:00 UTC,,my-product,\n",
        encoding="utf-8",
    )
    charges = read_charges(path)
    assert len(charges) == 31
    assert sum(one.cost for one in charges) == pytest.approx(31.5)
    assert [one.labels for one in charges if one.resource] == [{"team": "ml"}]
    assert {one.known for one in charges} == {None}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ("", "the file is empty"),
        ("[]", "it has no charge"),
        ('[{"cost": 1}]', "these are no rows of the detailed export"),
        ('[{"cost"', "these are no rows of the detailed export"),
        (json.dumps([row(0, 1.0, usage_start_time="yesterday")]), "'yesterday' is no time"),
        (json.dumps([row(0, 1.0), row(1, 1.0, currency="EUR")]), "charges in EUR and USD"),
        ("Cost,Date\n1,2\n", "line 2 is no row of FOCUS"),
    ],
)
def test_a_file_that_will_not_do(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "billing"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as error:
        read_charges(path)
    assert str(path) in str(error.value)


def hourly(cost: float, days: int = DAYS) -> list[Charge]:
    """Charges of one cost an hour, known five hours later."""
    moments = [START + hour * HOUR for hour in range(days * 24)]
    return [Charge(start=at, end=at + HOUR, cost=cost, currency="USD", known=at + HOUR + KNOWN) for at in moments]


@pytest.mark.parametrize(
    ("lag", "first"),
    [
        (None, START + 15 * HOUR),  # ten hours of cost, known five hours after their end
        (timedelta(hours=24), START + 34 * HOUR),
    ],
)
def test_a_rung_is_passed_when_its_cost_is_known(lag: timedelta | None, first: datetime) -> None:
    player = SpendingPlayer(budgets(), {"monthly": 20.0}, hourly(1.0), lag)
    for minute in range(0, DAYS * 1440, 10):
        player.pass_minute(START + timedelta(minutes=minute), lambda _: 1.0)
    spent = player.spent()
    assert spent.steps[0].at == first
    assert spent.steps[0].changes[0].startswith("Notify rung  -> actual@0.5: cost has reached 10.00 USD")
    assert ("gpu_pools_off" in str(spent.steps)) == bool(player.restrictions.in_force)


def test_what_pools_at_zero_do_not_cost_trips_no_rung() -> None:
    player = SpendingPlayer(budgets(), {"monthly": 20.0}, hourly(1.0), None)
    for minute in range(0, DAYS * 1440, 30):
        player.pass_minute(START + timedelta(minutes=minute), lambda _: 0.1)
    spent = player.spent()
    assert not spent.steps
    assert (spent.costs[-1].recorded, round(spent.costs[-1].simulated, 6)) == (66.0, 6.6)


def test_a_forecast_continues_the_pace_and_its_rung_acts_on_the_local_cloud_too() -> None:
    ladder = [{"at": 0.5, "on": "forecast", "do": ["notify"]}, {"at": 1.0, "on": "forecast", "do": ["gpu_pools_off"]}]
    settings, amounts = budgets(ladder), {"monthly": 650.0}
    player = SpendingPlayer(settings, amounts, hourly(1.0, days=8), timedelta())
    for minute in range(0, 8 * 1440, 30):
        player.pass_minute(START + timedelta(minutes=minute), lambda _: 1.0)
    spent = player.spent()
    week = next(one for one in spent.costs if one.forecast is not None)
    # A dollar an hour, to the end of November in California, eight hours after that of UTC.
    assert (week.at, week.simulated, week.forecast) == (START + timedelta(days=7), 168.0, 29 * 24 + 8)
    assert [str(step.changes).count("gpu_pools_off") for step in spent.steps if step.at == week.at] == [1]
    assert spending_differences(spent, settings, amounts, [week.at]) == []


def test_a_period_begins_at_midnight_in_california() -> None:
    midnight = datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert period_start(midnight) == midnight
    assert period_start(midnight - timedelta(minutes=1)) == datetime(2026, 11, 1, 7, tzinfo=UTC)


def played(folder: Path, amount: float) -> Outcome:
    """Three generated days of a pool and its budget."""
    generate(folder, [POOLS], START, DAYS, seed=3)
    charges = read_charges(generate_charges(folder, POOLS, START, DAYS, seed=3))
    values = values_of(read_recordings(folder, queries_of([POOLS])), PERIOD)
    recorded = Recorded(values, PERIOD, Assumptions(), Billing(charges, {"monthly": amount}))
    assert hourly_price_of(POOLS.pools["gpu"], charges) == pytest.approx(2.0)
    return play_together(Policy("settings", POOLS, budgets()), recorded)


@pytest.mark.one_python
def test_a_budget_turns_the_pool_off_and_the_local_cloud_does_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = played(tmp_path, 20.0)
    assert outcome.spent
    off = next(step.at for step in outcome.spent.steps if "gpu_pools_off" in str(step.changes))
    gpu = outcome.pools["gpu"]
    assert not any(gpu.model.sizes[(off - START) // timedelta(minutes=1) + 5 :])
    day = off.replace(hour=0, minute=0)
    until = Period(START, (off + HOUR - START) // timedelta(minutes=1))
    assert differences(gpu, until, Assumptions(), [day]) == []
    amounts = {"monthly": 20.0}
    assert spending_differences(outcome.spent, budgets(), amounts, [day]) == []
    other = spending_differences(outcome.spent, budgets(LADDER[:1]), amounts, [day])
    assert "gpu_pools_off" in other[0]
    assert capsys.readouterr().out == ""


def test_the_whole_command_with_budgets_and_lags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"billing_account": ACCOUNT, "currency": "USD", "ladder": LADDER}
    own = tmp_path / "own.yaml"
    sections = {"scale_gpu_pools": {"pools": {"gpu": pools()}}, "cap_spending": {"budgets": {"monthly": one}}}
    own.write_text(json.dumps({"mode": "observe", **sections}), encoding="utf-8")
    metrics, settings = tmp_path / "metrics", ["--settings", str(own)]
    begin = ["--from", f"{START:%Y-%m-%dT%H:%MZ}", "--days", "2"]
    assert simulate.main([*settings, "--generate", str(metrics), *begin]) == 0
    charges = ["--billing", str(metrics / "billing.json")]
    again = [*settings, "--metrics", str(metrics), *charges, "--no-replay"]
    assert simulate.main(again) == 2
    assert "--budget monthly" in capsys.readouterr().err
    alone = [*settings, *charges, "--budget", "monthly=60", "--page", str(tmp_path / "alone.html")]
    assert simulate.main(alone) == 0
    answer = capsys.readouterr().out
    assert "Not simulated: scale_gpu_pools (it needs --metrics; here its pools cost what they were charged)" in answer
    assert "cap_spending: 2 days played again on the local cloud, 0 differences" in answer
    assert "met zero" not in answer + (tmp_path / "alone.html").read_text(encoding="utf-8")
    own.write_text(json.dumps({"mode": "observe", "scale_gpu_pools": sections["scale_gpu_pools"]}), encoding="utf-8")
    assert simulate.main(alone) == 2
    assert "cap_spending.budgets" in capsys.readouterr().err
    own.write_text(json.dumps({"mode": "observe", **sections}), encoding="utf-8")
    rows = [{**one, "export_time": None} for one in json.loads((metrics / "billing.json").read_text())]
    (metrics / "billing.json").write_text(json.dumps(rows), encoding="utf-8")
    page = tmp_path / "page.html"
    assert simulate.main([*again, "--budget", "monthly=60", "--page", str(page)]) in (0, 1)
    assert "monthly/actual@0.5: 30</text>" in page.read_text(encoding="utf-8")
    answer = capsys.readouterr().out
    assert "gpu: 2.0000 USD an hour of a node, as billed" in answer
    assert "settings: November 2026 cost " in answer
    assert "settings, known 6 hours late: " in answer
    assert "settings, known 48 hours late: November 2026 cost 0.00 USD" in answer
