"""The local cloud itself over HTTP, for tests in any language: faults, happenings, the clock, and the calls so far.

``<http>/localcloud/faults``: ``POST`` of what `Server.fail` takes, ``DELETE`` ends them. ``/localcloud/calls``: ``GET``
lists the calls without their contents, ``DELETE`` forgets them. ``/localcloud/happenings``: ``POST`` of what people and
pipelines do without an API (see `localcloud.core.happenings`). ``/localcloud/now``: ``GET`` answers the clock's time,
``PUT`` of a later one advances to it. ``/localcloud/certificate``: ``GET`` answers what its clients trust.
None of these is recorded as a call.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import grpc
import msgspec

from localcloud.core.http import HttpAnswer, HttpRequest, google_refusal
from localcloud.core.messages import invalid
from localcloud.core.now import answer_time
from localcloud.core.server import ApiError
from shared.decoding import decoded

if TYPE_CHECKING:
    from localcloud.core.cloud import Cloud

HOST = "localcloud"
TEXT = "text/plain; charset=utf-8"


class FaultWanted(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The calls that are to fail, and how."""

    method: str
    """A part of the call's name: ``google.cloud.run.v2.Services/UpdateService``, ``GET storage.googleapis.com``."""
    code: str
    """Of gRPC, by name: ``UNAVAILABLE``."""
    times: int = 1
    skip: int = 0
    after_effect: bool = False
    message: str = ""


class Happening(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happens without an API call: ``github.push``."""

    happening: str
    arguments: dict[str, object] = {}


class Control:
    """Answers for a host that is none of Google's."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._server = cloud.server
        self._answers: Mapping[tuple[str, str], Callable[[HttpRequest], object]] = {
            ("POST", "faults"): self._fail,
            ("DELETE", "faults"): lambda _: self._server.clear_faults(),
            ("POST", "happenings"): self._happen,
            ("GET", "calls"): self._calls,
            ("DELETE", "calls"): lambda _: self._server.clear_calls(),
            ("GET", "certificate"): lambda _: HttpAnswer(200, cloud.http.authority.certificate, TEXT),
            ("GET", "now"): self._time,
            ("PUT", "now"): self._time,
        }

    def serves(self, host: str) -> bool:
        """Whether it is this one."""
        return host == HOST

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer; None for what is not among those above."""
        host, _, path = request.path.partition("/")
        handle = self._answers.get((request.verb, path))
        if host != HOST or handle is None:
            return None
        try:
            found = handle(request)
        except ApiError as error:
            return google_refusal(error)
        return found if isinstance(found, HttpAnswer) else HttpAnswer(200, json.dumps(found or {}).encode())

    def _fail(self, request: HttpRequest) -> None:
        try:
            wanted = decoded(request.body, FaultWanted)
        except msgspec.DecodeError as error:
            raise invalid(f"no fault: {error}") from error
        if wanted.code not in grpc.StatusCode.__members__:
            raise invalid(f"code: {wanted.code!r} is none of {', '.join(grpc.StatusCode.__members__)}")
        self._server.fail(
            wanted.method,
            grpc.StatusCode[wanted.code],
            times=wanted.times,
            skip=wanted.skip,
            after_effect=wanted.after_effect,
            message=wanted.message,
        )

    def _happen(self, request: HttpRequest) -> None:
        from localcloud.core.happenings import happen

        try:
            wanted = decoded(request.body, Happening)
            happen(wanted.happening, wanted.arguments, self._cloud)
        except (ValueError, LookupError) as error:
            raise invalid(f"it cannot happen: {error}") from error

    def _calls(self, _: HttpRequest) -> object:
        return {
            "calls": [
                {"method": one.method, "mutating": one.mutating, "at": one.at.isoformat(), "code": one.code.name}
                for one in self._server.calls
            ]
        }

    def _time(self, request: HttpRequest) -> HttpAnswer:
        status, text = answer_time(self._server.clock, request.body.decode(errors="replace") or None)
        return HttpAnswer(status, text.encode(), TEXT)
