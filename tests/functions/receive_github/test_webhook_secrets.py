"""The secrets that webhooks are signed with: needed, rotated without a deployment, and read seldom."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from functions.receive_github.webhook_secrets import PIECE, REMEMBERED_SECONDS, WebhookSecrets
from shared.errors import SettingsError
from tests.functions.receive_github.stage import Stage, signature_of

BODY = b"{}"


class Volumes:
    """Two mounted files, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.current = folder / "current"
        self.previous = folder / "previous"
        self.now = 1000.0

    def secrets(self) -> WebhookSecrets:
        """The secrets in the files."""
        return WebhookSecrets(self.current, self.previous, seconds=lambda: self.now)


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    volumes = Volumes(tmp_path)
    volumes.current.write_bytes(b"second")
    return volumes


def accepted(secrets: WebhookSecrets, *candidates: bytes) -> set[bytes]:
    """The secrets whose signature of a webhook is accepted."""
    return {secret for secret in candidates if secrets.accept(BODY, signature_of(BODY, secret))}


def test_the_current_and_the_previous_secret_are_accepted(volumes: Volumes) -> None:
    assert accepted(volumes.secrets(), b"first", b"second", b"third", b"") == {b"second"}
    volumes.previous.write_bytes(b"first")
    assert accepted(volumes.secrets(), b"first", b"second", b"third", b"") == {b"first", b"second"}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_newline_at_the_end_is_none_of_the_secret(volumes: Volumes, end: bytes) -> None:
    volumes.current.write_bytes(b" sec\nond " + end)
    assert accepted(volumes.secrets(), b" sec\nond ") == {b" sec\nond "}


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_body_of_any_length_is_hashed_whole(volumes: Volumes, length: int) -> None:
    body = bytes(number % 251 for number in range(length))
    assert volumes.secrets().accept(body, signature_of(body, b"second"))
    assert not volumes.secrets().accept(body + b"\0", signature_of(body, b"second"))


def test_a_rotation_needs_no_restart_and_loses_nothing(volumes: Volumes) -> None:
    secrets = volumes.secrets()
    volumes.previous.write_bytes(b"second")
    volumes.current.write_bytes(b"third")
    volumes.now += REMEMBERED_SECONDS
    assert accepted(secrets, b"first", b"second", b"third") == {b"second", b"third"}
    volumes.previous.unlink()
    volumes.now += REMEMBERED_SECONDS
    assert accepted(secrets, b"first", b"second", b"third") == {b"third"}


def test_the_files_are_read_once_a_minute_however_many_signatures_are_bad(volumes: Volumes) -> None:
    secrets = volumes.secrets()
    volumes.current.write_bytes(b"third")
    volumes.now += REMEMBERED_SECONDS - 1
    assert not any(secrets.accept(BODY, signature_of(BODY, b"wrong")) for _ in range(100))
    assert accepted(secrets, b"second", b"third") == {b"second"}
    volumes.now += 1
    assert accepted(secrets, b"second", b"third") == {b"third"}


def _gone(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"\n")


@pytest.mark.parametrize("lose", [_gone, _emptied])
def test_a_volume_that_cannot_be_read_for_a_while_locks_nobody_out(
    volumes: Volumes, lose: Callable[[Path], None]
) -> None:
    volumes.previous.write_bytes(b"first")
    secrets = volumes.secrets()
    lose(volumes.current)
    volumes.now += REMEMBERED_SECONDS
    assert accepted(secrets, b"first", b"second") == {b"first", b"second"}
    volumes.current.write_bytes(b"third")
    volumes.now += REMEMBERED_SECONDS
    assert accepted(secrets, b"first", b"second", b"third") == {b"first", b"third"}


@pytest.mark.parametrize("lose", [_gone, _emptied])
def test_without_a_secret_it_does_not_start(waiting_stage: Stage, lose: Callable[[Path], None]) -> None:
    waiting_stage.previous.write_bytes(b"this one alone will not do")
    lose(waiting_stage.current)
    with pytest.raises(SettingsError, match=r"'.*current' for receive_github\.secret_file; expected a file with"):
        waiting_stage.start()


def test_the_function_accepts_both(waiting_stage: Stage) -> None:
    waiting_stage.previous.write_bytes(b"canary-previous")
    waiting_stage.start()
    for secret, status in {
        b"canary-previous": HTTPStatus.OK,
        b"canary-current": HTTPStatus.OK,
        b"canary": HTTPStatus.FORBIDDEN,
    }.items():
        assert waiting_stage.post(BODY, "ping", signature=signature_of(BODY, secret)).status_code == status
