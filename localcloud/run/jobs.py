"""Cloud Run jobs: google.cloud.run.v2.Jobs. They are not run: executions and tasks are not served."""

from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from localcloud.core.clock import Clock
from localcloud.core.operations import Operations
from localcloud.run import defaults, rules
from localcloud.run.resources import Kind, Resources
from localcloud.run.secrets import problem_with
from localcloud.secret_manager.service import SecretManager

JOBS: Kind[run_v2.Job] = Kind(
    message=run_v2.Job,
    name="job",
    collection="jobs",
    mutable=rules.mutable(run_v2.Job),
    fill_in=defaults.fill_in_job,
    check=rules.check_job,
    instances=lambda _: 1,
)


class CloudRunJobs(Resources[run_v2.Job]):
    """Serves ``google.cloud.run_v2.JobsClient``."""

    def __init__(self, clock: Clock, operations: Operations, secrets: SecretManager) -> None:
        super().__init__(JOBS, clock, operations)
        self._secrets = secrets

    def create_job(self, request: run_v2.CreateJobRequest) -> Operation:
        """Make a job."""
        return self._create(request.parent, request.job_id, request.job, validate_only=request.validate_only)

    def get_job(self, request: run_v2.GetJobRequest) -> run_v2.Job:
        """One job as it is now."""
        return self._get(request.name)

    def list_jobs(self, request: run_v2.ListJobsRequest) -> run_v2.ListJobsResponse:
        """The jobs of one region, in order of name; there is no filter."""
        jobs, token = self._list(
            request.parent, request.page_size, request.page_token, show_deleted=request.show_deleted
        )
        return run_v2.ListJobsResponse(jobs=jobs, next_page_token=token)

    def update_job(self, request: run_v2.UpdateJobRequest) -> Operation:
        """Replace all that a caller may set: there is no mask."""
        return self._update(request.job, (), allow_missing=request.allow_missing, validate_only=request.validate_only)

    def delete_job(self, request: run_v2.DeleteJobRequest) -> Operation:
        """Take a job away; its name is free again when the operation is done."""
        return self._delete(request.name, request.etag, validate_only=request.validate_only)

    def _problem(self, resource: run_v2.Job) -> str:
        unreadable = problem_with(resource.template.template, resource.name.split("/")[1], self._secrets)
        return unreadable or super()._problem(resource)
