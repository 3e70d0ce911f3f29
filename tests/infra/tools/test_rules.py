"""The rules of the house, each on a project that breaks it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.tools import rules

# Put together here, as this file must not break the rules that it tests.
REGISTRY = "files.python" + "hosted.org"
SOMEBODY = "/ho" + "me/jane/"
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project that keeps every rule."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    function = tmp_path / "functions" / "sweep"
    function.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\ntest = ["PyTest>=9"]\n')
    (tmp_path / "requirements.txt").write_text(
        f"msgspec==0.22.0 \\\n    {HASH} \\\n    {HASH}\n    # via sweep\n"
        f"pytest==9.2.0 ; python_version > '3' \\\n    {HASH}\n"
    )
    (function / "requirements.in").write_text("# what it needs\nmsgspec>=0.20,<1  # settings\n")
    (function / "requirements.txt").write_text(f"msgspec==0.22.0 \\\n    {HASH}\n")
    return tmp_path


def test_a_project_that_keeps_the_rules(project: Path) -> None:
    assert rules.speaks_of_itself(project) == []
    assert rules.locks_carry_no_addresses(project) == []
    assert rules.locks_are_current(project) == []


@pytest.mark.parametrize(
    "text", [f"see {REGISTRY}/x", f"cd {SOMEBODY}work", "cd /ro" + "ot/work", "C:\\Us" + "ers\\jane\\x"]
)
def test_a_host_or_a_folder_of_a_person_is_found(project: Path, text: str) -> None:
    (project / "notes.md").write_text(f"first\n{text}\n")
    assert [found.partition(": ")[0] for found in rules.speaks_of_itself(project)] == ["notes.md:2"]


def test_the_folder_of_the_checkout_is_found(project: Path) -> None:
    (project / "notes.md").write_text(f"cd {project}/local\n")
    assert rules.speaks_of_itself(project) == [f"notes.md:1: {project}/"]


@pytest.mark.parametrize("text", ["modules/ro" + "ot/main.tf", "the home page", "/projects/P/topics/T"])
def test_other_paths_are_nobodys(project: Path, text: str) -> None:
    (project / "notes.md").write_text(text)
    assert rules.speaks_of_itself(project) == []


def test_ignored_files_and_pictures_say_nothing(project: Path) -> None:
    (project / ".gitignore").write_text("mine.md\n")
    (project / "mine.md").write_text(SOMEBODY)
    (project / "picture.png").write_bytes(b"\x89PNG\xff" + SOMEBODY.encode())
    assert rules.speaks_of_itself(project) == []


@pytest.mark.parametrize(
    "line",
    [f"--index-url https:{'//'}x", "--find-links wheels", "#    uv pip compile /tmp/a.in", "a @ file:///x"],
)
def test_an_address_in_a_lock_is_found(project: Path, line: str) -> None:
    with (project / "functions/sweep/requirements.txt").open("a") as lock:
        lock.write(line + "\n")
    assert rules.locks_carry_no_addresses(project) == [f"functions/sweep/requirements.txt:3: {line}"]


def test_a_lock_may_ask_for_a_package_on_fewer_platforms_only(project: Path) -> None:
    job = project / "jobs" / "mend"
    job.mkdir(parents=True)
    (job / "requirements.in").write_text("msgspec\n")
    (job / "requirements.txt").write_text(f"msgspec==0.22.0 ; sys_platform == 'win32' {HASH}\n")
    assert rules.locks_are_current(project) == []
    (job / "requirements.txt").write_text(f"msgspec==0.22.0 {HASH}\npytest==9.2.0 {HASH}\n")
    said = "jobs/mend/requirements.txt: pytest==9.2.0 is not what requirements.txt pins: run ./deploy.sh lock"
    assert rules.locks_are_current(project) == [said]


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("functions/sweep/requirements.txt", "msgspec==0.22.0\n", "msgspec==0.22.0 has no hash"),
        (
            "functions/sweep/requirements.txt",
            f"msgspec==0.21.0 {HASH}\n",
            "is not what requirements.txt pins",
        ),
        ("functions/sweep/requirements.in", "msgspec>=0.23\n", "nothing pinned there meets msgspec>=0.23"),
        ("functions/sweep/requirements.in", "msgspec\nrich\n", "nothing pinned there meets rich"),
        (
            "pyproject.toml",
            '[dependency-groups]\ntest = ["pytest>=10"]\n',
            "nothing pinned there meets pytest>=10",
        ),
    ],
)
def test_a_lock_that_is_behind_is_found(project: Path, file: str, text: str, found: str) -> None:
    (project / file).write_text(text)
    complaints = rules.locks_are_current(project)
    assert any(found in complaint for complaint in complaints)
    assert all(complaint.endswith("run ./deploy.sh lock") for complaint in complaints)


def test_shell_scripts_are_known_by_their_first_line(tmp_path: Path) -> None:
    script, text = tmp_path / "run", tmp_path / "text"
    script.write_text(f"#!{shutil.which('env')} bash\n")
    text.write_text("bash\n")
    assert rules.is_shell_script(script)
    assert not rules.is_shell_script(text)
