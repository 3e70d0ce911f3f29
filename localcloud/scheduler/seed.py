"""The Cloud Scheduler jobs of a world."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from google.cloud import scheduler_v1

from localcloud.core.world_place import Place
from localcloud.core.world_proto import Proto, complete
from localcloud.pubsub.seed import topic_of

if TYPE_CHECKING:
    from localcloud.scheduler.service import CloudScheduler


class JobState(StrEnum):
    """Whether a Cloud Scheduler job runs on its schedule."""

    ENABLED = "ENABLED"
    PAUSED = "PAUSED"


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Scheduler job that publishes to ``topic``, or has another target under ``proto``."""

    schedule: str
    time_zone: str = ""
    description: str = ""
    state: JobState = JobState.ENABLED
    topic: str = ""
    data: str = ""
    attributes: dict[str, str] = {}
    proto: Proto = {}


def add_jobs(service: "CloudScheduler", place: Place, jobs: Mapping[str, Job]) -> None:
    """Create jobs, paused ones too."""
    for key, job in jobs.items():
        with place.key(key):
            parent, job_id = place.parent_of(key)
            made = _job(job, f"{parent}/jobs/{job_id}", place.owner)
            service.create_job(scheduler_v1.CreateJobRequest(parent=parent, job=made))
            if job.state is JobState.PAUSED:
                service.pause_job(scheduler_v1.PauseJobRequest(name=made.name))


def _job(spec: Job, name: str, project_id: str) -> scheduler_v1.Job:
    job = scheduler_v1.Job(name=name, schedule=spec.schedule, time_zone=spec.time_zone, description=spec.description)
    if spec.topic:
        job.pubsub_target = scheduler_v1.PubsubTarget(
            topic_name=topic_of(spec.topic, project_id), data=spec.data.encode(), attributes=spec.attributes
        )
    elif spec.data or spec.attributes:
        raise ValueError("data, attributes: expected a topic to publish them to")
    complete(scheduler_v1.Job.pb(job), spec.proto)
    return job
