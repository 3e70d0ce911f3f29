"""`deploy.sh`, the door of the house: short answers to a person who has just cloned it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.one_python


def deploy(*arguments: str, folder: Path = ROOT, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run deploy.sh from ``folder``; with ``path``, where only the programs in that folder are found."""
    bash = shutil.which("bash")
    assert bash
    environment = {"PATH": str(path), "HOME": str(path), "PYENV_ROOT": str(path)} if path else None
    return subprocess.run(
        [bash, ROOT / "deploy.sh", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A folder with the few programs that deploy.sh uses before it has a Python."""
    for program in ("bash", "cat", "dirname"):
        found = shutil.which(program)
        assert found
        (tmp_path / program).symlink_to(found)
    return tmp_path


@pytest.mark.parametrize("argument", ["--help", "-h", "help"])
def test_help_lists_every_command(argument: str) -> None:
    answer = deploy(argument)
    assert answer.returncode == 0
    assert re.findall(r"^  \./deploy\.sh (\w+)", answer.stdout, re.MULTILINE) == [
        "local",
        "test",
        "bench",
        "lock",
        "bundle",
        "doctor",
        "plan",
        "apply",
        "status",
        "send",
        "destroy",
    ]
    assert max(map(len, answer.stdout.splitlines())) <= 110


def test_no_command_is_an_error_with_the_same_help() -> None:
    answer = deploy()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == deploy("--help").stdout


def test_an_unknown_command_names_those_there_are(tmp_path: Path) -> None:
    answer = deploy("mow", folder=tmp_path)
    assert answer.returncode == 1
    assert "no command 'mow'" in answer.stderr
    assert "--help lists those there are" in answer.stderr


def test_without_a_python_it_says_which_it_needs(bare_machine: Path) -> None:
    answer = deploy("local", path=bare_machine)
    assert answer.returncode == 1
    assert "no Python 3.11, 3.12 or 3.13 found" in answer.stderr
    assert len(answer.stderr.splitlines()) == 2


def test_a_python_that_cannot_make_environments_is_named(bare_machine: Path) -> None:
    python = bare_machine / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n')
    python.chmod(0o755)
    answer = deploy("local", path=bare_machine)
    assert answer.returncode == 1
    assert f"{python} has no venv module" in answer.stderr
    assert "python3-venv" in answer.stderr


def test_continuous_integration_runs_the_tests_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if "deploy.sh" in line] == ["exec ./deploy.sh test"]
    assert lines[-1] == "exec ./deploy.sh test"
    others = [line for line in lines[:-1] if not line.startswith(("#", "set -euo", "cd "))]
    # All that it adds is the name of a program, for checks that would be skipped without it.
    assert [line.partition("=")[0] for line in others] == [
        "beside",
        '[ ! -f "$beside" ] || export CARETAKER_TERRAFORM_CHECK',
    ]


@pytest.mark.parametrize("plan", sorted(path.parent.name for path in ROOT.glob("functions/*/plan.py")))
def test_a_plan_is_imported_without_any_google_client(plan: str) -> None:
    program = f"""
import sys
there = set(sys.modules)  # an installed package may put an empty `google` there at start
import functions.{plan}.plan
print(*(name for name in set(sys.modules) - there if name.split(".")[0] in {{"google", "grpc"}}))
"""
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
