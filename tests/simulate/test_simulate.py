"""`./deploy.sh simulate` from exported files to its answer, and the same days on the local cloud."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.scale_gpu_pools.settings import Settings
from shared.settings import parse
from simulate import __main__ as simulate
from simulate.exports import Query, export_commands, queries_of, signals_of
from simulate.figures import figures_of, values_of
from simulate.generator import generate
from simulate.model import Values
from simulate.playing import Assumptions, Played, play
from simulate.recording import Period, read_recordings
from simulate.replay import differences
from tests.functions.scale_gpu_pools.stage import HOURS, QUEUE, a_pool, settings_of
from tests.laws.scenario import load_scenario, scenario_files
from tests.simulate.test_model import DUTY

START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
DAYS = 3
IDLE = {"for_minutes": 30, "signals": [DUTY, QUEUE]}
PERIOD = Period(START, DAYS * 1440)
SECOND_DAY, UNTIL_NOON = START + timedelta(days=1), Period(START, 36 * 60)
WORKER: dict[str, object] = {"project": "my-product", "region": "europe-west4", "name": "images"}
POLICIES: dict[str, dict[str, object]] = {
    "hours, idle and wake": {"idle": IDLE, "wake": [QUEUE]},
    "idle and wake": {"idle": IDLE, "wake": [QUEUE], "hours": None},
    "hours and wake": {"wake": [QUEUE]},
    "hours": {},
    "a minimum": {"idle": IDLE, "wake": [QUEUE], "size": 2, "minimum": 1},
    "a worker pool": {"idle": IDLE, "wake": [QUEUE], "node_pool": None, "worker_pool": WORKER},
    "a service": {"idle": IDLE, "wake": [QUEUE], "node_pool": None, "service": WORKER},
}


def settings_for(policy: str) -> Settings:
    """Settings with one pool."""
    pool = {key: value for key, value in a_pool(**POLICIES[policy]).items() if value is not None}
    return settings_of(gpu=pool)


def played_from(folder: Path, settings: Settings, assumptions: Assumptions = Assumptions()) -> Played:  # noqa: B008
    """Three generated days, as they would have been."""
    generate(folder, [settings], START, DAYS, seed=3)
    recordings = read_recordings(folder, queries_of([settings]))
    return play(settings, "gpu", values_of(recordings, PERIOD), PERIOD, assumptions)


@pytest.mark.one_python
@pytest.mark.no_cover
@pytest.mark.parametrize("policy", POLICIES)
def test_the_local_cloud_does_the_same_to_the_minute_and_the_word(tmp_path: Path, policy: str) -> None:
    assumptions = Assumptions()
    played = played_from(tmp_path, settings_for(policy), assumptions)
    assert any(step.changes for step in played.steps if SECOND_DAY <= step.at < UNTIL_NOON.end)
    assert differences(played, UNTIL_NOON, assumptions, [SECOND_DAY]) == []


def _scenarios() -> dict[str, Settings]:
    """By name, the settings of each scenario whose pools have signals."""
    files = {path.stem: load_scenario(path, "scale_gpu_pools") for path in scenario_files("scale_gpu_pools")}
    found = {name: parse(one.settings, "scale_gpu_pools", Settings).section for name, one in files.items()}
    return {name: one for name, one in found.items() if any(map(signals_of, one.pools.values()))}


SCENARIOS = _scenarios()


@pytest.mark.one_python
@pytest.mark.no_cover
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_with_signals_is_the_same_on_the_local_cloud(tmp_path: Path, scenario: str) -> None:
    settings = SCENARIOS[scenario]
    generate(tmp_path, [settings], START, DAYS, seed=5)
    values = values_of(read_recordings(tmp_path, queries_of([settings])), PERIOD)
    for key, pool in settings.pools.items():
        if signals_of(pool):
            played = play(settings, key, values, UNTIL_NOON, Assumptions())
            assert differences(played, UNTIL_NOON, Assumptions(), [SECOND_DAY]) == []


@pytest.mark.one_python
def test_a_simulation_that_is_not_what_happens_is_found(tmp_path: Path) -> None:
    played = played_from(tmp_path, settings_for("idle and wake"), Assumptions(seen_after=0))
    assert differences(played, UNTIL_NOON, Assumptions(seen_after=8), [SECOND_DAY])


def test_the_same_seed_gives_the_same_answer(tmp_path: Path) -> None:
    settings = settings_for("idle and wake")
    first, second = (figures_of("a", played_from(tmp_path, settings), PERIOD) for _ in range(2))
    assert first == second


def test_hours_alone_are_on_in_them_alone(tmp_path: Path) -> None:
    figures = figures_of("hours", played_from(tmp_path, settings_for("hours")), PERIOD)
    assert figures.node_hours_always == DAYS * 24
    assert figures.node_hours_on == pytest.approx(DAYS * 10, abs=0.1)
    assert figures.saved == pytest.approx(DAYS * 14 * 2.0, abs=0.2)


def test_a_job_at_night_is_started_once_and_not_killed() -> None:
    settings = settings_for("hours, idle and wake")
    queries = queries_of([settings])
    duty, requested, nodes, queue = (
        next(query for query in queries if part in query.filter)
        for part in ("duty", "/request", "/node/", "undelivered")
    )
    night, waiting = range(21 * 60, 24 * 60), {21 * 60, 21 * 60 + 1}
    minutes = range(PERIOD.minutes)
    values: dict[Query, Values] = {
        duty: [80.0 if at in night else None for at in minutes],
        requested: [1.0 if at in night else None for at in minutes],
        nodes: [8.0] * len(minutes),
        queue: [float(at in waiting) for at in minutes],
    }
    played = play(settings, "gpu", values, PERIOD, Assumptions())
    work = played.model.figures
    assert (work.jobs, work.killed, played.model.unfinished) == (1, [], 0)
    at_night = [step for step in played.steps if step.at >= START + timedelta(hours=21) and step.changes]
    assert [change.split(":")[0] for change in at_night[0].changes] == ["Resize node_count 0 -> 1"]
    assert at_night[1].at >= START + timedelta(hours=24, minutes=30)


def _write(path: Path, pools: dict[str, object]) -> Path:
    path.write_text(json.dumps({"mode": "observe", "scale_gpu_pools": {"pools": pools}}), encoding="utf-8")
    return path


def test_an_answer_with_a_what_if_and_lines_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = _write(tmp_path / "own.yaml", {"gpu": a_pool(idle=IDLE, wake=[QUEUE])})
    other = _write(tmp_path / "always.yaml", {"gpu": {**a_pool(idle=IDLE, wake=[QUEUE]), "hours": HOURS}})
    metrics, lines = tmp_path / "metrics", tmp_path / "lines.json"
    times = ["--from", f"{START:%Y-%m-%dT%H:%MZ}", "--days", "2"]
    assert simulate.main(["--settings", str(own), "--generate", str(metrics), *times]) == 0
    arguments = [
        "--settings",
        str(own),
        "--metrics",
        str(metrics),
        "--what-if",
        str(other),
        "--json",
        str(lines),
        "--no-replay",
    ]
    page = tmp_path / "page.html"
    assert simulate.main([*arguments, "--timeline", "--outage", "1h", "--page", str(page)]) in (0, 1)
    shown = page.read_text(encoding="utf-8")
    assert "gpu: nodes on, and needed" in shown
    assert shown.count("<tr>") == 3
    assert "<td>always</td>" in shown
    answer = capsys.readouterr().out
    assert "! Only 2.0 days are recorded" in answer
    assert "\n  settings  gpu" in answer
    assert "\n  always    gpu" in answer
    assert "Resize node_count 1 -> 0: " in answer
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {one["policy"] for one in found} == {"settings", "always"}
    assert all(one["changes"] or one["alerts"] or one["notices"] for one in found)


def test_without_a_file_it_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = _write(tmp_path / "own.yaml", {"gpu": a_pool(idle=IDLE, wake=[QUEUE])})
    assert simulate.main(["--settings", str(own), "--metrics", str(tmp_path)]) == 2
    assert "export it with the command that ./deploy.sh simulate --print-export prints" in capsys.readouterr().err


def test_the_exports_that_it_asks_for_are_the_files_that_it_reads() -> None:
    settings = settings_for("hours, idle and wake")
    commands = list(export_commands([settings], START, START + timedelta(days=30)))
    assert len(commands) == len(queries_of([settings])) == 4
    for command, query in zip(commands, queries_of([settings]), strict=True):
        assert command.endswith(f'> "$DIR/{query.file}"')
        assert f"filter={query.filter}" in command
        assert "interval.endTime=2026-12-02T00:00:00Z" in command
