"""The arguments of `./deploy.sh send`, and the commands sent for them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

import functions
from functions.cap_spending.commands import Status
from infra.deploy.commands import a_time, commands_of, read_command
from infra.suite.automations import load_automations
from infra.suite.loading import BrokenAutomation

NOW = datetime(2026, 11, 15, 12, 30, tzinfo=UTC)


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine somewhere."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("cap_spending undo", {"type": "undo", "budget": ""}),
        ("cap_spending undo --budget monthly", {"type": "undo", "budget": "monthly"}),
        (
            "cap_spending accept --rung actual@1.0",
            {"type": "accept", "budget": "", "rung": "actual@1.0", "all_budgets": False},
        ),
        (
            "cap_spending snooze --until 2026-11-30T18:00Z",
            {"type": "snooze", "budget": "", "until": "2026-11-30T18:00:00Z"},
        ),
        ("cap_spending link_billing --project my-experiments", {"type": "link_billing", "project": "my-experiments"}),
        (
            "scale_gpu_pools awake --until 2026-11-30T18:00+02:00 --pool training",
            {"type": "awake", "until": "2026-11-30T16:00:00Z", "pool": "training"},
        ),
        ("scale_gpu_pools status", {"type": "status"}),
    ],
)
def test_what_is_sent(arguments: str, sent: dict[str, str]) -> None:
    automation, command = read_command(arguments.split(), NOW)
    assert automation == arguments.split(maxsplit=1)[0]
    assert msgspec.json.decode(msgspec.json.encode(command)) == sent


@pytest.mark.parametrize("automation", load_automations())
def test_every_automation_can_be_asked_for_its_status(automation: str) -> None:
    commands = commands_of(automation)
    assert "status" in commands
    for name, kind in commands.items():
        assert kind.__doc__, name


@pytest.mark.parametrize(
    "broken",
    [
        ("mow_one", None, "cannot be loaded: ModuleNotFoundError"),
        (
            "mow_two",
            "import no_such_package",
            "cannot be loaded: ModuleNotFoundError: No module named 'no_such_package'",
        ),
        ("mow_three", "AUTOMATION = 1", "automation.py: AUTOMATION is no Automation"),
        ("mow_four", "1 / 0", "cannot be loaded: ZeroDivisionError"),
    ],
)
def test_an_automation_whose_code_is_broken_does_not_stop_commands_to_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: tuple[str, str | None, str],
) -> None:
    name, code, why = broken
    folder = tmp_path / name
    folder.mkdir()
    if code is not None:
        (folder / "automation.py").write_text(code)
    monkeypatch.setattr(functions, "__path__", [*functions.__path__, str(tmp_path)])
    known = ("cap_spending", name)
    assert read_command(["cap_spending", "status"], NOW, automations=known) == ("cap_spending", Status())
    with pytest.raises(SystemExit):
        read_command(["--help"], NOW, automations=known)
    assert f"{name} functions/{name}" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(BrokenAutomation, match=f"functions/{name}.*{why}"):
        read_command([name, "status"], NOW, automations=known)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "the following arguments are required: AUTOMATION"),
        ("mow_the_lawn now", "unknown automation 'mow_the_lawn'; expected cap_spending, scale_gpu_pools"),
        ("cap_spendin undo", "(did you mean cap_spending?)"),
        ("undo cap_spending", "the automation comes first: ./deploy.sh send cap_spending undo"),
        ("snooze --until 18:00", "snooze is a command of cap_spending: ./deploy.sh send cap_spending snooze"),
        ("cap_spending --until 18:00 snooze", "comes first: ./deploy.sh send cap_spending snooze --until 18:00"),
        ("cap_spending mow", "unknown command 'mow'; expected undo, accept"),
        ("cap_spending snoze", "(did you mean snooze?)"),
        ("cap_spending snooze", "the following arguments are required: --until"),
        (
            "cap_spending snooze --until soon",
            "cap_spending snooze: invalid time 'soon'; expected one such as 18:00 or 2026-11-30T18:00Z",
        ),
        ("cap_spending undo --everything", "unrecognized arguments: --everything"),
    ],
)
def test_what_cannot_be_sent(capsys: pytest.CaptureFixture[str], arguments: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        read_command(arguments.split(), NOW)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_clock_time_is_the_next_one_here(zone: str) -> None:
    del zone
    for text in ("18:00", "00:15", "12:30"):
        moment = a_time(text, NOW)
        assert moment.astimezone().strftime("%H:%M") == text
        assert 0 < (moment - NOW).total_seconds() <= 24 * 3600


def test_a_time_without_a_zone_is_this_machines(zone: str) -> None:
    del zone
    assert a_time("2026-11-30T18:00", NOW).astimezone().isoformat()[:16] == "2026-11-30T18:00"
    assert a_time("2026-11-30T18:00Z", NOW) == datetime(2026, 11, 30, 18, tzinfo=UTC)
