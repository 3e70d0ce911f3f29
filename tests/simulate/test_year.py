"""The estimate before anything is deployed shares its prices with `infra.costs`, and plays the GPU's hours."""

import pytest

from infra.costs.estimate import estimate, load_prices, load_product
from shared.errors import SettingsError
from simulate.exports import queries_of
from simulate.playing import Assumptions
from simulate.year import work_of, year_lines
from tests.functions.scale_gpu_pools.stage import QUEUE, a_pool, settings_of
from tests.simulate.test_model import DUTY

POOLS = settings_of(gpu=a_pool(idle={"for_minutes": 30, "signals": [DUTY, QUEUE]}, wake=[QUEUE]))
GAUGE = {"kind": "metric", "project": "my-product", "filter": 'metric.type = "custom/load"', "at_most": 1}
WEEK = 7


@pytest.mark.one_python
def test_a_year_part_by_part() -> None:
    lines = list(year_lines(POOLS, Assumptions(), days=WEEK))
    rows = {row.name: row for row in estimate(load_product(), load_prices())}
    assert next(line for line in lines if "Database" in line).split()[1:3] == ["52.71", "27.25"]
    gpu = next(line for line in lines if line.startswith("  GPU"))
    hours = int(gpu.rpartition(" hours as played")[0].rpartition(" ")[2])
    # Five jobs of 2.5 hours a week, each with half an hour of idleness before and after and some minutes to start.
    assert 5 * 2.5 * 730 / 168 < hours < 5 * 4 * 730 / 168
    assert float(gpu.split()[2]) == pytest.approx(rows["GPU"].after / 60 * hours, abs=0.2)
    assert lines[-1].startswith("GPU: 5 jobs of 2.5 hours")
    assert lines[-1].endswith("0 interrupted.")


def test_every_signal_has_a_year_of_work() -> None:
    settings = settings_of(gpu=a_pool(idle={"signals": [DUTY, GAUGE]}, wake=[QUEUE]))
    values = work_of(settings.pools["gpu"], WEEK * 24 * 60, seed=1)
    assert values.keys() == set(queries_of([settings]))
    assert {len(one) for one in values.values()} == {WEEK * 24 * 60}


def test_without_a_pool_that_has_signals_there_is_no_year() -> None:
    with pytest.raises(SettingsError, match="a pool with `idle` and `wake`"):
        list(year_lines(settings_of(gpu=a_pool()), Assumptions()))
