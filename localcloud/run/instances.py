"""The services of Cloud Run that really run: those with an image whose content is known.

Behind every other image nothing runs: its revisions still become ready, and their address does not respond.
"""

import threading
from collections.abc import Mapping
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
        self._waiting: dict[str, Instance] = {}
        """By image, those that no revision has needed yet."""
        self._ending: list[threading.Thread] = []

    def know(self, image: str, program: Program) -> None:
        """Say what is in an image, which is named as services name it. A program that waits is started at once."""
        self._programs[image] = program
        if program.waits:
            self._waiting[image] = Instance(program)

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
        """Have the instance of a service end, if it has one. No call waits for that, as on Cloud Run."""
        if service in self._running:
            _, instance = self._running.pop(service)
            self._ending = [one for one in self._ending if one.is_alive()]
            self._ending.append(threading.Thread(target=instance.end, name="ending", daemon=True))
            self._ending[-1].start()

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
        """End them all, and wait until they have."""
        for service in list(self._running):
            self.take_down(service)
        for waiting in self._waiting.values():
            waiting.end()
        for one in self._ending:
            one.join()

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
            instance = self._instance(service.template.containers[0].image, program, variables)
            instance.read(write)
            if instance.has_come_up():
                return instance
            instance.end()
        return None

    def _instance(self, image: str, program: Program, variables: Mapping[str, str]) -> Instance:
        if not program.waits:
            return Instance(program, variables)
        instance = self._waiting.pop(image, None) or Instance(program)
        instance.begin(variables)
        return instance
