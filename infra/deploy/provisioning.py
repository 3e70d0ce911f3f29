"""Makes, changes and takes away what a suite is made of on the local cloud, and reads what is there of it."""

import re
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress

import msgspec

from infra.deploy.changes import CREATE, DELETE, Change
from infra.deploy.resources import SINKS, AnyResource, Database, Function, Sink, Subscription, TickJob, Topic
from shared.clients import Clients
from shared.decoding import decoded
from shared.events import Tick
from shared.rest import get, post, send
from shared.state import DATABASE

FUNCTIONS = "https://caretaker.local/functions"
"""The address at which the local cloud lists its functions, and replaces them."""
PUBSUB_API = "https://pubsub.googleapis.com/v1"
SCHEDULER_API = "https://cloudscheduler.googleapis.com/v1"
LOGGING_API = "https://logging.googleapis.com/v2"
PUBSUB = "pubsub.googleapis.com/"
"""Before the topic, in the destination of a sink."""
TICK_JOB = re.compile(r"caretaker-[a-z-]+-tick")
LABELS = {"managed_by": "caretaker"}
"""By which what is the suite's is known from what else is there, as Terraform knows it by its state."""


def existing(clients: Clients, project: str, region: str, wanted: Container[str]) -> Iterator[AnyResource]:
    """A suite's existing resources, each after what it needs; of others' topics only those that are wanted."""
    from google.pubsub_v1 import PublisherClient

    subscriptions = list(_subscriptions(clients, project))
    # The topic of a subscription is `_deleted-topic_` once the topic was deleted.
    others = {one.topic.split("/")[1] for one in subscriptions if "/" in one.topic}
    for one in sorted({project, *others}):
        for topic in clients.of(PublisherClient).list_topics(request={"project": f"projects/{one}"}, **clients.reading):
            if topic.name in wanted or LABELS.items() <= dict(topic.labels).items():
                yield Topic(name=topic.name)
    yield from get(clients, FUNCTIONS, {}, list[Function])
    yield from subscriptions
    yield from _ticks(clients, f"projects/{project}/locations/{region}")
    yield from _sinks(clients, project)


def database(clients: Clients, project: str) -> Iterator[Database]:
    """The suite's database, if it exists."""
    from google.cloud.firestore_admin_v1 import FirestoreAdminClient

    parent = f"projects/{project}"
    answer = clients.of(FirestoreAdminClient).list_databases(request={"parent": parent}, **clients.reading)
    yield from (Database(name=one.name) for one in answer.databases if one.name == f"{parent}/databases/{DATABASE}")


def carry_out(clients: Clients, changes: Iterable[Change], functions: list[Function]) -> None:
    """Carry out changes in their order; all functions are replaced at once, by these."""
    are_deployed = False
    for change in changes:
        if isinstance(change.resource, Function):
            if not are_deployed:
                post(clients, FUNCTIONS, msgspec.json.encode(functions), "application/json")
            are_deployed = True
        elif change.action == DELETE:
            _delete(clients, change.resource)
        elif change.action == CREATE:
            create(clients, change.resource)
        else:
            _update(clients, change.resource)


def create(clients: Clients, resource: AnyResource) -> None:
    """Make one thing. A topic may be there already: what publishes to it may have been before the suite.

    Writes go by REST: the laptop run makes everything when it starts, and would wait for the official clients' imports.
    """
    from google.api_core.exceptions import AlreadyExists

    match resource:
        case Topic():
            with suppress(AlreadyExists):  # it belongs to someone else, and is left alone
                send(clients, "PUT", f"{PUBSUB_API}/{resource.name}", {"labels": LABELS})
        case Subscription():
            send(clients, "PUT", f"{PUBSUB_API}/{resource.name}", _subscription(resource))
        case TickJob():
            send(clients, "POST", f"{SCHEDULER_API}/{resource.name.rpartition('/')[0]}", _job(resource))
        case Sink():
            send(clients, "POST", f"{LOGGING_API}/{resource.name.rpartition('/')[0]}", _sink(resource))


def _update(clients: Clients, resource: AnyResource) -> None:
    match resource:
        case Subscription():
            wanted = _subscription(resource)
            paths = [path for path in wanted if path not in {"name", "topic", "filter", "labels"}]
            content = {"subscription": wanted, "updateMask": ",".join(paths)}
            send(clients, "PATCH", f"{PUBSUB_API}/{resource.name}", content)
        case TickJob():
            wanted = _job(resource)
            mask = ",".join(path for path in wanted if path != "name")
            send(clients, "PATCH", f"{SCHEDULER_API}/{resource.name}", wanted, {"updateMask": mask})
        case Sink():
            send(clients, "PUT", f"{LOGGING_API}/{resource.name}", _sink(resource))


def _delete(clients: Clients, resource: AnyResource) -> None:
    from google.cloud.firestore_admin_v1 import FirestoreAdminClient
    from google.cloud.scheduler_v1 import CloudSchedulerClient
    from google.pubsub_v1 import PublisherClient, SubscriberClient

    match resource:
        case Topic():
            clients.of(PublisherClient).delete_topic(request={"topic": resource.name}, **clients.writing)
        case Subscription():
            clients.of(SubscriberClient).delete_subscription(request={"subscription": resource.name}, **clients.writing)
        case TickJob():
            clients.of(CloudSchedulerClient).delete_job(request={"name": resource.name}, **clients.writing)
        case Sink():
            from google.cloud.logging_v2.services.config_service_v2 import ConfigServiceV2Client

            clients.of(ConfigServiceV2Client).delete_sink(request={"sink_name": resource.name}, **clients.writing)
        case Database():
            clients.of(FirestoreAdminClient).delete_database(
                request={"name": resource.name}, **clients.writing
            ).result()


def _subscriptions(clients: Clients, project: str) -> Iterator[Subscription]:
    from google.pubsub_v1 import SubscriberClient

    request = {"project": f"projects/{project}"}
    for one in clients.of(SubscriberClient).list_subscriptions(request=request, **clients.reading):
        if LABELS.items() <= dict(one.labels).items():
            retry, dead = one.retry_policy, one.dead_letter_policy
            yield Subscription(
                name=one.name,
                topic=one.topic,
                ack_deadline_seconds=one.ack_deadline_seconds,
                message_retention_seconds=int(one.message_retention_duration.total_seconds()),
                push_endpoint=one.push_config.push_endpoint,
                filter=one.filter,
                minimum_backoff_seconds=int(retry.minimum_backoff.total_seconds()) if retry else None,
                maximum_backoff_seconds=int(retry.maximum_backoff.total_seconds()) if retry else None,
                dead_letter_topic=dead.dead_letter_topic if dead else "",
                max_delivery_attempts=dead.max_delivery_attempts if dead else None,
            )


def _sinks(clients: Clients, project: str) -> Iterator[Sink]:
    """Sinks have no labels: the suite's are known by their names."""
    from google.cloud.logging_v2.services.config_service_v2 import ConfigServiceV2Client

    parent = f"projects/{project}"
    for one in clients.of(ConfigServiceV2Client).list_sinks(request={"parent": parent}, **clients.reading):
        if one.name in SINKS:
            topic = one.destination.removeprefix(PUBSUB)
            yield Sink(name=f"{parent}/sinks/{one.name}", topic=topic, filter=one.filter)


def _sink(sink: Sink) -> dict[str, object]:
    return {
        "name": sink.name.rpartition("/")[2],
        "destination": f"{PUBSUB}{sink.topic}",
        "filter": sink.filter,
    }


def _ticks(clients: Clients, parent: str) -> Iterator[TickJob]:
    """Jobs have no labels: the suite's are known by their names."""
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    for job in clients.of(CloudSchedulerClient).list_jobs(request={"parent": parent}, **clients.reading):
        if TICK_JOB.fullmatch(job.name.rpartition("/")[2]):
            try:
                every_seconds = decoded(job.pubsub_target.data, Tick).every_seconds
            except msgspec.DecodeError:
                every_seconds = 0  # it was changed by hand, and is put right
            yield TickJob(
                name=job.name,
                schedule=job.schedule,
                time_zone=job.time_zone,
                topic=job.pubsub_target.topic_name,
                every_seconds=every_seconds,
            )


def _subscription(one: Subscription) -> dict[str, object]:
    """As the API takes it."""
    pushing: dict[str, object] = {
        "pushConfig": {"pushEndpoint": one.push_endpoint},
        "retryPolicy": {
            "minimumBackoff": f"{one.minimum_backoff_seconds}s",
            "maximumBackoff": f"{one.maximum_backoff_seconds}s",
        },
        "deadLetterPolicy": {
            "deadLetterTopic": one.dead_letter_topic,
            "maxDeliveryAttempts": one.max_delivery_attempts,
        },
    }
    return {
        "name": one.name,
        "topic": one.topic,
        "filter": one.filter,
        "labels": LABELS,
        "ackDeadlineSeconds": one.ack_deadline_seconds,
        "messageRetentionDuration": f"{one.message_retention_seconds}s",
        "expirationPolicy": {},  # never
        **(pushing if one.push_endpoint else {}),
    }


def _job(one: TickJob) -> dict[str, object]:
    """As the API takes it."""
    data = msgspec.json.encode(Tick(every_seconds=one.every_seconds))
    return {
        "name": one.name,
        "schedule": one.schedule,
        "timeZone": one.time_zone,
        "pubsubTarget": {"topicName": one.topic, "data": data},
    }
