"""The secrets that GitHub signs with: the current one and the one before, read from mounted volumes.

Each read of such a file asks Secret Manager (https://cloud.google.com/run/docs/configuring/services/secrets), so what
was read is remembered for a minute: requests with a bad signature, however many, cause no more reads than that.
"""

import hmac
import threading
import time
from collections.abc import Callable
from pathlib import Path

from shared.errors import SettingsError

REMEMBERED_SECONDS = 60.0
PIECE = 2047
"""Bytes that are hashed at once. For more, Python lets other threads go first, which takes as long as the hashing."""


class WebhookSecrets:
    """The secrets that are accepted now. Raises ``SettingsError`` at once if there is no current one."""

    def __init__(self, current: Path, previous: Path, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._current_file = current
        self._previous_file = previous
        self._seconds = seconds
        self._lock = threading.Lock()
        self._current = _read(current)
        if not self._current:
            raise SettingsError(
                "receive_github.secret_file", str(current), "a file with the webhook's secret, mounted as a volume"
            )
        self._previous = _read(previous)
        self._read_at = seconds()

    def accept(self, body: bytes, signature: str) -> bool:
        """Whether a signature, as in ``X-Hub-Signature-256``, is that of a body by any of the secrets.

        Compares in constant time: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
        """
        self._keep_fresh()
        given = signature.encode()
        is_good = hmac.compare_digest(_signature(self._current, body), given)
        if self._previous:
            is_good |= hmac.compare_digest(_signature(self._previous, body), given)
        return is_good

    def _keep_fresh(self) -> None:
        """Read the files anew once a minute. Others who ask meanwhile do not wait for it."""
        with self._lock:
            now = self._seconds()
            if now - self._read_at < REMEMBERED_SECONDS:
                return
            self._read_at = now
        # While the current one cannot be read, the one that was read before still counts.
        self._current = _read(self._current_file) or self._current
        self._previous = _read(self._previous_file)


def _signature(secret: bytes, body: bytes) -> bytes:
    """The signature of a body: its HMAC."""
    digest = hmac.new(secret, digestmod="sha256")
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        digest.update(view[start : start + PIECE])
    return f"sha256={digest.hexdigest()}".encode()


def _read(path: Path) -> bytes:
    """The secret in a file, without a newline at its end; nothing if there is none."""
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError:
        return b""
