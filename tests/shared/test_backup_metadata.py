"""A backup's metadata: written and read back, and never taken for complete when it is not."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backup_metadata import (
    FINISHED,
    MOST_ROLE_BYTES,
    MOST_TABLE_BYTES,
    RESTORE_SECONDS,
    SHA256,
    SIZE,
    STARTED,
    TABLES,
    VERIFIED,
    BackupMetadata,
    IncompleteMetadata,
    Locale,
    Proof,
    TableCounts,
    backup_to_metadata,
    counts_digest,
    fitting,
    is_complete,
    proof_to_metadata,
    read_backup,
    read_proof,
    short,
    verified_at,
)

BACKUP = BackupMetadata(
    sha256="0f" * 32,
    size=1234,
    server_version="15.18",
    tables={"public.orders": 12, "public.größe": 0},
    started=datetime(2026, 11, 25, 3, 0, 0, tzinfo=UTC),
    finished=datetime(2026, 11, 25, 3, 4, 5, 250_000, tzinfo=UTC),
)
METADATA = backup_to_metadata(BACKUP)


def test_a_backup_in_words() -> None:
    assert METADATA == {
        "caretaker-sha256": "0f" * 32,
        "caretaker-size": "1234",
        "caretaker-server-version": "15.18",
        "caretaker-tables": '{"public.orders":12,"public.größe":0}',
        "caretaker-started": "2026-11-25T03:00:00Z",
        "caretaker-finished": "2026-11-25T03:04:05.250000Z",
    }
    assert read_backup(METADATA) == BACKUP
    assert is_complete(METADATA, 1234)


def test_the_locale_and_the_roles_are_read_back() -> None:
    locale = Locale("UTF8", "icu", "C", "C", "en-US")
    backup = msgspec.structs.replace(BACKUP, locale=locale, roles=("app", "größe"))
    metadata = backup_to_metadata(backup)
    assert metadata["caretaker-locale"] == (
        '{"encoding":"UTF8","provider":"icu","collate":"C","ctype":"C","locale":"en-US"}'
    )
    assert metadata["caretaker-roles"] == '["app","größe"]'
    assert read_backup(metadata) == backup
    with pytest.raises(IncompleteMetadata, match=r"caretaker-locale is .*missing required field `encoding`"):
        read_backup(metadata | {"caretaker-locale": "{}"})


def test_as_many_roles_as_fit() -> None:
    roles = [f"role_{number}" for number in range(1000)]
    fit = fitting(roles)
    assert list(fit) == roles[: len(fit)]
    assert MOST_ROLE_BYTES - 20 < len(msgspec.json.encode(fit)) <= MOST_ROLE_BYTES


def test_a_proof_in_words() -> None:
    berlin = timezone(timedelta(hours=1))
    proof = proof_to_metadata(Proof(datetime(2026, 11, 25, 5, tzinfo=berlin), 12.345))
    assert proof == {"caretaker-verified": "2026-11-25T04:00:00Z", "caretaker-restore-seconds": "12.3"}
    assert read_proof(METADATA | proof) == Proof(datetime(2026, 11, 25, 4, tzinfo=UTC), 12.3)
    assert verified_at(METADATA | proof) == datetime(2026, 11, 25, 4, tzinfo=UTC)
    assert verified_at(METADATA) is None


@pytest.mark.parametrize("key", METADATA)
def test_what_lacks_a_key_is_no_backup(key: str) -> None:
    with pytest.raises(IncompleteMetadata, match=f"{key} is missing"):
        read_backup({name: value for name, value in METADATA.items() if name != key})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (SHA256, "0F" * 32, "no SHA-256"),
        (SIZE, "-1", "no size"),
        (SIZE, "", "no size"),
        (TABLES, "", "no JSON of tables"),
        (TABLES, '{"public.orders": "many"}', "no JSON of tables"),
        (TABLES, "[1]", "no JSON of tables"),
        (STARTED, "yesterday", "no time"),
        (FINISHED, "2026-11-25T03:04:05", "no time"),  # in which zone?
    ],
)
def test_a_value_that_will_not_do_is_named(key: str, value: str, said: str) -> None:
    with pytest.raises(IncompleteMetadata, match=f"{key} is .*{said}"):
        read_backup(METADATA | {key: value})


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        METADATA | {SIZE: "1235"},
        METADATA | {SIZE: "01234"},
        METADATA | {SHA256: "0f"},
        METADATA | {FINISHED: ""},
        METADATA | {FINISHED: "9999-12-31T23:59:59-23:59"},
        {name: value for name, value in METADATA.items() if name != FINISHED},
    ],
)
def test_what_is_not_complete_does_not_count(metadata: dict[str, str]) -> None:
    assert not is_complete(metadata, 1234)


@pytest.mark.parametrize("seconds", ["", "soon", "nan", "inf"])
def test_a_proof_that_cannot_be_read_is_none(seconds: str) -> None:
    assert read_proof({VERIFIED: "2026-11-25T04:00:00Z", RESTORE_SECONDS: seconds}) is None


def test_many_tables_are_recorded_by_number_and_digest() -> None:
    tables = {f"public.table_{number}": number for number in range(1_000)}
    shown = short(tables)
    assert shown == TableCounts(counts_digest(tables), 1_000, sum(range(1_000)))
    metadata = backup_to_metadata(msgspec.structs.replace(BACKUP, tables=shown))
    assert sum(len(key) + len(value) for key, value in metadata.items()) < 1_000
    assert read_backup(metadata).tables == shown


counts = st.dictionaries(st.text(min_size=1, max_size=130), st.integers(0, 2**62), max_size=60)


@given(counts)
def test_whatever_the_tables_are_called_they_fit_and_are_read_back(tables: dict[str, int]) -> None:
    metadata = backup_to_metadata(msgspec.structs.replace(BACKUP, tables=short(tables)))
    assert len(metadata[TABLES].encode()) <= MOST_TABLE_BYTES
    assert read_backup(metadata).tables == short(tables)


@given(counts, counts)
def test_a_digest_is_equal_only_for_equal_counts(one: dict[str, int], other: dict[str, int]) -> None:
    assert (counts_digest(one) == counts_digest(other)) == (one == other)
    assert counts_digest(one) == counts_digest(dict(reversed(one.items())))
