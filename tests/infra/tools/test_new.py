"""`./deploy.sh new NAME`: a sixth automation in a copy of the project, with no other file edited by hand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.suite.automations import ROOT, load_automations
from infra.tools import rules
from infra.tools.new import NotWritten, write_skeleton
from shared.settings import VARIABLE
from tests.infra.deploy.stage import serving

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover, pytest.mark.long]

NAME = "pause_all_night_jobs"
"""As long as a name may be: lines stay short enough."""
JOB = {"project": "my-product", "region": "europe-west1", "name": "nightly"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, in which the skeleton was written and what is generated was generated."""
    root = tmp_path_factory.mktemp("copy") / "caretaker"
    for path in rules.project_files(ROOT):
        made = root / path.relative_to(ROOT)
        made.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, made)
    for command in (("git", "init", "--quiet"), ("git", "add", "--all")):
        subprocess.run(command, cwd=root, check=True)
    run(root, "infra.tools.new", NAME)
    run(root, "infra.tools.generate")
    return root


def run(root: Path, *arguments: str | Path) -> str:
    """The output of a module of the copy, run as `deploy.sh` runs it; the test fails if the module does."""
    environment = {
        name: value for name, value in os.environ.items() if name != VARIABLE
    }  # a person has no settings there
    done = subprocess.run(
        (sys.executable, "-P", "-m", *arguments),
        cwd=root,
        env={**environment, "PYTHONPATH": str(root), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_else_is_edited_by_hand(copy: Path) -> None:
    run(copy, "infra.tools.generate", "--check")
    changed = subprocess.run(
        ("git", "status", "--porcelain"), cwd=copy, capture_output=True, text=True, check=True
    ).stdout
    assert {line[3:] for line in changed.splitlines() if line[1] != " "} == {
        "caretaker.schema.json",
        "docs/deploy.md",
        f"functions/{NAME}/",
        "infra/terraform/automations.yaml",
        "infra/terraform/tests/resources.json",
        f"tests/functions/{NAME}/",
    }


def test_it_obeys_every_law_and_its_tests_and_those_of_the_map_pass(copy: Path) -> None:
    # In one process: most of its time goes into the imports.
    files = ("tests/infra/suite/test_automations.py", "tests/infra/test_docs.py")
    tests = ("tests/laws", f"tests/functions/{NAME}", *files, "-k", f"{NAME} or test_automations or test_docs")
    passed = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-rA", *tests)
    assert " skipped" not in passed.splitlines()[-1]
    for path in ("tests/laws/test_laws.py", f"tests/functions/{NAME}/", *files):
        assert f"PASSED {path}" in passed


def test_it_is_written_as_the_project_is(copy: Path) -> None:
    made = (f"functions/{NAME}", f"tests/functions/{NAME}")
    for command in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)):
        run(copy, *command, *made)


def test_its_commands_can_be_sent(copy: Path) -> None:
    every = run(copy, "infra.deploy", "send", "--help")
    assert all(name in every for name in (*load_automations(), NAME))
    assert "cannot be loaded" not in every
    assert "--job JOB" in run(copy, "infra.deploy", "send", NAME, "pause", "--help")


def test_a_plan_on_the_local_cloud_has_it(copy: Path, tmp_path: Path) -> None:
    settings = tmp_path / "caretaker.yaml"
    settings.write_text(json.dumps({"mode": "observe", NAME: {"jobs": {"nightly": JOB}}}))
    with serving({}, tmp_path):
        where = ("--local", "--directory", tmp_path, "--settings", settings)
        planned = run(copy, "infra.deploy", "plan", *where)
    for made in ("Topic", "Function", "TickJob"):
        assert any(line.split()[:2] == ["+", made] for line in planned.splitlines()), made


@pytest.mark.parametrize("name", ["", "Mow", "2do", "mow-lawn", "mow__lawn", "class", "a" * 21, "../mow"])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotWritten, match="invalid name"):
        write_skeleton(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="there is a function cap_spending already"):
        write_skeleton("cap_spending", tmp_path)
    mine = tmp_path / "functions" / NAME / "decide.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(NotWritten, match=r"decide\.py exists already"):
        write_skeleton(NAME, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
