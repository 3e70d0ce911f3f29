"""Cloud Scheduler in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.pubsub.registration import PUBSUB
from localcloud.scheduler.seed import Job, add_jobs
from localcloud.scheduler.service import CloudScheduler

SCHEDULER = Service(
    lambda cloud: CloudScheduler(cloud.clock, cloud.of(PUBSUB)),
    transports=(Api("google.cloud.scheduler_v1.services.cloud_scheduler", "CloudScheduler"),),
    needs_billing=True,
    sections=(Section(Project, "jobs", dict[str, Job], add_jobs),),
)
