"""`./deploy.sh init`: settings of one's own, in a folder that git ignores."""

import subprocess
from pathlib import Path

import pytest

from infra.deploy.init import main
from infra.suite.automations import ROOT
from infra.suite.deployment import load_suite
from infra.suite.settings import SETTINGS, refuse_missing
from shared.errors import SettingsError


def test_it_copies_the_examples_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    assert main(["--folder", str(folder)]) == 0
    assert load_suite(folder / "deployment.yaml", folder / "caretaker.yaml").automations
    (schema, *_) = (folder / "caretaker.yaml").read_text().splitlines()
    assert Path(schema.partition("$schema=")[2]) == ROOT / "caretaker.schema.json"
    (folder / "caretaker.yaml").write_text("mode: act\n")
    (folder / "deployment.yaml").unlink()
    capsys.readouterr()
    assert main(["--folder", str(folder)]) == 0
    assert (folder / "caretaker.yaml").read_text() == "mode: act\n"
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{folder / 'caretaker.yaml'} exists: not changed",
        f"created {folder / 'deployment.yaml'}",
    ]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--folder", str(tmp_path / "file" / "mine")]) == 2
    assert capsys.readouterr().err.startswith(f"cannot write to {tmp_path / 'file' / 'mine'}: ")


def test_git_ignores_the_folder() -> None:
    ignored = subprocess.run(("git", "check-ignore", "-q", SETTINGS / "caretaker.yaml"), cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_before_it_every_command_says_to_run_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("infra.suite.settings.SETTINGS", tmp_path)
    with pytest.raises(SettingsError) as error:
        refuse_missing(tmp_path / "caretaker.yaml")
    assert (
        str(error.value) == f"cannot read {tmp_path / 'caretaker.yaml'}: no such file; create it with ./deploy.sh init"
    )
    refuse_missing(tmp_path / "elsewhere" / "caretaker.yaml")
