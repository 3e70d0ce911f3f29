"""Invalid settings of a job are rejected by the name of the variable."""

import re

import pytest

from jobs.back_up_database.settings import Settings, connection_variables
from jobs.settings import from_environment
from shared.errors import SettingsError
from tests.wrong_settings import parts_of, refused

GOOD = {"BACKUP_BUCKET": "my-backups", "BACKUP_PREFIX": "shop/"}
PASSWORD = "canary-7f3a9b"  # noqa: S105 - must not be reported


def test_settings_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, **GOOD, BACKUP_LOCK_SECONDS="5")
    assert from_environment(Settings) == Settings(bucket="my-backups", prefix="shop/", lock_seconds=5)


def test_a_whole_bucket_may_be_for_one_database(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, BACKUP_BUCKET="my-backups")
    assert from_environment(Settings) == Settings(bucket="my-backups", prefix="", lock_seconds=60)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BACKUP_BUCKET": None}, "BACKUP_BUCKET: None; expected text"),
        ({"BACKUP_BUCKET": "gs://my-backups"}, "BACKUP_BUCKET: 'gs://my-backups';"),
        ({"BACKUP_PREFIX": "shop/\n"}, "BACKUP_PREFIX: 'shop/\\n';"),
        ({"BACKUP_LOCK_SECONDS": "0"}, "BACKUP_LOCK_SECONDS: '0';"),
        ({"BACKUP_LOCK_SECONDS": "soon"}, "BACKUP_LOCK_SECONDS: 'soon';"),
        ({"BACKUP_LOCK_SECOND": "5"}, "BACKUP_LOCK_SECOND: '5'; did you mean BACKUP_LOCK_SECONDS?"),
    ],
)
def test_a_setting_that_will_not_do_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str | None], said: str
) -> None:
    give(monkeypatch, **{**GOOD, **variables})
    with refused(re.escape(said)):
        from_environment(Settings)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PGDATABASE": "shop"}, "PGHOST: None; expected the host of the database"),
        ({"PGHOST": "db", "PGDATABASE": ""}, "PGDATABASE: ''; expected its name"),
        ({"PGHOST": "db", "PGDATABASE": f"postgresql://u:{PASSWORD}@db/shop"}, "the name of the database alone"),
        ({"PGHOST": "db", "PGDATABASE": f"dbname=shop password={PASSWORD}"}, "a password goes into PGPASSWORD"),
    ],
)
def test_which_database_is_never_guessed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str | None], said: str
) -> None:
    give(monkeypatch, **variables)
    with pytest.raises(SettingsError) as caught:
        connection_variables()
    assert said in parts_of(caught.value)
    assert PASSWORD not in str(caught.value)


def test_what_is_said_goes_before_what_is_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, PGHOST="db", PGDATABASE="shop", PGCONNECT_TIMEOUT="5")
    assert connection_variables() == {
        "PGHOST": "db",
        "PGDATABASE": "shop",
        "PGCONNECT_TIMEOUT": "5",
        "PGAPPNAME": "back_up_database",
    }


def give(monkeypatch: pytest.MonkeyPatch, **variables: str | None) -> None:
    """Let the environment have these variables, and no others of their kind."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        if value is not None:
            monkeypatch.setenv(name, value)
