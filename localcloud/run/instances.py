"""The services of Cloud Run that really run: those with an image whose content is known.

Behind every other image nothing runs: its revisions still become ready, and their address does not respond.
"""

from functools import partial
from http.client import HTTPException

import grpc
from google.cloud import run_v2

from localcloud.core.http import HttpAnswer, HttpRequest
from localcloud.core.server import ApiError
from localcloud.logging.service import Logging
from localcloud.run.instance import Instance, Program
from localcloud.run.secrets import environment_of
from localcloud.secret_manager.service import SecretManager

ATTEMPTS = 2
"""Between looking for a free port and listening on it another process may have taken it."""


class Instances:
    """One instance of each service whose image is known: of its newest revision, and gone with the service."""

    def __init__(self, secrets: SecretManager, logging: Logging) -> None:
        self._secrets = secrets
        self._logging = logging
        self._programs: dict[str, Program] = {}
        self._running: dict[str, tuple[str, Instance]] = {}

    def know(self, image: str, program: Program) -> None:
        """Say what is in an image, which is named as services name it."""
        self._programs[image] = program

    def bring_up(self, service: run_v2.Service) -> bool:
        """Have an instance of the newest revision in the place of the one before; whether it has come up.

        If it has not, the previous one keeps running.
        """
        revision, _ = self._running.get(service.name, ("", None))
        if revision == service.latest_created_revision:
            return True
        program = self._programs.get(service.template.containers[0].image)
        fresh = self._started(service, program) if program else None
        if program and not fresh:
            return False
        self.take_down(service.name)
        if fresh:
            self._running[service.name] = (service.latest_created_revision, fresh)
        return True

    def take_down(self, service: str) -> None:
        """End the instance of a service, if it has one."""
        if service in self._running:
            _, instance = self._running.pop(service)
            instance.end()

    def ask(self, service: str, request: HttpRequest) -> HttpAnswer:
        """The answer of a service's instance. UNIMPLEMENTED if there is none, UNAVAILABLE if it does not answer."""
        if service not in self._running:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"nothing runs here behind the image of {service}")
        _, instance = self._running[service]
        try:
            return instance.ask(request)
        except (OSError, HTTPException) as error:
            raise ApiError(
                grpc.StatusCode.UNAVAILABLE, f"the instance of {service} does not answer: {error}"
            ) from error

    def stop(self) -> None:
        """End them all."""
        for service in list(self._running):
            self.take_down(service)

    def _started(self, service: run_v2.Service, program: Program) -> Instance | None:
        """An instance that listens; None if it does not come up."""
        _, project, _, location, _, service_id = service.name.split("/")
        revision = service.latest_created_revision.rpartition("/")[2]
        write = partial(self._logging.write_line, project, service_id, location=location, revision=revision)
        # https://cloud.google.com/run/docs/container-contract#services-env-vars
        contract = {
            "K_SERVICE": service_id,
            "K_CONFIGURATION": service_id,
            "K_REVISION": revision,
        }
        variables = environment_of(service.template.containers[0], project, self._secrets) | contract
        for _ in range(ATTEMPTS):
            instance = Instance(program, variables, write)
            if instance.has_come_up():
                return instance
            instance.end()
        return None
