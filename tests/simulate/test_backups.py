"""The simulated decisions of `prune_backups` on a listed bucket."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.prune_backups.settings import Settings
from shared.errors import SettingsError
from shared.settings import parse
from simulate.backups import backup_lines, file_of, listing_commands

FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)
SHOP = {
    "bucket": "my-backups",
    "prefix": "shop/",
    "name": "{time:%Y%m%dT%H%M%S%z}.dump",
    "retention": {"keep_daily": 3, "keep_last": 1},
    "max_delete_fraction": 1.0,
}


def settings_for(**more: object) -> Settings:
    """Settings with one set."""
    return parse({"prune_backups": {"sets": {"shop": {**SHOP, **more}}}}, "prune_backups", Settings).section


def listed(days: int) -> list[dict[str, object]]:
    """A backup of each night, as `objects.list` has it."""
    nights = [FIRST + timedelta(days=day) for day in range(days)]
    return [
        {"name": f"shop/{at:%Y%m%dT%H%M%SZ}.dump", "timeCreated": at.isoformat(), "size": "1000000"} for at in nights
    ]


def test_what_stays_and_what_goes(tmp_path: Path) -> None:
    held = [{**one, "temporaryHold": True} for one in listed(1)]
    pages = [{"items": [*held, *listed(5)[1:]], "nextPageToken": "more"}, {"items": listed(8)[5:]}]
    (tmp_path / file_of("shop")).write_text("\n".join(map(json.dumps, pages)), encoding="utf-8")
    lines = list(backup_lines(tmp_path, settings_for(), None))
    assert lines[0] == "shop (gs://my-backups/shop): 4 stay, 4 go"
    assert len([line for line in lines if line.startswith("  stays")]) == 4


def test_a_refusal_is_reported(tmp_path: Path) -> None:
    (tmp_path / file_of("shop")).write_text(json.dumps({"items": listed(8)}), encoding="utf-8")
    lines = list(backup_lines(tmp_path, settings_for(), FIRST + timedelta(days=30)))
    assert any(line.startswith("shop is refused: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"items": [], "nextPageToken": "more"}', "the listing has another page"),
        ("", "the listing has another page"),
        ('{"items": [{"size": "1"}]}', "this is no listing of a bucket"),
    ],
)
def test_a_listing_that_will_not_do(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / file_of("shop")).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        list(backup_lines(tmp_path, settings_for(), None))


def test_without_a_listing_it_says_which(tmp_path: Path) -> None:
    (line,) = backup_lines(tmp_path, settings_for(), None)
    assert line == f"prune_backups: shop is not simulated: there is no {tmp_path / file_of('shop')}"
    (command,) = listing_commands(settings_for())
    assert command.endswith(f'> "$DIR/{file_of("shop")}"')
    assert "/b/my-backups/o --data-urlencode prefix=shop/" in command
