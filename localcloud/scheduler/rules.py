"""Cloud Scheduler's validation and defaults."""

import re
from datetime import timedelta

from google.cloud import scheduler_v1

from localcloud.core.messages import duration, invalid

LONGEST_DESCRIPTION = 500
LONGEST_URI = 2083
LARGEST_JOB = 1024 * 1024
MOST_RETRIES = 5
HTTP_DEADLINES = (timedelta(seconds=15), timedelta(minutes=30))

_PARENT = re.compile(r"^projects/[A-Za-z0-9:.-]+/locations/[a-z][a-z0-9-]*$")
_TOPIC = re.compile(r"^projects/(?P<project>[^/]+)/topics/[^/]+$")


def check_parent(parent: str) -> None:
    """Raises INVALID_ARGUMENT unless it is the full name of a location."""
    if not _PARENT.match(parent):
        raise invalid(f"Invalid parent {parent!r}: expected projects/PROJECT_ID/locations/LOCATION_ID.")


def fill_in(job: scheduler_v1.Job) -> None:
    """Set what Cloud Scheduler sets where the caller said nothing."""
    job.time_zone = job.time_zone or "UTC"
    if "http_target" in job:
        _fill_in_http(job)


def _fill_in_http(job: scheduler_v1.Job) -> None:
    """A job for Pub/Sub has no retries of its own, and nothing is filled in: recorded of the real service."""
    retry = job.retry_config
    if "min_backoff_duration" not in retry:
        retry.min_backoff_duration = duration(timedelta(seconds=5))
    if "max_backoff_duration" not in retry:
        retry.max_backoff_duration = duration(timedelta(hours=1))
    if "max_retry_duration" not in retry:
        retry.max_retry_duration = duration(timedelta(0))
    retry.max_doublings = retry.max_doublings or 5
    job.http_target.headers.setdefault("User-Agent", "Google-Cloud-Scheduler")
    if "attempt_deadline" not in job:
        job.attempt_deadline = duration(timedelta(minutes=3))


def check(job: scheduler_v1.Job) -> None:
    """Raises INVALID_ARGUMENT for a (completed) job that Cloud Scheduler would not keep."""
    if len(job.description) > LONGEST_DESCRIPTION:
        raise invalid(f"Job.description must have at most {LONGEST_DESCRIPTION} characters.")
    if scheduler_v1.Job.pb(job).ByteSize() > LARGEST_JOB:
        raise invalid(f"Job must have at most {LARGEST_JOB} bytes.")
    if not 0 <= job.retry_config.retry_count <= MOST_RETRIES:
        raise invalid(f"Job.retry_config.retry_count must be between 0 and {MOST_RETRIES}.")
    target = scheduler_v1.Job.pb(job).WhichOneof("target")
    if target is None:
        raise invalid("Job.target is required: pubsub_target, http_target or app_engine_http_target.")
    if target == "pubsub_target":
        _check_pubsub(job)
    if target == "http_target":
        _check_http(job)


def _check_pubsub(job: scheduler_v1.Job) -> None:
    target = job.pubsub_target
    match = _TOPIC.match(target.topic_name)
    if not match or match["project"] != job.name.split("/")[1]:
        raise invalid(
            f"Job.pubsub_target.topic_name {target.topic_name!r} must be projects/PROJECT_ID/topics/TOPIC_ID,"
            " in the same project as the job."
        )
    if not target.data and not target.attributes:
        raise invalid("Job.pubsub_target must contain either non-empty data or at least one attribute.")


def _check_http(job: scheduler_v1.Job) -> None:
    uri = job.http_target.uri
    if not uri.startswith(("http://", "https://")) or len(uri) > LONGEST_URI:
        raise invalid(
            f"Job.http_target.uri must begin with http:// or https:// and have at most {LONGEST_URI} letters."
        )
    shortest, longest = HTTP_DEADLINES
    if not shortest <= scheduler_v1.Job.pb(job).attempt_deadline.ToTimedelta() <= longest:
        raise invalid(f"Job.attempt_deadline must be between {shortest} and {longest}.")
