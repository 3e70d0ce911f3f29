"""Cloud Scheduler jobs of the local cloud, through the official clients."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import scheduler_v1
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import PublisherClient, SubscriberClient
from hypothesis import given
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.scheduler.schedules import ScheduleError, parse_schedule
from shared.clients import Clients

PARENT = "projects/demo-project/locations/europe-west1"
TICK = f"{PARENT}/jobs/tick"
TOPIC = "projects/demo-project/topics/ticks"
INBOX = "projects/demo-project/subscriptions/inbox"
START = datetime(2026, 11, 1, 9, 58, 20, tzinfo=UTC)
STATES = scheduler_v1.Job.State


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        clients = Clients("demo-project", endpoint=cloud.address)
        clients.of(PublisherClient).create_topic(name=TOPIC, retry=None)
        clients.of(SubscriberClient).create_subscription(name=INBOX, topic=TOPIC, retry=None)
        yield cloud


@pytest.fixture
def scheduler(cloud: LocalCloud) -> scheduler_v1.CloudSchedulerClient:
    return Clients("demo-project", endpoint=cloud.address).of(scheduler_v1.CloudSchedulerClient)


def a_job(**fields: object) -> scheduler_v1.Job:
    target = scheduler_v1.PubsubTarget(topic_name=TOPIC, data=b"look", attributes={"kind": "tick"})
    return scheduler_v1.Job({"name": TICK, "schedule": "*/10 * * * *", "pubsub_target": target, **fields})


def create(scheduler: scheduler_v1.CloudSchedulerClient, **fields: object) -> scheduler_v1.Job:
    return scheduler.create_job(parent=PARENT, job=a_job(**fields), retry=None)


def received(cloud: LocalCloud) -> list[tuple[datetime, bytes, dict[str, str]]]:
    """The publish time and data of each message."""
    subscriber = Clients("demo-project", endpoint=cloud.address).of(SubscriberClient)
    found: list[tuple[datetime, bytes, dict[str, str]]] = []
    while True:
        response = subscriber.pull(subscription=INBOX, max_messages=1000, retry=None)
        if not response.received_messages:
            return sorted(found)
        for one in response.received_messages:
            message = one.message
            found.append((moment(message.publish_time), message.data, dict(message.attributes)))
        acknowledged = [one.ack_id for one in response.received_messages]
        subscriber.acknowledge(subscription=INBOX, ack_ids=acknowledged, retry=None)


def moment(value: object) -> datetime:
    """A time that the client's types call a Timestamp and that really is a datetime."""
    assert isinstance(value, datetime)
    return value


def at(hour: int, minute: int, day: int = 1, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def due(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> datetime:
    """The next time at which the job is due, which does not show at once."""
    assert not scheduler.get_job(name=TICK).schedule_time
    cloud.clock.advance(timedelta(seconds=15))
    return moment(scheduler.get_job(name=TICK).schedule_time)


def test_a_new_job_is_enabled_and_filled_in(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    made = create(scheduler)
    assert made == scheduler.get_job(name=TICK)
    assert (made.state, made.time_zone) == (STATES.ENABLED, "UTC")
    assert (moment(made.user_update_time), due(cloud, scheduler)) == (START, at(10, 0))
    assert "retry_config" not in made  # as recorded of the real service


def test_a_job_publishes_when_it_is_due(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler)
    cloud.clock.advance_to(at(9, 59))
    assert received(cloud) == []
    cloud.clock.advance_to(at(10, 5))
    assert received(cloud) == [(at(10, 0), b"look", {"kind": "tick"})]
    job = scheduler.get_job(name=TICK)
    assert (moment(job.last_attempt_time), moment(job.schedule_time), job.status.code) == (
        at(10, 0),
        at(10, 10),
        0,
    )


def test_one_advance_fires_a_job_once_at_its_last_due_time(
    cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient
) -> None:
    create(scheduler)
    cloud.clock.advance(timedelta(days=31))
    assert [when for when, _, _ in received(cloud)] == [at(9, 50, 2, 12)]
    cloud.clock.advance(timedelta(minutes=10))
    assert [when for when, _, _ in received(cloud)] == [at(10, 0, 2, 12)]


def test_every_tick_can_be_asked_for(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    cloud.scheduler.every_tick = True
    create(scheduler)
    cloud.clock.advance_to(at(10, 30))
    assert [when for when, _, _ in received(cloud)] == [at(10, 0), at(10, 10), at(10, 20), at(10, 30)]


def test_cron_is_read_in_the_jobs_time_zone(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler, schedule="30 2 * * *", time_zone="Europe/Berlin")
    assert due(cloud, scheduler) == at(1, 30, 2)
    cloud.clock.advance_to(at(12, 0, 2))
    assert [when for when, _, _ in received(cloud)] == [at(1, 30, 2)]


def test_every_10_minutes_counts_from_the_jobs_creation(
    cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient
) -> None:
    create(scheduler, schedule="every 10 minutes")
    cloud.clock.advance(timedelta(minutes=25))
    assert [when for when, _, _ in received(cloud)] == [START + timedelta(minutes=20)]


def test_a_paused_job_does_not_come_due(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler)
    assert scheduler.pause_job(name=TICK, retry=None).state == STATES.PAUSED
    cloud.clock.advance_to(at(10, 15))
    assert received(cloud) == []
    resumed = scheduler.resume_job(name=TICK, retry=None)
    assert (resumed.state, moment(resumed.schedule_time)) == (STATES.ENABLED, at(10, 20))
    cloud.clock.advance_to(at(10, 20))
    assert [when for when, _, _ in received(cloud)] == [at(10, 20)]


def test_only_an_enabled_job_can_be_paused_and_only_a_paused_one_resumed(
    scheduler: scheduler_v1.CloudSchedulerClient,
) -> None:
    create(scheduler)
    with pytest.raises(exceptions.FailedPrecondition, match="ENABLED; to become ENABLED"):
        scheduler.resume_job(name=TICK, retry=None)
    paused = scheduler.pause_job(name=TICK, retry=None)
    with pytest.raises(exceptions.FailedPrecondition, match="PAUSED; to become PAUSED"):
        scheduler.pause_job(name=TICK, retry=None)
    assert scheduler.get_job(name=TICK) == paused


def test_an_update_moves_the_timer_and_keeps_the_state(
    cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient
) -> None:
    create(scheduler, description="ticks")
    changed = scheduler.update_job(
        job=a_job(schedule="0 12 * * *"), update_mask=FieldMask(paths=["schedule"]), retry=None
    )
    assert (changed.description, due(cloud, scheduler)) == ("ticks", at(12, 0))
    cloud.clock.advance_to(at(11, 0))
    assert received(cloud) == []
    scheduler.pause_job(name=TICK, retry=None)
    # Without a mask all is replaced, the kind of target too.
    web = scheduler_v1.Job(name=TICK, schedule="* * * * *", http_target={"uri": "https://example.com"})
    replaced = scheduler.update_job(job=web, retry=None)
    assert (replaced.state, replaced.description) == (STATES.PAUSED, "")
    assert "pubsub_target" not in replaced
    cloud.clock.advance_to(at(12, 0))
    assert received(cloud) == []


def test_a_job_can_be_run_by_hand_even_when_paused(
    cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient
) -> None:
    create(scheduler)
    scheduler.pause_job(name=TICK, retry=None)
    assert scheduler.run_job(name=TICK, retry=None).last_attempt_time == START
    assert received(cloud) == [(START, b"look", {"kind": "tick"})]


def test_an_http_target_is_kept_and_not_called(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    job = scheduler_v1.Job(name=TICK, schedule="* * * * *", http_target={"uri": "http://127.0.0.1:9/"})
    made = scheduler.create_job(parent=PARENT, job=job, retry=None)
    assert (made.attempt_deadline, made.retry_config.max_doublings) == (timedelta(minutes=3), 5)
    cloud.clock.advance_to(at(10, 0))
    assert scheduler.get_job(name=TICK).last_attempt_time == at(10, 0)


def test_a_publication_that_fails_is_recorded(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler, pubsub_target={"topic_name": "projects/demo-project/topics/gone", "data": b"x"})
    cloud.clock.advance_to(at(10, 5))
    job = scheduler.get_job(name=TICK)
    assert (job.status.code, moment(job.schedule_time)) == (5, at(10, 10))


def test_a_deleted_job_is_gone(cloud: LocalCloud, scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler)
    scheduler.delete_job(name=TICK, retry=None)
    cloud.clock.advance_to(at(10, 5))
    assert received(cloud) == []
    for call in (scheduler.get_job, scheduler.delete_job, scheduler.pause_job, scheduler.run_job):
        with pytest.raises(exceptions.NotFound):
            call(name=TICK, retry=None)


def test_names(scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    create(scheduler)
    with pytest.raises(exceptions.AlreadyExists):
        create(scheduler)
    for name in (f"{PARENT}/jobs/a.b", f"{PARENT}/jobs/{'a' * 501}", "tick", f"{PARENT}x/jobs/tick"):
        with pytest.raises(exceptions.InvalidArgument, match="Job name"):
            create(scheduler, name=name)
    assert create(scheduler, name="").name.startswith(f"{PARENT}/jobs/")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schedule": "* * * * * *"}, "Schedule or time zone is invalid"),
        ({"schedule": "every now and then"}, "Schedule or time zone is invalid"),
        ({"schedule": ""}, "Schedule or time zone is invalid"),
        ({"time_zone": "Mars/Olympus"}, "Schedule or time zone is invalid"),
        ({"pubsub_target": {"topic_name": TOPIC}}, "non-empty data or at least one attribute"),
        ({"pubsub_target": {"topic_name": "projects/other/topics/t", "data": b"x"}}, "same project"),
        ({"pubsub_target": {"topic_name": "ticks", "data": b"x"}}, "projects/PROJECT_ID/topics"),
        ({"pubsub_target": None}, "target is required"),
        ({"http_target": {"uri": "ftp://example.com"}, "pubsub_target": None}, "http:// or https://"),
        (
            {
                "http_target": {"uri": "http://e"},
                "pubsub_target": None,
                "attempt_deadline": timedelta(seconds=1),
            },
            "between",
        ),
        ({"description": "x" * 501}, "at most 500"),
        ({"retry_config": {"retry_count": 6}}, "between 0 and 5"),
        ({"pubsub_target": {"topic_name": TOPIC, "data": b"x" * 2**20}}, "at most 1048576 bytes"),
    ],
)
def test_what_cloud_scheduler_refuses(
    scheduler: scheduler_v1.CloudSchedulerClient, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        create(scheduler, **fields)


def test_lists_one_location_in_pages(scheduler: scheduler_v1.CloudSchedulerClient) -> None:
    for name in ("b", "a", "c"):
        create(scheduler, name=f"{PARENT}/jobs/{name}")
    pages = list(scheduler.list_jobs(scheduler_v1.ListJobsRequest(parent=PARENT, page_size=2)).pages)
    assert [[job.name[-1] for job in page.jobs] for page in pages] == [["a", "b"], ["c"]]
    assert list(scheduler.list_jobs(parent=PARENT.replace("west1", "west4"))) == []


@pytest.mark.parametrize(
    ("schedule", "time_zone", "due"),
    [
        ("0 9 * * MON-FRI", "utc", at(9, 0, 2)),
        ("every 2 hours synchronized", "", at(10, 0)),
        ("every 15 mins synchronized", "", at(10, 0)),
        ("every 24 hours synchronized", "", at(0, 0, 2)),
        ("every 1 hour", "", START + timedelta(hours=1)),
        ("every monday, fri 09:00", "Europe/Berlin", at(8, 0, 2)),
        ("Every day 7:30", "", at(7, 30, 2)),
    ],
)
def test_schedules(schedule: str, time_zone: str, due: datetime) -> None:
    parsed = parse_schedule(schedule, time_zone, START)
    assert parsed.after(START) == due
    assert parsed.latest(due) == due
    assert parsed.latest(due + timedelta(seconds=59)) == due


@pytest.mark.parametrize(
    "schedule",
    ["0 0 L * *", "0 0 30 2 *", "every 7 minutes synchronized", "every 0 minutes", "every frday 09:00"],
)
def test_schedules_that_are_refused(schedule: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(schedule, "", START)


@given(
    schedule=st.sampled_from(["*/10 * * * *", "30 2 * * *", "15 1,2,3 * * 1-5", "0 0 1 * *", "every 7 minutes"]),
    time_zone=st.sampled_from(["utc", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"]),
    since=st.timedeltas(timedelta(0), timedelta(days=365)),
    span=st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_the_last_due_time_is_the_last_of_all(schedule: str, time_zone: str, since: timedelta, span: timedelta) -> None:
    start = START + since
    parsed = parse_schedule(schedule, time_zone, start)
    due = parsed.after(start)
    if due > start + span:
        return
    while (following := parsed.after(due)) <= start + span:
        assert following > due
        due = following
    assert parsed.latest(start + span) == due


def test_a_skipped_hour_runs_once_after_the_gap() -> None:
    parsed = parse_schedule("30 2 * * *", "Europe/Berlin", START)
    assert parsed.after(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [1, 15, 29, 31, 59])
@pytest.mark.parametrize("schedule", ["30 2 * * *", "0,30 2 * * *", "15-45/15 1,2 * * *", "*/10 * * * *"])
def test_a_due_time_in_the_repeated_hour_is_later_than_the_moment_asked_for(schedule: str, minutes: int) -> None:
    second_pass = datetime(2026, 10, 25, 1, tzinfo=UTC)
    moment = second_pass + timedelta(minutes=minutes, seconds=4)
    assert parse_schedule(schedule, "Europe/Berlin", START).after(moment) > moment


def test_a_job_in_the_repeated_hour_does_not_stop_the_clock() -> None:
    with LocalCloud(now=datetime(2026, 10, 25, 1, 1, 4, tzinfo=UTC)) as cloud:
        clients = Clients("demo-project", endpoint=cloud.address)
        clients.of(PublisherClient).create_topic(name=TOPIC, retry=None)
        scheduler = clients.of(scheduler_v1.CloudSchedulerClient)
        create(scheduler, schedule="30 2 * * *", time_zone="Europe/Berlin")
        assert due(cloud, scheduler) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
