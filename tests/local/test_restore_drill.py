"""The restore drill of the story, on a machine without PostgreSQL; with it, the story plays it (test_main.py)."""

import io
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from local.console import Console
from local.story import restore_drill
from local.story.player import Player
from local.suite import Suite
from localcloud import LocalCloud
from shared import postgres_server


def test_without_postgresql_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "FOLDERS", ())
    monkeypatch.setenv("PATH", "")
    out = io.StringIO()
    with LocalCloud() as cloud:
        player = Player(cloud, Console(RichConsole(file=out, highlight=False, soft_wrap=True)))
        suite = Suite(cloud, "my-product", {}, on_line=player.on_line, error_log=tmp_path / "log")
        restore_drill.play(player, suite, None)
    assert "the restore drill, 1 skipped: initdb is not on this machine" in out.getvalue()
    assert player.wrong == 0
