"""An upgrade from the last release to this version, and back, on the local cloud: each deploys over the other."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deploy.__main__ import main
from tests.infra.deploy.stage import serving
from tests.infra.deploy.test_local_deploy import STORY
from tests.infra.release import released

pytestmark = pytest.mark.one_python

CHANGE = re.compile(r"  ~ Function +\S*?(caretaker-[a-z-]+)\b.*: .*bundle ")
SETTINGS = {"mode": "observe", "cap_spending": STORY["cap_spending"]}


def changed(printed: str) -> list[str]:
    """The functions that a plan deploys anew, which is all that it does: their bundles are of another version."""
    *lines, total = printed.splitlines()
    assert total == f"{len(lines)} to change"
    found = [CHANGE.match(line) for line in lines]
    assert all(found), printed
    return [one[1] for one in found if one]


def test_each_version_deploys_over_the_other_and_makes_no_other_resource(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = released(tmp_path / "before", ".", "an upgrade on the local cloud")
    settings = tmp_path / "caretaker.yaml"
    settings.write_text(json.dumps(SETTINGS), "utf-8")
    where = ("--local", "--directory", str(tmp_path), "--settings", str(settings))

    def old(command: str, *options: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(before)}
        run = (sys.executable, "-m", "infra.deploy", command, *where, *options)
        ended = subprocess.run(run, cwd=before, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def new(command: str, *options: str) -> str:
        capfd.readouterr()
        assert main([command, *where, *options]) == 0
        return capfd.readouterr().out

    with serving(SETTINGS, tmp_path):
        assert changed(old("plan")) == ["caretaker-cap-spending"]
        old("apply", "--yes")
        assert changed(new("plan")) == ["caretaker-cap-spending"]
        new("apply", "--yes")
        assert new("plan").splitlines() == ["no changes"]
        assert changed(old("plan")) == ["caretaker-cap-spending"]
        new("destroy", "--yes")
        assert new("destroy", "--yes").splitlines() == ["no changes", "nothing to apply"]
