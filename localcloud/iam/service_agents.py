"""The public keys of service accounts over REST, by which one sees that an agent of Google's exists."""

import re
import threading

import grpc

from localcloud.core.http import HttpRequest, Route
from localcloud.core.messages import project_number
from localcloud.core.server import ApiError

_KEYS = re.compile(r"www\.googleapis\.com/service_accounts/v1/metadata/x509/(?P<account>[^/]+)")
_IDENTITY = re.compile(
    r"serviceusage\.googleapis\.com/v1beta1/projects/(?P<project>[^/]+)/services/(?P<service>[a-z]+)"
    r"\.googleapis\.com:generateServiceIdentity"
)


class ServiceAgents:
    """Every account has a key, but agents that do not exist yet."""

    def __init__(self) -> None:
        self._missing: set[str] = set()
        self._lock = threading.Lock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return Route("GET", _KEYS, self._get), Route("POST", _IDENTITY, self._generate)

    def remove(self, project: str, service: str) -> None:
        """Let a service (``secretmanager``) have no agent in a project."""
        with self._lock:
            self._missing.add(_account(project, service))

    def _generate(self, request: HttpRequest) -> object:
        """Let a service have its agent in a project."""
        account = _account(request.captured["project"], request.captured["service"])
        with self._lock:
            self._missing.discard(account)
        kind = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
        identity = {"@type": kind, "email": account, "uniqueId": project_number(account)}
        return {"name": "operations/finished.DONE_OPERATION", "done": True, "response": identity}

    def _get(self, request: HttpRequest) -> object:
        account = request.captured["account"]
        with self._lock:
            if account in self._missing:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"Service account {account} not found.")
        return {"1f0e9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b4a3f2e": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"}


def _account(project: str, service: str) -> str:
    return f"service-{project_number(project)}@gcp-sa-{service}.iam.gserviceaccount.com"
