"""The local cloud: Google's services as far as the suite uses them, for the official clients, on this machine."""

from datetime import datetime
from types import TracebackType
from typing import Self

from google.cloud.artifactregistry_v1.services.artifact_registry.transports import ArtifactRegistryGrpcTransport
from google.cloud.billing.budgets_v1.services.budget_service.transports import BudgetServiceGrpcTransport
from google.cloud.billing_v1.services.cloud_billing.transports import CloudBillingGrpcTransport
from google.cloud.container_v1.services.cluster_manager.transports import ClusterManagerGrpcTransport
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from localcloud.artifact_registry.service import ArtifactRegistry
from localcloud.billing.service import CloudBilling
from localcloud.budgets.service import Budgets
from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.clock import Clock
from localcloud.core.http import HttpServer
from localcloud.core.locations import Locations
from localcloud.core.now import NowServer
from localcloud.core.operations import Operations
from localcloud.core.server import Server
from localcloud.firestore.databases import FirestoreDatabases
from localcloud.firestore.service import Firestore
from localcloud.github.service import GitHub
from localcloud.gke.service import Gke
from localcloud.iam.service_agents import ServiceAgents
from localcloud.logging.service import Logging
from localcloud.monitoring.service import Monitoring
from localcloud.org_policy.service import OrgPolicy
from localcloud.pubsub.service import PubSub
from localcloud.quotas.service import CloudQuotas
from localcloud.resource_manager.service import ResourceManager
from localcloud.run.executions import Executions
from localcloud.run.jobs import CloudRunJobs
from localcloud.run.services import CloudRun
from localcloud.run.single_instances import SingleInstances
from localcloud.run.worker_pools import WorkerPools
from localcloud.scheduler.service import CloudScheduler
from localcloud.secret_manager.service import SecretManager
from localcloud.service_usage.service import ServiceUsage
from localcloud.storage.service import CloudStorage
from localcloud.trace.service import Trace


class LocalCloud:
    """All services on one gRPC port, with one clock."""

    def __init__(self, *, now: datetime | None = None, running: bool = False) -> None:
        self.clock = Clock(now, running=running)
        self.server = Server(self.clock)
        self.http = HttpServer(self.server)
        self.operations = Operations(self.clock)
        self.pubsub = PubSub(self.clock)
        self.firestore = Firestore(self.clock)
        self.databases = FirestoreDatabases(self.firestore, self.operations)
        self.secrets = SecretManager(self.clock, self.pubsub)
        self.logging = Logging(self.clock)
        self.run = CloudRun(self.clock, self.operations, self.secrets, self.logging)
        self.revisions = self.run.revisions
        self.run_jobs = CloudRunJobs(self.clock, self.operations, self.secrets)
        self.executions = Executions(self.clock, self.run_jobs)
        self.run_instances = SingleInstances(self.clock)
        self.worker_pools = WorkerPools(self.clock, self.operations, self.secrets, self.revisions)
        self.monitoring = Monitoring(self.clock)
        self.scheduler = CloudScheduler(self.clock, self.pubsub)
        self.budgets = Budgets(self.clock, self.pubsub)
        self.billing = CloudBilling(self.clock)
        self.instance_groups = InstanceGroups()
        self.gke = Gke(self.clock, self.instance_groups)
        self.artifact_registry = ArtifactRegistry(self.clock, self.pubsub)
        self.github = GitHub(self.clock)
        self.storage = CloudStorage(self.clock, self.http)
        self.resource_manager = ResourceManager()
        self.service_usage = ServiceUsage()
        self.org_policy = OrgPolicy()
        self.cloud_quotas = CloudQuotas()
        self.locations = Locations()
        self.service_agents = ServiceAgents()
        self.trace = Trace()
        self._now_server: NowServer | None = None
        self._port = 0
        self.server.add_operations(self.operations)
        self.server.add(PublisherGrpcTransport, self.pubsub)
        self.server.add(SubscriberGrpcTransport, self.pubsub)
        self.server.add(FirestoreGrpcTransport, self.firestore)
        self.server.add(ServicesGrpcTransport, self.run, check=self.billing.check_billed)
        self.server.add(RevisionsGrpcTransport, self.revisions)
        self.server.add(JobsGrpcTransport, self.run_jobs)
        self.server.add(WorkerPoolsGrpcTransport, self.worker_pools)
        self.server.add(MetricServiceGrpcTransport, self.monitoring)
        self.server.add(CloudSchedulerGrpcTransport, self.scheduler, check=self.billing.check_billed)
        self.server.add(BudgetServiceGrpcTransport, self.budgets)
        self.server.add(CloudBillingGrpcTransport, self.billing)
        self.server.add(ClusterManagerGrpcTransport, self.gke)
        self.server.add(ArtifactRegistryGrpcTransport, self.artifact_registry)
        self.server.add(SecretManagerServiceGrpcTransport, self.secrets)
        # What is seldom asked, or only by a person who deploys, or the product: imported when it is first asked for.
        for name, package, module, service in (
            ("FirestoreAdmin", "firestore_admin_v1", "firestore_admin", self.databases),
            ("Executions", "run_v2", "executions", self.executions),
            ("Instances", "run_v2", "instances", self.run_instances),
            ("LoggingServiceV2", "logging_v2", "logging_service_v2", self.logging),
            ("OrgPolicy", "orgpolicy_v2", "org_policy", self.org_policy),
            ("Projects", "resourcemanager_v3", "projects", self.resource_manager),
            ("ServiceUsage", "service_usage_v1", "service_usage", self.service_usage),
            ("TraceService", "trace_v2", "trace_service", self.trace),
        ):
            self.server.add_later(f"google.cloud.{package}.services.{module}.transports", name, service)
        self.http.add(
            *(self.instance_groups, self.github, self.storage, self.run),
            *(self.cloud_quotas, self.locations, self.service_agents),  # what `./deploy.sh doctor` asks
        )

    def start(self, port: int = 0) -> Self:
        """Listen on loopback, on any free port if none is given."""
        self._port = self.server.start(port)
        return self

    def stop(self) -> None:
        """End everything that was started; what is being pushed is broken off."""
        self.server.stop()
        self.http.stop()
        self.clock.close()
        self.pubsub.close()
        self.run.instances.stop()
        if self._now_server:
            self._now_server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where all services are served, as ``host:port``."""
        return f"127.0.0.1:{self._port}"

    @property
    def http_address(self) -> str:
        """The URL before all HTTP APIs, each by its host; they are served from the first time that it is asked for."""
        return self.http.url

    @property
    def now_address(self) -> str:
        """The URL that answers the clock's time; it is served from the first time that it is asked for."""
        if self._now_server is None:
            self._now_server = NowServer(self.clock)
        return self._now_server.url
