"""Incoming webhooks of Slack and Google Chat: what they take, what they refuse, and what was posted.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://developers.google.com/workspace/chat/quickstart/webhooks
"""

import json
import re
import threading

import grpc

from localcloud.chat import google_chat, slack
from localcloud.chat.room import Room
from localcloud.core.clock import Clock
from localcloud.core.http import HttpAnswer, HttpRequest, Route
from localcloud.core.messages import invalid
from localcloud.core.server import ApiError

SLACK = re.compile(r"hooks\.slack\.com/services/(?P<hook>[^/]+/[^/]+/[^/]+)")
GOOGLE_CHAT = re.compile(r"chat\.googleapis\.com/v1/spaces/(?P<space>[^/]+)/messages")


class Chat:
    """Serves both products' webhooks over HTTP, each with its own rules and errors."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return Route("POST", SLACK, self._post_to_slack), Route("POST", GOOGLE_CHAT, self._post_to_google_chat)

    def add_slack(self, hook: str) -> None:
        """Let a webhook of Slack exist, by its path after ``/services/``."""
        with self._lock:
            self._rooms[hook] = Room()

    def add_google_chat(self, space: str, key: str, token: str) -> None:
        """Let a space of Google Chat exist, with a webhook."""
        with self._lock:
            self._rooms[space] = Room(key=key, token=token)

    def archive(self, room: str) -> None:
        """Archive the channel of a webhook of Slack: it takes no messages."""
        with self._lock:
            self._rooms[room].is_archived = True

    def remove(self, room: str) -> None:
        """Remove a webhook."""
        with self._lock:
            del self._rooms[room]

    def messages(self, room: str) -> list[dict[str, object]]:
        """The messages of a room as they were posted, oldest first."""
        with self._lock:
            return list(self._rooms[room].messages)

    @property
    def rooms(self) -> list[str]:
        """The rooms: paths of Slack's webhooks, and ids of Google's spaces."""
        with self._lock:
            return sorted(self._rooms)

    def _post_to_slack(self, request: HttpRequest) -> HttpAnswer:
        with self._lock:
            room = self._rooms.get(request.captured["hook"])
            if room is None:
                return slack.NO_SERVICE
            if room.is_archived:
                return slack.ARCHIVED
            if room.is_limited(self._clock.now()):
                return slack.RATE_LIMITED
            message = _json(request.body)
            if (refusal := slack.refusal(message)) or message is None:
                return refusal or slack.INVALID_PAYLOAD
            room.add(message, self._clock.now())
            return slack.OK

    def _post_to_google_chat(self, request: HttpRequest) -> object:
        space = request.captured["space"]
        with self._lock:
            room = self._rooms.get(space)
            google_chat.check_caller(room, request.query)
            if room is None:
                raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")
            if known := room.by_request.get(request.query.get("requestId", "")):
                return known
            if room.is_limited(self._clock.now()):
                raise google_chat.RATE_LIMITED
            message = _json(request.body)
            if message is None:
                raise invalid("Invalid JSON payload received.")
            google_chat.check_message(message, len(request.body))
            room.add(message, self._clock.now())
            answer: dict[str, object] = {"name": f"spaces/{space}/messages/{len(room.messages)}", **message}
            if request_id := request.query.get("requestId"):
                room.by_request[request_id] = answer
            return answer


def _json(body: bytes) -> dict[str, object] | None:
    try:
        decoded = json.loads(body)
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None
