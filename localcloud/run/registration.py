"""Cloud Run in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Section
from localcloud.core.service import Service as Registered
from localcloud.core.world_format import Project
from localcloud.logging.registration import LOGGING
from localcloud.run.executions import Executions
from localcloud.run.jobs import CloudRunJobs
from localcloud.run.seed import RunJob, Service, WorkerPool, add_run_jobs, add_services, add_worker_pools
from localcloud.run.services import CloudRun
from localcloud.run.single_instances import SingleInstances
from localcloud.run.worker_pools import WorkerPools
from localcloud.secret_manager.registration import SECRETS

RUN = Registered(
    lambda cloud: CloudRun(cloud.clock, cloud.operations, cloud.of(SECRETS), cloud.of(LOGGING)),
    transports=(Api("google.cloud.run_v2.services.services", "Services"),),
    is_http=True,
    surfaces=(("localcloud.run.v1.surface", "V1"),),
    needs_billing=True,
    sections=(Section(Project, "services", dict[str, Service], add_services),),
    happenings=(CloudRun.fail_instances, CloudRun.reject_version),
    close=lambda run: run.instances.stop(),
)
REVISIONS = Registered(
    lambda cloud: cloud.of(RUN).revisions, transports=(Api("google.cloud.run_v2.services.revisions", "Revisions"),)
)
RUN_JOBS = Registered(
    lambda cloud: CloudRunJobs(cloud.clock, cloud.operations, cloud.of(SECRETS)),
    transports=(Api("google.cloud.run_v2.services.jobs", "Jobs"),),
    needs_billing=True,
    sections=(Section(Project, "run_jobs", dict[str, RunJob], add_run_jobs),),
)
EXECUTIONS = Registered(
    lambda cloud: Executions(cloud.clock, cloud.of(RUN_JOBS)),
    transports=(Api("google.cloud.run_v2.services.executions", "Executions"),),
)
RUN_INSTANCES = Registered(
    lambda cloud: SingleInstances(cloud.clock),
    transports=(Api("google.cloud.run_v2.services.instances", "Instances"),),
)
WORKER_POOLS = Registered(
    lambda cloud: WorkerPools(cloud.clock, cloud.operations, cloud.of(SECRETS), cloud.of(REVISIONS)),
    transports=(Api("google.cloud.run_v2.services.worker_pools", "WorkerPools"),),
    needs_billing=True,
    sections=(Section(Project, "worker_pools", dict[str, WorkerPool], add_worker_pools),),
)
