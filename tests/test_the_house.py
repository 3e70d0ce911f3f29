"""`deploy.sh`, the door of the house: short answers to a person who has just cloned it."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from infra.tools import help  # noqa: A004 - it is the help of `deploy.sh`

ROOT = Path(__file__).resolve().parents[1]

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]


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
    listed = re.findall(r"^  \./deploy\.sh (\w+)", answer.stdout, re.MULTILINE)
    assert sorted(listed) == sorted({*help.MODULES, *help.BY_HAND} - {"all"})
    assert max(map(len, answer.stdout.splitlines())) <= 110


@pytest.mark.parametrize("command", sorted({*help.MODULES, *help.BY_HAND} - {"all"}))
@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--local", "--help")])
def test_help_needs_no_python(bare_machine: Path, command: str, arguments: tuple[str, ...]) -> None:
    answer = deploy(command, *arguments, path=bare_machine)
    if command == "send" and len(arguments) > 1:
        assert "Caretaker needs Python" in answer.stderr  # the options before a command are Python's to read
        return
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == (help.FOLDER / f"{command}.txt").read_text()
    assert answer.stdout.startswith(f"usage: ./deploy.sh {command}")


@pytest.mark.parametrize("argument", ["--version", "-V", "version"])
def test_the_version_is_that_of_the_project_and_of_the_changelog(bare_machine: Path, argument: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    answer = deploy(argument, path=bare_machine)
    assert answer.stdout == f"caretaker {project['version']}\n"
    assert f"\n## {project['version']} " in (ROOT / "CHANGELOG.md").read_text()


def test_no_command_is_an_error_with_the_same_help() -> None:
    answer = deploy()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == deploy("--help").stdout


def test_an_unknown_command_points_to_the_help(tmp_path: Path) -> None:
    answer = deploy("mow", folder=tmp_path)
    assert answer.returncode == 1
    assert "unknown command 'mow'" in answer.stderr
    assert "--help lists the commands" in answer.stderr


def test_an_option_before_the_command_is_an_error_that_says_so() -> None:
    answer = deploy("--local", "status")
    assert answer.returncode == 1
    assert "the command comes first: ./deploy.sh COMMAND --local status" in answer.stderr


def test_the_tests_take_no_argument() -> None:
    answer = deploy("test", "tests/shared")
    assert (answer.returncode, answer.stderr) == (1, "deploy.sh: test takes no argument: tests/shared\n")


def test_without_a_supported_python_it_says_which_it_needs_and_which_it_saw(bare_machine: Path) -> None:
    answer = deploy("local", path=bare_machine)
    assert answer.returncode == 1
    assert "Caretaker needs Python 3.11, 3.12, 3.13 or 3.14" in answer.stderr
    assert "no Python 3" in answer.stderr
    for name, version in (("python3", "3.9.2"), ("python3.10", "3.10.13")):
        python = bare_machine / name
        python.write_text(f'#!/bin/sh\ncase "$*" in *"is"*) echo "{name} is {version}" ;; *) exit 1 ;; esac\n')
        python.chmod(0o755)
    answer = deploy("local", path=bare_machine)
    assert answer.returncode == 1
    assert "python3 is 3.9.2\npython3.10 is 3.10.13\n" in answer.stderr


def test_a_python_that_cannot_make_environments_is_named(bare_machine: Path) -> None:
    python = bare_machine / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n')
    python.chmod(0o755)
    answer = deploy("local", path=bare_machine)
    assert answer.returncode == 1
    assert f"{python} has no venv module" in answer.stderr
    assert "python3-venv" in answer.stderr


def test_the_pythons_are_the_same_everywhere() -> None:
    script = (ROOT / "deploy.sh").read_text()
    (supported,) = re.findall(r'^supported="(.*)"$', script, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = SpecifierSet(project["requires-python"])
    assert [f"3.{minor}" for minor in range(30, 0, -1) if f"3.{minor}" in wanted] == supported.split()


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


PURE = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in ("decide", "needs")
    for path in ROOT.glob(f"functions/*/{room}.py")
)


def test_every_automation_has_its_decision_and_its_needs() -> None:
    folders = {path.parent.name for path in ROOT.glob("functions/*/automation.py")}
    assert len(folders) >= 5
    assert {f"functions.{name}.{room}" for name in folders for room in ("decide", "needs")} == set(PURE)


@pytest.mark.parametrize("module", PURE)
def test_a_decision_is_imported_without_any_google_client(module: str) -> None:
    program = f"""
import sys
there = set(sys.modules)  # an installed package may put an empty `google` there at start
import {module}
print(*(name for name in set(sys.modules) - there if name.split(".")[0] in {{"google", "grpc"}}))
"""
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
