"""Serves the local cloud's time over plain HTTP, and lets other processes move it forward."""

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

from localcloud.core.clock import Clock
from localcloud.core.listener import Listener

LONGEST_TIME = 64


class NowServer:
    """Answers ``GET /now`` with the clock's time in ISO 8601; ``PUT /now`` with a later time advances to it.

    A ``PUT`` answers when everything that came due on the way has been done.
    """

    def __init__(self, clock: Clock) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body go out together: apart they take 40 ms more on a connection that is kept.
            wbufsize = -1

            def do_GET(self) -> None:
                """Answer the time, or 404 for any other path."""
                if self.path == "/now":
                    self._answer(*answer_time(clock, None))
                else:
                    self._answer(404, "only /now is here")

            def do_PUT(self) -> None:
                """Advance to the time in the body, and return the new time."""
                text = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LONGEST_TIME)).decode(
                    errors="replace"
                )
                if self.path == "/now":
                    self._answer(*answer_time(clock, text))
                else:
                    self._answer(404, "only /now is here")

            def _answer(self, status: int, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._listener = Listener("now", Handler)

    @property
    def url(self) -> str:
        """The path that serves the time."""
        return f"{self._listener.url}/now"

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()


def answer_time(clock: Clock, wanted: str | None) -> tuple[int, str]:
    """The status and the text of an answer: the time, after advancing to ``wanted``, if that is given."""
    if wanted is not None:
        when = _time(wanted)
        if when is None or when < clock.now():
            return 400, f"invalid time {wanted!r}; expected a time in ISO 8601 after {_text(clock.now())}"
        clock.advance_to(when)
    return 200, _text(clock.now())


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
