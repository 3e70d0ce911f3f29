"""Invalid settings are rejected by name, with what is expected."""

import pytest

from functions.prune_backups.settings import Settings
from shared.errors import SettingsError
from shared.settings import parse

pytestmark = pytest.mark.one_python

SET: dict[str, object] = {"bucket": "my-backups", "name": "{time:%Y%m%dT%H%M%S%z}.dump", "retention": {"keep_last": 3}}


def settings(**sets: object) -> Settings:
    return parse({"prune_backups": {"sets": sets}}, "prune_backups", Settings).section


@pytest.mark.parametrize(
    ("fields", "key", "would_do"),
    [
        ({"bucket": "My Bucket"}, "sets.shop.bucket", "matching"),
        ({"bucket": None}, "sets.shop.bucket", "text such as my-backups"),
        ({"retention": None}, "sets.shop.retention", "a mapping"),
        ({"retention": {"keep_dayly": 7}}, "sets.shop.retention.keep_dayly", "did you mean keep_daily"),
        ({"retention": {"keep_daily": -2}}, "sets.shop.retention.keep_daily", "from -1"),
        ({"retention": {"keep_within": "3w"}}, "sets.shop.retention.keep_within", "such as 36h"),
        ({"name": ""}, "sets.shop.name", "or `time_from: creation` if names have no time"),
        ({"name": "{group}/{*}"}, "sets.shop.name", "or `time_from: creation` if names have no time"),
        ({"time_from": "creation"}, "sets.shop.time_from", "name, as names have a time"),
        ({"name": "{time:%Y%m%dT%H%M%SZ}.dump"}, "sets.shop.name", "`%z` in place of `Z`"),
        ({"name": "{time:%Y-%m-%dT%H:%M:%S}Z"}, "sets.shop.name", "`%z` in place of `Z`"),
        ({"written_within": "soon"}, "sets.shop.written_within", "such as 36h"),
        ({"name": "{day}"}, "sets.shop.name", "no other braces"),
        ({"time_zone": "Mars/Olympus"}, "sets.shop.time_zone", "such as Europe/Berlin"),
        ({"time_zone": "localtime"}, "sets.shop.time_zone", "such as Europe/Berlin"),
        ({"floor": 0}, "sets.shop.floor", "at least 1"),
        ({"max_delete_fraction": 1.5}, "sets.shop.max_delete_fraction", "from 0 to 1"),
        ({"proof": "trust"}, "sets.shop.proof", "none, complete or verified"),
        ({"fresh_within": "soon"}, "sets.shop.fresh_within", "such as 36h"),
    ],
)
def test_a_set_that_will_not_do(fields: dict[str, object], key: str, would_do: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(shop={**SET, **fields})
    assert error.value.key == f"prune_backups.{key}"
    assert would_do in error.value.remedy


def test_no_object_belongs_to_two_sets() -> None:
    with pytest.raises(SettingsError, match="`all` has ''"):
        settings(shop={**SET, "prefix": "shop/"}, all=SET)
    with pytest.raises(SettingsError, match="prefix that does not begin with"):
        settings(shop={**SET, "prefix": "shop/"}, orders={**SET, "prefix": "shop/orders/"})
    assert len(settings(shop={**SET, "prefix": "shop/"}, stock={**SET, "prefix": "stock/"}).sets) == 2
    assert len(settings(shop=SET, other={**SET, "bucket": "their-backups"}).sets) == 2
