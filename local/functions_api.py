"""Lists and replaces the functions deployed on the local cloud over HTTP: caretaker.local/functions."""

import re
from collections.abc import Callable, Sequence

import grpc
import msgspec

from infra.deploy.provisioning import FUNCTIONS
from infra.deploy.resources import Function
from localcloud.core.http import HttpAnswer, HttpRequest, Route
from localcloud.core.messages import invalid
from localcloud.core.server import ApiError
from shared.decoding import decoded

PATH = re.compile(re.escape(FUNCTIONS.removeprefix("https://")))


class FunctionsApi:
    """``GET`` answers the functions that are deployed; ``POST`` lets others run in their place."""

    def __init__(
        self, deployed: Callable[[], Sequence[Function]], deploy: Callable[[Sequence[Function]], None]
    ) -> None:
        self._deployed = deployed
        self._deploy = deploy

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return Route("GET", PATH, self._get), Route("POST", PATH, self._post)

    def _get(self, _: HttpRequest) -> HttpAnswer:
        return HttpAnswer(200, msgspec.json.encode(self._deployed()))

    def _post(self, request: HttpRequest) -> HttpAnswer:
        try:
            wanted = decoded(request.body, list[Function])
        except msgspec.DecodeError as error:
            raise invalid(f"no list of functions: {error}") from error
        try:
            self._deploy(wanted)
        except RuntimeError as error:
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error
        return self._get(request)
