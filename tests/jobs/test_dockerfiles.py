"""Each job's Dockerfile, by its text: an image cannot be built everywhere that the tests run."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from infra.suite.automations import ROOT

pytestmark = pytest.mark.one_python

JOBS = sorted(path.parent.name for path in ROOT.glob("jobs/*/__main__.py"))
PYTHON_OF = {"bookworm": "3.11", "trixie": "3.13"}
"""The Python of each release of Debian; the project supports both."""


def instructions(job: str) -> Iterator[tuple[str, str]]:
    """The instructions of a job's Dockerfile, with their arguments."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "jobs" / job / "Dockerfile").read_text())
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, arguments = line.partition(" ")
            yield name, arguments


def copied(job: str) -> set[Path]:
    """The files that are copied into the image, each to where it is in the repository but for the requirements."""
    files = set()
    for name, arguments in instructions(job):
        if name == "COPY":
            *patterns, target = arguments.split()
            found = {path for pattern in patterns for path in ROOT.glob(pattern)}
            assert len(found) >= len(patterns), f"nothing is there to copy by {patterns}"
            if target != "./":
                assert {path.parent for path in found} == {ROOT / target}
            files |= found
    return files


def imported(job: str) -> set[Path]:
    """The files of the modules that a job imports, by way of others too, whenever it does."""
    graph = grimp.build_graph("jobs", "shared")
    entry = f"jobs.{job}.__main__"
    modules = {entry, *graph.find_upstream_modules(entry)}
    packages = {module.rpartition(".")[0] for module in modules}
    files = {ROOT / f"{module.replace('.', '/')}.py" for module in modules}
    return files | {ROOT / package.replace(".", "/") / "__init__.py" for package in packages}


def only(job: str, name: str) -> str:
    """The arguments of an instruction that is there once."""
    (arguments,) = (found for instruction, found in instructions(job) if instruction == name)
    return arguments


def test_there_is_one_for_each_job() -> None:
    assert JOBS == ["back_up_database", "prove_backup"]
    assert [path.parent.name for path in sorted(ROOT.glob("jobs/*/Dockerfile"))] == JOBS


@pytest.mark.parametrize("job", JOBS)
def test_it_copies_what_is_imported_and_nothing_else(job: str) -> None:
    assert copied(job) == imported(job) | {ROOT / "jobs" / job / "requirements.txt"}


@pytest.mark.parametrize("job", JOBS)
def test_it_begins_with_a_postgresql_of_a_certain_version(job: str) -> None:
    found = re.fullmatch(r"postgres:(\d+)\.\d+-(\w+)", only(job, "FROM"))
    assert found, "the official image, by its full version"
    assert int(found[1]) >= 18
    assert found[2] in PYTHON_OF


def versions(job: str) -> set[int]:
    """The versions of PostgreSQL that an image has."""
    installed = " ".join(arguments for name, arguments in instructions(job) if name == "RUN")
    found = [int(major) for major in re.findall(r" postgresql-(?:client-)?(\d+)", installed)]
    base = re.match(r"postgres:(\d+)", only(job, "FROM"))
    assert base
    return {*found, int(base[1])}


def test_what_is_backed_up_can_be_proved() -> None:
    assert versions("back_up_database") == versions("prove_backup") == {14, 15, 16, 17, 18}
    assert only("back_up_database", "FROM") == only("prove_backup", "FROM")


@pytest.mark.parametrize("job", JOBS)
def test_it_installs_what_is_pinned_by_hash_and_starts_the_job_as_nobody_special(job: str) -> None:
    installing = " ".join(arguments for name, arguments in instructions(job) if name == "RUN")
    assert "pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.txt" in installing
    assert only(job, "USER") == "postgres"
    assert json.loads(only(job, "ENTRYPOINT")) == [".venv/bin/python", "-m", f"jobs.{job}"]
    assert [name for name, _ in instructions(job)][-2:] == ["USER", "ENTRYPOINT"]
    assert {name for name, _ in instructions(job)} == {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT"}
