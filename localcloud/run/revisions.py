"""Cloud Run revisions: google.cloud.run.v2.Revisions, limited to reading.

Services and worker pools make them.
"""

import uuid

import grpc
from google.cloud import run_v2

from localcloud.core.clock import Clock
from localcloud.core.messages import page
from localcloud.core.server import ApiError
from localcloud.run import rules

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
EVERY = "-"

_FIELDS = set(run_v2.Revision.meta.fields)


class Revisions:
    """Serves ``google.cloud.run_v2.RevisionsClient``. Services call what is not in that, each under its own lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._revisions: dict[str, run_v2.Revision] = {}

    def get_revision(self, request: run_v2.GetRevisionRequest) -> run_v2.Revision:
        """One revision as it is now."""
        if request.name not in self._revisions:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Revision '{request.name}' does not exist or is deleted.")
        return run_v2.Revision(self._revisions[request.name])

    def list_revisions(self, request: run_v2.ListRevisionsRequest) -> run_v2.ListRevisionsResponse:
        """The revisions of a service, or of all in a region (``services/-``), in order of name."""
        here = self._of(request.parent)
        shown, token = page(here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)
        return run_v2.ListRevisionsResponse(revisions=shown, next_page_token=token)

    def exists(self, service: str, revision: str) -> bool:
        """Whether a service has a revision of this id."""
        return f"{service}/revisions/{revision}" in self._revisions

    def add(self, service: run_v2.Service | run_v2.WorkerPool, name: str) -> None:
        """Make a revision of this full name out of the template of a service, or of a worker pool."""
        now = self._clock.now()
        revision = run_v2.Revision(
            name=name,
            uid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{service.uid}/{name}")),
            service=service.name.rpartition("/")[2],
            generation=service.generation,
            create_time=now,
            update_time=now,
        )
        for field in sorted(_FIELDS & set(type(service.template).meta.fields)):
            if field in service.template:
                setattr(revision, field, getattr(service.template, field))
        self._keep(revision, "CONDITION_RECONCILING")

    def settle(self, name: str, problem: str) -> None:
        """Let a revision be ready, or not for this reason. One that is gone is passed over."""
        if name in self._revisions:
            state = "CONDITION_FAILED" if problem else "CONDITION_SUCCEEDED"
            self._keep(run_v2.Revision(self._revisions[name]), state, problem)

    def remove(self, service: str) -> None:
        """Take the revisions of a service, or of a worker pool, away."""
        for name in self._inside(service):
            del self._revisions[name]

    def _of(self, service: str) -> dict[str, run_v2.Revision]:
        region, service_id = rules.split_name(service, "services")
        if service_id == EVERY:
            return self._matching(f"{region}/services/")
        return self._inside(service)

    def _inside(self, service: str) -> dict[str, run_v2.Revision]:
        return self._matching(f"{service}/revisions/")

    def _matching(self, prefix: str) -> dict[str, run_v2.Revision]:
        return {name: revision for name, revision in dict(self._revisions).items() if name.startswith(prefix)}

    def _keep(self, revision: run_v2.Revision, state: str, problem: str = "") -> None:
        revision.reconciling = state == "CONDITION_RECONCILING"
        revision.conditions = [rules.condition(state, self._clock.now(), problem)]
        self._revisions[revision.name] = revision
