"""Cloud Scheduler: google.cloud.scheduler.v1, whose jobs really publish when they are due on the Clock.

Only Pub/Sub targets are brought to life. HTTP and App Engine targets are kept and answered, never called:
their attempts count as made. A failed publication is recorded in the job's ``status``; ``retry_config`` is
kept, not obeyed.
"""

import re
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import grpc
from google.cloud import scheduler_v1
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage
from google.rpc.status_pb2 import Status

from localcloud.core.clock import Clock, Timer
from localcloud.core.messages import invalid, merge, page, timestamp
from localcloud.core.server import ApiError
from localcloud.scheduler.rules import check, check_parent, fill_in
from localcloud.scheduler.schedules import Schedule, ScheduleError, parse_schedule

LARGEST_PAGE = 500
NEW, CHANGED = timedelta(seconds=15), timedelta(seconds=1)
"""The time after a job's creation or change for which it has no schedule time, as in recordings of the real service."""
OUTPUT_ONLY = frozenset(("name", "user_update_time", "state", "status", "schedule_time", "last_attempt_time"))

_JOB = re.compile(r"^(?P<parent>projects/[A-Za-z0-9:.-]+/locations/[a-z][a-z0-9-]*)/jobs/[A-Za-z0-9_-]{1,500}$")
_MUTABLE = tuple(name for name in scheduler_v1.Job.meta.fields if name not in OUTPUT_ONLY)


class Publisher(Protocol):
    """The part of Pub/Sub that the scheduler needs."""

    def publish(self, request: PublishRequest) -> PublishResponse:
        """Publish the messages of ``request`` to its topic."""


@dataclass
class _Entry:
    """A job, its schedule, and the timer of its next due time (none while it is paused)."""

    job: scheduler_v1.Job
    schedule: Schedule
    picked_up: datetime
    """From when on its schedule time is shown."""
    timer: Timer | None = None


class CloudScheduler:
    """Serves ``google.cloud.scheduler_v1.CloudSchedulerClient``.

    When the clock jumps over several due times of a job in one ``advance()``, the job fires once, at the last
    of them, as if the earlier ticks had been lost: that is how a month of ten-minute ticks passes in a
    second. With ``every_tick = True`` it fires at each. Where the clock runs with real time no tick is passed
    over.
    """

    def __init__(self, clock: Clock, pubsub: Publisher) -> None:
        self.every_tick = False
        """Whether each due time within one advance of the clock fires, and not only the last."""
        self._clock = clock
        self._pubsub = pubsub
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()

    def create_job(self, request: scheduler_v1.CreateJobRequest) -> scheduler_v1.Job:
        """Make a job; it is enabled, and due for the first time after now."""
        check_parent(request.parent)
        job = scheduler_v1.Job(name=request.job.name or f"{request.parent}/jobs/{uuid.uuid4()}")
        match = _JOB.match(job.name)
        if not match or match["parent"] != request.parent:
            raise invalid(
                f"Job name {job.name!r} must be {request.parent}/jobs/JOB_ID, where JOB_ID has at most 500 "
                "letters, digits, hyphens and underscores."
            )
        with self._lock:
            if job.name in self._entries:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Job {job.name} already exists.")
            job.state = scheduler_v1.Job.State.ENABLED
            return self._write(job, request.job, _MUTABLE)

    def get_job(self, request: scheduler_v1.GetJobRequest) -> scheduler_v1.Job:
        """One job as it is now."""
        with self._lock:
            return self._shown(self._entry(request.name))

    def list_jobs(self, request: scheduler_v1.ListJobsRequest) -> scheduler_v1.ListJobsResponse:
        """The jobs of one location, in order of name."""
        check_parent(request.parent)
        with self._lock:
            prefix = f"{request.parent}/jobs/"
            here = {name: self._shown(entry) for name, entry in self._entries.items() if name.startswith(prefix)}
            jobs, token = page(here, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
            return scheduler_v1.ListJobsResponse(jobs=jobs, next_page_token=token)

    def update_job(self, request: scheduler_v1.UpdateJobRequest) -> scheduler_v1.Job:
        """Change the fields of the mask, or without one all that a caller may set; the state stays."""
        with self._lock:
            job = scheduler_v1.Job(self._entry(request.job.name).job)
            paths = [path for path in request.update_mask.paths if path.split(".")[0] not in OUTPUT_ONLY]
            everything = not request.update_mask.paths or "*" in paths
            return self._write(job, request.job, _MUTABLE if everything else paths)

    def delete_job(self, request: scheduler_v1.DeleteJobRequest) -> Empty:
        """Take a job away."""
        with self._lock:
            self._stop(self._entry(request.name))
            del self._entries[request.name]
        return Empty()

    def pause_job(self, request: scheduler_v1.PauseJobRequest) -> scheduler_v1.Job:
        """Stop an enabled job from coming due."""
        states = scheduler_v1.Job.State
        with self._lock:
            entry = self._entry(request.name)
            self._move(entry, states.ENABLED, states.PAUSED)
            self._stop(entry)
            return self._shown(entry)

    def resume_job(self, request: scheduler_v1.ResumeJobRequest) -> scheduler_v1.Job:
        """Let a paused job come due again; what it missed is not made up for."""
        states = scheduler_v1.Job.State
        with self._lock:
            entry = self._entry(request.name)
            self._move(entry, states.PAUSED, states.ENABLED)
            self._await_next(entry)
            return self._shown(entry)

    def run_job(self, request: scheduler_v1.RunJobRequest) -> scheduler_v1.Job:
        """Run a job now, regardless of its schedule and state."""
        with self._lock:
            self._entry(request.name)
        self._attempt(request.name)
        return self.get_job(scheduler_v1.GetJobRequest(name=request.name))

    def _entry(self, name: str) -> _Entry:
        if not _JOB.match(name):
            raise invalid(f"Job name {name!r} must be projects/PROJECT_ID/locations/LOCATION_ID/jobs/JOB_ID.")
        if name not in self._entries:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Job {name} not found.")
        return self._entries[name]

    def _write(self, job: scheduler_v1.Job, wanted: scheduler_v1.Job, paths: Iterable[str]) -> scheduler_v1.Job:
        """Take over ``paths`` of ``wanted`` into ``job``, check it, store it and set its timer."""
        merge(scheduler_v1.Job.pb(job), scheduler_v1.Job.pb(wanted), paths)
        fill_in(job)
        check(job)
        now = self._clock.now()
        try:
            schedule = parse_schedule(job.schedule, job.time_zone, now)
        except ScheduleError as error:
            raise invalid(f"Schedule or time zone is invalid. ({error})") from error
        job.user_update_time = timestamp(now)
        if job.name in self._entries:
            self._stop(self._entries[job.name])
        delay = CHANGED if job.name in self._entries else NEW
        entry = _Entry(job, schedule, now + delay)
        self._entries[job.name] = entry
        if job.state == scheduler_v1.Job.State.ENABLED:
            self._await_next(entry)
        return self._shown(entry)

    def _shown(self, entry: _Entry) -> scheduler_v1.Job:
        """A job as it is given out."""
        shown = scheduler_v1.Job(entry.job)
        if self._clock.now() < entry.picked_up:
            scheduler_v1.Job.pb(shown).ClearField("schedule_time")
        return shown

    @staticmethod
    def _move(entry: _Entry, old: scheduler_v1.Job.State, new: scheduler_v1.Job.State) -> None:
        # "A job must be in Job.State.ENABLED to be paused", and PAUSED to be resumed, says the API. That
        # it refuses with FAILED_PRECONDITION is our reading: no published answer shows it.
        if entry.job.state != old:
            raise ApiError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"{entry.job.name} is {entry.job.state.name}; to become {new.name} it must be {old.name}.",
            )
        entry.job.state = new

    @staticmethod
    def _stop(entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

    def _await_next(self, entry: _Entry) -> None:
        self._await(entry, entry.schedule.after(self._clock.now()))

    def _await(self, entry: _Entry, when: datetime) -> None:
        entry.job.schedule_time = timestamp(when)
        entry.timer = self._clock.call_at(when, lambda: self._due(entry))

    def _due(self, entry: _Entry) -> None:
        with self._lock:
            if entry.timer is None or self._entries.get(entry.job.name) is not entry:
                return
            latest = entry.schedule.latest(self._clock.horizon())
            if not self.every_tick and latest > self._clock.now():
                self._await(entry, latest)
                return
            self._await_next(entry)
        self._attempt(entry.job.name)

    def _attempt(self, name: str) -> None:
        """Deliver a job to its target and record how that went."""
        with self._lock:
            entry = self._entries.get(name)
            if entry is None:
                return
            job = scheduler_v1.Job(entry.job)
        status = self._publish(job.pubsub_target) if "pubsub_target" in job else Status()
        with self._lock:
            entry.job.last_attempt_time = timestamp(self._clock.now())
            entry.job.status = status

    def _publish(self, target: scheduler_v1.PubsubTarget) -> Status:
        message = PubsubMessage(data=target.data, attributes=dict(target.attributes))
        try:
            self._pubsub.publish(PublishRequest(topic=target.topic_name, messages=[message]))
        except ApiError as error:
            return Status(code=error.code.value[0], message=error.message)
        return Status()
