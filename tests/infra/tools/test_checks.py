"""The report of `./deploy.sh test`: what counts as passed, failed and skipped."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.tools.checks import (
    Check,
    Outcome,
    begin,
    close,
    command,
    main_version,
    read_pytest,
    rule,
    run_tests_elsewhere,
    show_all,
)


def test_counts_are_read_as_pytest_printed_them() -> None:
    output = "....s\nSKIPPED [2] tests/a.py:3: Java is not installed\n41 passed, 2 skipped, 1 xfailed in 3.21s\n"
    outcome = read_pytest(0, output)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (41, 0, 3)
    assert outcome.note == "41 passed, 2 skipped, 1 xfailed in 3.21s"
    assert outcome.details == "SKIPPED [2] tests/a.py:3: Java is not installed"


@pytest.mark.parametrize(
    ("summary", "failed"),
    [
        ("===== 2 failed, 40 passed, 1 warning, 3 errors in 75.02s (0:01:15) =====", 5),
        ("40 passed in 1.00s", 1),  # an exit code other than 0 is a failure, whatever was counted
        ("no tests ran in 0.01s", 1),
        ("INTERNALERROR> Traceback", 1),
    ],
)
def test_a_run_that_went_wrong_shows_all_its_output(summary: str, failed: int) -> None:
    outcome = read_pytest(1, f"what happened\n{summary}\n")
    assert outcome.failed == failed
    assert "what happened" in outcome.details


def test_the_last_summary_counts_not_one_that_a_test_printed() -> None:
    assert read_pytest(0, "9 passed in 0.1s\n1 passed in 0.2s\n").passed == 1


def test_a_program_passes_by_its_exit_code_and_is_silent_then() -> None:
    assert command("sh", "-c", "echo well")() == Outcome(passed=1)
    assert command("sh", "-c", "echo ill; exit 3")() == Outcome(failed=1, details="ill\n")


def test_a_rule_passes_when_nothing_breaks_it() -> None:
    assert rule(lambda _: [])() == Outcome(passed=1)
    assert rule(lambda _: ["a.py:1", "b.py:2"])() == Outcome(failed=1, details="a.py:1\nb.py:2")


def test_a_python_that_could_not_be_made_ready_is_a_failure(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no network\nexit 1\n")
    python.chmod(0o755)
    outcome = run_tests_elsewhere("3.0", str(python), workers=1)
    assert (outcome.failed, outcome.note, outcome.details) == (1, "could not be installed", "no network\n")


def test_one_line_says_how_a_check_ended(capsys: pytest.CaptureFixture[str]) -> None:
    check = Check("types", lambda: Outcome(failed=1, note="2 errors", details="a.py:1: wrong\nb.py:2: wrong\n"))
    with ThreadPoolExecutor(1) as pool:
        show_all(begin(pool, [check]))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.split() == ["types", "." * 24, "FAILED", "0.0", "s", "2", "errors"]
    assert rest == ["    a.py:1: wrong", "    b.py:2: wrong"]


def test_the_last_line_adds_up_and_names_come_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {"lint": Outcome(passed=1), "tests": Outcome(passed=40, failed=2, skipped=3)}
    assert close(outcomes, missing=1, seconds=12.3) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "failed: tests" in lines
    assert lines[-2:] == ["2 checks in 12 s", "41 passed, 2 failed, 4 skipped"]


def test_nothing_failed_is_exit_0_and_slow_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert close({"lint": Outcome(passed=1)}, missing=0, seconds=301) == 0
    assert "They may take 300 s" in capsys.readouterr().out


def test_a_run_that_takes_too_long_names_its_slowest_tests(capsys: pytest.CaptureFixture[str]) -> None:
    slow = "5.22s call     tests/a.py::test_the_story\n1.01s setup    tests/b.py::test_all[1 and 2]"
    headed = f"==== slowest 15 durations ====\n\n{slow}\n(3 durations < 1s hidden.)\n41 passed in 9.21s\n"
    outcomes = {"tests": read_pytest(0, headed), "lint": Outcome(passed=1)}
    assert outcomes["tests"].slowest == slow
    close(outcomes, missing=0, seconds=299)
    assert "test_the_story" not in capsys.readouterr().out
    close(outcomes, missing=0, seconds=301)
    assert "\n".join(("tests", *(f"    {line}" for line in slow.splitlines()))) in capsys.readouterr().out


def test_the_main_version_is_the_one_that_runs() -> None:
    assert main_version() in {"3.11", "3.12", "3.13", "3.14"}
