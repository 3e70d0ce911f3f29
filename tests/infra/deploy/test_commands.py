"""What a person may type after `./deploy.sh send`, and what is sent for it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from infra.deploy.commands import a_time, commands_of, read_command
from infra.suite.automations import load_automations

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
        ("cap_spending accept --rung actual@1.0", {"type": "accept", "budget": "", "rung": "actual@1.0"}),
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
    ("arguments", "said"),
    [
        ("", "the following arguments are required: AUTOMATION"),
        ("mow_the_lawn now", "invalid choice: 'mow_the_lawn'"),
        ("cap_spending mow", "invalid choice: 'mow'"),
        ("cap_spending snooze", "the following arguments are required: --until"),
        (
            "cap_spending snooze --until soon",
            "cap_spending snooze: 'soon' is no time: say it like 18:00, or 2026-11-30T18:00Z",
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
