"""Artifact Registry's Docker repositories: created, changed and deleted."""

import re
import threading

import grpc
from google.cloud import artifactregistry_v1 as artifactregistry
from google.longrunning.operations_pb2 import Operation
from google.protobuf import empty_pb2

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, merge, page
from localcloud.core.operations import Operations
from localcloud.core.server import ApiError

PAGE_SIZE = 100
LARGEST_PAGE = 1000
REPOSITORY = re.compile(r"projects/[^/]+/locations/[^/]+/repositories/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
UNCHANGEABLE = frozenset({"name", "format", "format_", "mode", "kms_key_name", "create_time", "update_time"})
Format = artifactregistry.Repository.Format
OperationMetadata = artifactregistry.OperationMetadata


class Repositories:
    """The repositories, by their full names."""

    def __init__(self, clock: Clock, operations: Operations) -> None:
        self._clock = clock
        self._operations = operations
        self._repositories: dict[str, artifactregistry.Repository] = {}
        self._lock = threading.RLock()

    def add_repository(self, name: str, repository: artifactregistry.Repository | None = None) -> None:
        """Make a Docker repository of this full name. Raises INVALID_ARGUMENT, ALREADY_EXISTS."""
        if not REPOSITORY.fullmatch(name):
            raise invalid(f"{name!r} is no name of a repository: projects/PROJECT/locations/LOCATION/repositories/ID")
        with self._lock:
            if name in self._repositories:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, "the repository already exists")
            made = artifactregistry.Repository(repository or {})
            made.name, made.format_ = name, Format.DOCKER
            made.mode = made.mode or artifactregistry.Repository.Mode.STANDARD_REPOSITORY
            _, project, _, location, _, repository_id = name.split("/")
            made.registry_uri = f"{location}-docker.pkg.dev/{project}/{repository_id}"
            made.create_time = made.update_time = self._clock.now()
            self._repositories[name] = made

    def create_repository(self, request: artifactregistry.CreateRepositoryRequest) -> Operation:
        """Create a Docker repository. Other formats get UNIMPLEMENTED."""
        if request.repository.format_ != Format.DOCKER:
            if not request.repository.format_:
                raise invalid("repository.format is required.")
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "The local cloud has no repositories but Docker's.")
        name = f"{request.parent}/repositories/{request.repository_id}"
        self.add_repository(name, request.repository)
        return self._done(name)

    def get_repository(self, request: artifactregistry.GetRepositoryRequest) -> artifactregistry.Repository:
        """One repository."""
        with self._lock:
            self._check_repository(request.name)
            return artifactregistry.Repository(self._repositories[request.name])

    def list_repositories(
        self, request: artifactregistry.ListRepositoriesRequest
    ) -> artifactregistry.ListRepositoriesResponse:
        """The repositories of a location. INVALID_ARGUMENT for any filter: none is served."""
        if request.filter or request.order_by:
            raise invalid("filter and order_by are not served by the local cloud")
        with self._lock:
            prefix = f"{request.parent}/repositories/"
            here = {name: one for name, one in self._repositories.items() if name.startswith(prefix)}
            size = request.page_size
            shown, token = page(here, size, request.page_token, default=PAGE_SIZE, maximum=LARGEST_PAGE)
            return artifactregistry.ListRepositoriesResponse(repositories=shown, next_page_token=token)

    def update_repository(self, request: artifactregistry.UpdateRepositoryRequest) -> artifactregistry.Repository:
        """Change the masked fields of a repository."""
        paths = list(request.update_mask.paths)
        if fixed := UNCHANGEABLE.intersection(paths):
            raise invalid(f"update_mask: {min(fixed)} cannot be changed.")
        with self._lock:
            self._check_repository(request.repository.name)
            changed = artifactregistry.Repository(self._repositories[request.repository.name])
            raw = artifactregistry.Repository.pb(changed)
            merge(raw, artifactregistry.Repository.pb(request.repository), paths)
            changed.update_time = self._clock.now()
            self._repositories[changed.name] = changed
            return artifactregistry.Repository(changed)

    def delete_repository(self, request: artifactregistry.DeleteRepositoryRequest) -> Operation:
        """Delete a repository with all of its images."""
        with self._lock:
            self._check_repository(request.name)
            del self._repositories[request.name]
            self._delete_images(request.name)
        return self._operations.start(request.name, empty_pb2.Empty, metadata=OperationMetadata.pb(OperationMetadata()))

    def _delete_images(self, repository: str) -> None:
        """Delete what a repository held."""

    def _done(self, name: str) -> Operation:
        made = artifactregistry.Repository.pb(self._repositories[name])
        return self._operations.start(name, lambda: made, metadata=OperationMetadata.pb(OperationMetadata()))

    def _check_repository(self, name: str) -> None:
        if not REPOSITORY.fullmatch(name):
            raise invalid("Request contains an invalid argument: the name of a repository.")
        if name not in self._repositories:
            raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")
