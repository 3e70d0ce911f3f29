"""The product in the story's previews, on a machine without PostgreSQL; with it, the story asks it (test_main.py)."""

import io
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from infra.suite.automations import ROOT
from infra.suite.settings import load_caretaker_yaml
from local.console import Console
from local.story.player import Player
from local.story.previewed_product import PreviewedProduct, with_database
from local.suite import Suite
from localcloud import LocalCloud

pytestmark = pytest.mark.one_python


def test_without_postgresql_it_says_so_and_asks_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    with LocalCloud() as cloud:
        player = Player(cloud, Console(RichConsole(file=out, highlight=False, soft_wrap=True)))
        suite = Suite(cloud, "my-product", {}, on_line=player.on_line, error_log=tmp_path / "log")
        product = PreviewedProduct(player, suite, None, "product-pr-2")
        product.orders()
        product.check("404")
        assert cloud.server.calls == []
    assert "what previews answer, 4 skipped: PostgreSQL is not installed" in out.getvalue()
    assert player.wrong == 0


def test_previews_get_the_address_of_their_database_beside_what_the_settings_say() -> None:
    owner = with_database(
        load_caretaker_yaml(ROOT / "local" / "story" / "caretaker.yaml"), {"DATABASE_URL": "postgresql://x"}
    )
    section = owner["manage_previews"]
    assert isinstance(section, dict)
    (repository,) = section["repositories"].values()
    assert repository["env"] == {"TRACE_EXPORT": "none", "DATABASE_URL": "postgresql://x"}
