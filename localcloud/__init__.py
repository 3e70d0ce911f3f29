"""The local cloud: Google's services, for the official clients, on this machine."""

from localcloud.artifact_registry.registration import ARTIFACT_REGISTRY
from localcloud.billing.registration import BILLING
from localcloud.budgets.registration import BUDGETS
from localcloud.chat.registration import CHAT
from localcloud.compute.registration import INSTANCE_GROUPS
from localcloud.core.cloud import Cloud
from localcloud.core.locations import Locations
from localcloud.core.service import Service
from localcloud.firestore.registration import DATABASES, FIRESTORE
from localcloud.github.registration import GITHUB
from localcloud.gke.registration import GKE
from localcloud.iam.registration import SERVICE_AGENTS, TOKENS
from localcloud.logging.registration import LOG_SINKS, LOGGING
from localcloud.monitoring.registration import MONITORING
from localcloud.org_policy.registration import ORG_POLICY
from localcloud.pubsub.registration import PUBSUB
from localcloud.quotas.registration import CLOUD_QUOTAS
from localcloud.resource_manager.registration import RESOURCE_MANAGER
from localcloud.run.registration import EXECUTIONS, REVISIONS, RUN, RUN_INSTANCES, RUN_JOBS, WORKER_POOLS
from localcloud.scheduler.registration import SCHEDULER
from localcloud.secret_manager.registration import SECRETS
from localcloud.service_usage.registration import SERVICE_USAGE
from localcloud.storage.registration import STORAGE
from localcloud.trace.registration import TRACE


class LocalCloud(Cloud):
    """All services, in the order in which a world's parts are created: each is an attribute by its name here."""

    billing = BILLING
    resource_manager = RESOURCE_MANAGER
    pubsub = PUBSUB
    firestore = FIRESTORE
    databases = DATABASES
    secrets = SECRETS
    log_sinks = LOG_SINKS
    logging = LOGGING
    run = RUN
    revisions = REVISIONS
    run_jobs = RUN_JOBS
    executions = EXECUTIONS
    run_instances = RUN_INSTANCES
    worker_pools = WORKER_POOLS
    monitoring = MONITORING
    artifact_registry = ARTIFACT_REGISTRY
    storage = STORAGE
    scheduler = SCHEDULER
    instance_groups = INSTANCE_GROUPS
    gke = GKE
    budgets = BUDGETS
    github = GITHUB
    chat = CHAT
    cloud_quotas = CLOUD_QUOTAS
    service_agents = SERVICE_AGENTS
    tokens = TOKENS
    service_usage = SERVICE_USAGE
    org_policy = ORG_POLICY
    trace = TRACE
    locations = Service(lambda _: Locations(), is_http=True)

    def check_billed(self, request: object) -> None:
        """Refuse what is asked of a project that was detached from its billing account. Raises PERMISSION_DENIED."""
        self.billing.check_billed(request)
