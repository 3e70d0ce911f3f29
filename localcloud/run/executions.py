"""Cloud Run executions: google.cloud.run.v2.Executions, read only. Nothing runs in one.

A person starts and ends them: an execution keeps the template that its job had when it started.
"""

import uuid

import grpc
from google.cloud import run_v2

from localcloud.core.clock import Clock
from localcloud.core.messages import page
from localcloud.core.server import ApiError
from localcloud.run.jobs import CloudRunJobs

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


class Executions:
    """Serves ``google.cloud.run_v2.ExecutionsClient``."""

    def __init__(self, clock: Clock, jobs: CloudRunJobs) -> None:
        self._clock = clock
        self._jobs = jobs
        self._executions: dict[str, run_v2.Execution] = {}

    def start(self, job: str) -> run_v2.Execution:
        """Run a job, as a person would. Raises NOT_FOUND if there is none."""
        template = self._jobs.get_job(run_v2.GetJobRequest(name=job)).template.template
        name = f"{job}/executions/{job.rpartition('/')[2]}-{len(self._executions):05}"
        now = self._clock.now()
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        execution = run_v2.Execution(name=name, uid=uid, job=job, create_time=now, start_time=now, template=template)
        self._executions[name] = execution
        return execution

    def end(self, name: str) -> None:
        """Let an execution come to its end."""
        execution = run_v2.Execution(self._executions[name])
        execution.completion_time = self._clock.now()
        self._executions[name] = execution

    def get_execution(self, request: run_v2.GetExecutionRequest) -> run_v2.Execution:
        """One execution as it is now."""
        if request.name not in self._executions:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Execution '{request.name}' does not exist.")
        return run_v2.Execution(self._executions[request.name])

    def list_executions(self, request: run_v2.ListExecutionsRequest) -> run_v2.ListExecutionsResponse:
        """The executions of a job, or with `-` in its place those of all jobs of the location, in order of name."""
        prefix = f"{request.parent}/".removesuffix("-/")
        here = {name: one for name, one in self._executions.items() if name.startswith(prefix)}
        shown, token = page(here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE)
        return run_v2.ListExecutionsResponse(executions=shown, next_page_token=token)
