"""Runs Terraform's own checks on a root configuration of the project, with the real provider if it can be had.

A root is a folder with `tests/*.tftest.hcl`. `terraform init` fetches the provider where it can. Where it cannot,
``CARETAKER_TERRAFORM_CHECK`` may name a program that knows the provider's schema: it is called with the root's folder
and ``--test``, and does all of it. Where neither is to be had, the runs are skipped, and counted.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from infra.suite.automations import ROOT
from tests.infra import attached_providers

TERRAFORM = ROOT / "infra" / "terraform"
VARIABLE = "CARETAKER_TERRAFORM_CHECK"
PROVIDERS = ROOT / ".terraform" / "providers"
"""Providers that were fetched once; git ignores this folder."""
NOT_OURS = shutil.ignore_patterns(".terraform", "*.tfstate*", ".terraform.lock.hcl", "*.auto.tfvars*")
CANNOT_FETCH = re.compile("Failed to (query available provider packages|install provider)")
RUN = re.compile(r'^run "', re.MULTILINE)
SOURCE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)
SUCCESS = re.compile(r"^Success! (\d+) passed, 0 failed\.", re.MULTILINE)


def roots() -> list[str]:
    """Every root, as its path below `infra/terraform`."""
    tests = TERRAFORM.rglob("tests/*.tftest.hcl")
    found = {path.parent.parent.relative_to(TERRAFORM) for path in tests if ".terraform" not in path.parts}
    return sorted(str(folder) for folder in found)


def folders() -> list[str]:
    """Every folder that holds a configuration, a root's or a module's, as its path below `infra/terraform`."""
    files = TERRAFORM.rglob("*.tf")
    found = {path.parent.relative_to(TERRAFORM) for path in files if ".terraform" not in path.parts}
    return sorted(str(folder) for folder in found)


def modules_under_test(root: str) -> set[str]:
    """The modules that runs of a root's tests are about, as their paths below `infra/terraform`."""
    folder = TERRAFORM / root
    sources = [source for path in folder.glob("tests/*.tftest.hcl") for source in SOURCE.findall(path.read_text())]
    return {str((folder / source).resolve().relative_to(TERRAFORM)) for source in sources}


def runs_of(root: str) -> int:
    """The number of runs in the tests of a root."""
    return sum(len(RUN.findall(path.read_text())) for path in (TERRAFORM / root).glob("tests/*.tftest.hcl"))


def check(root: str, scratch: Path, variables: Mapping[str, object] | None = None) -> None:
    """Format, validate and test a root with every module that it or its tests reach; nothing is written beside it.

    The tests of the root itself are given ``variables``.
    """
    copy = scratch / "terraform"
    shutil.copytree(TERRAFORM, copy, ignore=NOT_OURS)
    check_copy(copy, root, runs_of(root), variables)


def check_copy(copy: Path, root: str, runs: int, variables: Mapping[str, object] | None = None) -> None:
    """The same for a root in a copy of files, whose tests have so many runs."""
    skipped = f"{runs} runs of {TERRAFORM.name}/{root} skipped"
    if shutil.which("terraform") is None:
        pytest.skip(f"terraform is not installed: {skipped}")
    if variables is not None:
        (copy / root / "terraform.tfvars.json").write_bytes(msgspec.json.encode(variables))
    _succeeds(copy, "terraform", "fmt", "-check", "-diff", "-recursive")
    if _fetches_the_provider(copy / root):
        _succeeds(copy / root, "terraform", "validate", "-no-color")
        shown = _succeeds(copy / root, "terraform", "test", "-no-color")
    elif program := os.environ.get(VARIABLE):
        python = [sys.executable] if program.endswith(".py") else []
        shown = _succeeds(copy, *python, program, root, "--test", path=_starting_providers_once(copy.parent))
    else:
        pytest.skip(f"neither can the provider be fetched nor is {VARIABLE} set: {skipped}")
    passed = SUCCESS.search(shown)
    assert passed, shown
    assert int(passed[1]) == runs, shown


def _fetches_the_provider(root: Path) -> bool:
    PROVIDERS.mkdir(parents=True, exist_ok=True)
    # Terraform does not promise that two may write into one cache.
    with PROVIDERS.with_suffix(".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        code, shown = _run(root, "terraform", "init", "-backend=false", "-input=false", "-no-color")
    if code and CANNOT_FETCH.search(shown):
        return False
    assert code == 0, shown
    return True


def _starting_providers_once(scratch: Path) -> str:
    """A PATH on which Terraform is the one of `attached_providers.py`."""
    terraform = scratch / "bin" / "terraform"
    terraform.parent.mkdir()
    command = (sys.executable, "-I", attached_providers.__file__, shutil.which("terraform") or "terraform")
    terraform.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    terraform.chmod(0o755)
    return f"{terraform.parent}{os.pathsep}{os.environ['PATH']}"


def _succeeds(folder: Path, *command: str, path: str | None = None) -> str:
    code, shown = _run(folder, *command, path=path)
    assert code == 0, shown
    return shown


def _run(folder: Path, *command: str, path: str | None = None) -> tuple[int, str]:
    run = subprocess.run(
        command,
        cwd=folder,
        env=_environment() | ({"PATH": path} if path else {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout


def _environment() -> dict[str, str]:
    """A person's own environment without variables for a plan; a registry that does not answer is soon given up.

    What is started runs no code of ours, so it measures no coverage either.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "COVERAGE_"))}
    own = {name: os.environ[name] for name in ("TF_CLI_CONFIG_FILE",) if name in os.environ}
    return (
        kept
        | own
        | {
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # Terraform looks for garbage less often, and takes a sixth less time
            "TF_IN_AUTOMATION": "1",
            "TF_PLUGIN_CACHE_DIR": str(PROVIDERS),
            "TF_REGISTRY_CLIENT_TIMEOUT": "10",
            "TF_REGISTRY_DISCOVERY_RETRY": "0",
        }
    )
