"""The files of the last release, out of git's history, for tests of an upgrade."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from infra.suite.automations import ROOT

BEFORE_THE_FIRST_RELEASE = "5eabc43bda99"
"""Until there is a tag: the version before Terraform waits, and before replicas."""


def released(folder: Path, path: str, skipped: str) -> Path:
    """Write what the last release has under a path into a folder, and return it. Skips where there is no history."""
    try:
        archive = _git("archive", _last_release(), path)
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip(f"no history of git, or not back to the last release: {skipped} skipped")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder / path


def _last_release() -> str:
    """The tag of the last release before this commit, or the version before the first one."""
    try:
        return _git("describe", "--tags", "--abbrev=0", "HEAD^").decode().strip()
    except subprocess.CalledProcessError:
        return BEFORE_THE_FIRST_RELEASE


def _git(*arguments: str) -> bytes:
    return subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, check=True).stdout
