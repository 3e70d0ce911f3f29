"""The resources around each function, as plain values, on a cloud that Terraform does not reach.

The same map and settings, and the same names and figures, as in infra/terraform; its tests hold them against these.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from infra.suite.automations import Entry, Webhook, load_functions
from infra.suite.deployment import Suite
from shared.events import inbox_of

ACK_MARGIN_SECONDS = 30
LONGEST_ACK_DEADLINE = 600
RETENTION_SECONDS = 24 * 3600
"""Older hints are worth nothing."""
DEAD_LETTERS_ARE_KEPT_SECONDS = 14 * RETENTION_SECONDS
DEAD_LETTERS_ACK_DEADLINE = 60
REPORTS = "caretaker-reports"
"""A log sink publishes reports and the ends of jobs to this topic."""
SINKS = {
    REPORTS: 'jsonPayload.report.automation:* AND NOT jsonPayload.report.automation="notify_chat"',
    "caretaker-failed-jobs": 'jsonPayload.job.outcome="failed"',
}
"""By name, what each sink publishes there."""
IMAGES = "gcr"
"""Artifact Registry publishes to a topic of this name in the project of the images."""


class Resource(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One thing that is made, by its full name."""

    name: str


class Topic(Resource, frozen=True, kw_only=True):
    """A topic."""


class Function(Resource, frozen=True, kw_only=True):
    """A function: the name of its bundle, which carries a hash of the sources, and what it is given."""

    bundle: str
    settings: dict[str, object]


class Subscription(Resource, frozen=True, kw_only=True):
    """A subscription that pushes to a function, or, without an endpoint, keeps dead letters for a person."""

    topic: str
    ack_deadline_seconds: int
    message_retention_seconds: int
    push_endpoint: str = ""
    filter: str = ""
    minimum_backoff_seconds: int | None = None
    maximum_backoff_seconds: int | None = None
    dead_letter_topic: str = ""
    max_delivery_attempts: int | None = None


class TickJob(Resource, frozen=True, kw_only=True):
    """A job of Cloud Scheduler that publishes the tick to an inbox."""

    schedule: str
    time_zone: str
    topic: str
    every_seconds: int


class Sink(Resource, frozen=True, kw_only=True):
    """A log sink, which publishes the entries that its filter matches to a topic."""

    topic: str
    filter: str


class Database(Resource, frozen=True, kw_only=True):
    """The suite's records. Created on first use, and deleted with the suite."""


AnyResource = Topic | Function | Subscription | TickJob | Sink | Database


def resources_of(suite: Suite, bundles: Mapping[str, str], address_of: Callable[[str], str]) -> tuple[AnyResource, ...]:
    """A suite's resources, each after what it needs. ``address_of`` returns the URL of a function."""
    project, region = suite.deployment.project, suite.deployment.region
    entries = {name: entry for name, entry in load_functions().items() if name in suite.automations}
    given = settings_of(suite)
    functions = [
        Function(
            name=f"projects/{project}/locations/{region}/functions/{inbox_of(name)}",
            bundle=bundles[name],
            settings=given[name],
        )
        for name in entries
    ]
    topics = dict.fromkeys(topic for name, entry in entries.items() for topic in _topics(suite, name, entry))
    pushed = {name: entry for name, entry in entries.items() if isinstance(entry, Entry)}
    return (
        *(Topic(name=topic) for topic in topics),
        *functions,
        *(one for name, entry in pushed.items() for one in _subscriptions(suite, name, entry, address_of(name))),
        *(_tick(name, entry, project, region) for name, entry in pushed.items() if entry.tick),
        *(sink for entry in pushed.values() if REPORTS in entry.topics for sink in _sinks(project)),
    )


def settings_of(suite: Suite) -> dict[str, dict[str, object]]:
    """The settings of each function: its own section alone, with the deployment's values."""
    owner: dict[str, object] = msgspec.json.decode(msgspec.json.encode(suite.owner))
    given: dict[str, dict[str, object]] = {}
    for name in suite.automations:
        section = owner[name]
        if name == "cap_spending" and isinstance(section, dict):
            section = {**section, "wake": _wake(suite)}
        given[name] = {"mode": owner.get("mode", "observe"), name: section}
    return given


def _wake(suite: Suite) -> dict[str, list[str]]:
    """For each spending restriction the inboxes of those that obey it."""
    wake: dict[str, list[str]] = {}
    for name, entry in load_functions().items():
        if isinstance(entry, Entry) and name in suite.automations:
            for restriction in entry.obeys:
                wake.setdefault(restriction, []).append(_topic(suite.deployment.project, inbox_of(name)))
    return wake


def _topics(suite: Suite, name: str, entry: Entry | Webhook) -> Iterator[str]:
    """The topics that are made for a function."""
    project = suite.deployment.project
    if isinstance(entry, Webhook):
        yield from (_topic(project, topic) for topic in entry.publishes)
        return
    yield _topic(project, inbox_of(name))
    yield _topic(project, f"{inbox_of(name)}-dead-letters")
    yield from (_topic(project, topic) for topic in entry.topics if topic != IMAGES)
    if suite.deployment.images:
        yield from _image_topics(suite, name, entry).values()


def _image_topics(suite: Suite, name: str, entry: Entry) -> dict[str, str]:
    """Artifact Registry's topics in the projects of the images, by what their subscriptions are named after."""
    if IMAGES not in entry.topics:
        return {}
    own = suite.deployment.project
    projects = sorted({repository.split("/")[1] for repository in suite.scope(name).repositories})
    return {
        IMAGES if project == own else f"{IMAGES}-{project}": f"projects/{project}/topics/{IMAGES}"
        for project in projects
    }


def _subscriptions(suite: Suite, name: str, entry: Entry, address: str) -> Iterator[Subscription]:
    project, inbox = suite.deployment.project, inbox_of(name)
    dead_letters = _topic(project, f"{inbox}-dead-letters")
    yield Subscription(
        name=f"projects/{project}/subscriptions/{inbox}-dead-letters",
        topic=dead_letters,
        ack_deadline_seconds=DEAD_LETTERS_ACK_DEADLINE,
        message_retention_seconds=DEAD_LETTERS_ARE_KEPT_SECONDS,
    )
    own = [inbox, *(topic for topic in entry.topics if topic != IMAGES)]
    for key, topic in ({one: _topic(project, one) for one in own} | _image_topics(suite, name, entry)).items():
        yield Subscription(
            name=f"projects/{project}/subscriptions/{key}-to-{inbox}",
            topic=topic,
            push_endpoint=f"{address}/{topic}",
            filter=entry.filters.get(topic.rpartition("/")[2], ""),
            ack_deadline_seconds=min(LONGEST_ACK_DEADLINE, entry.time_limit_seconds + ACK_MARGIN_SECONDS),
            message_retention_seconds=RETENTION_SECONDS,
            minimum_backoff_seconds=entry.retry.minimum_backoff_seconds,
            maximum_backoff_seconds=entry.retry.maximum_backoff_seconds,
            dead_letter_topic=dead_letters,
            max_delivery_attempts=entry.dead_letter_after,
        )


def _tick(name: str, entry: Entry, project: str, region: str) -> TickJob:
    if entry.tick is None:
        raise ValueError(f"{name} has no tick")
    return TickJob(
        name=f"projects/{project}/locations/{region}/jobs/{inbox_of(name)}-tick",
        schedule=entry.tick.schedule,
        time_zone=entry.tick.time_zone,
        topic=_topic(project, inbox_of(name)),
        every_seconds=entry.tick.every_seconds,
    )


def _sinks(project: str) -> Iterator[Sink]:
    for name, filter_ in SINKS.items():
        yield Sink(name=f"projects/{project}/sinks/{name}", topic=_topic(project, REPORTS), filter=filter_)


def _topic(project: str, topic: str) -> str:
    return f"projects/{project}/topics/{topic}"
