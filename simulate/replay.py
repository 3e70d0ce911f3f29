"""Plays days again through the whole run on the local cloud: engine, Firestore, GKE, Monitoring by Google's clients.

If the two timelines differ in a minute or a word, the simulation cannot be trusted.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cloudevents.http import CloudEvent

from functions.scale_gpu_pools.automation import AUTOMATION
from functions.scale_gpu_pools.settings import Pool, Settings
from localcloud import LocalCloud
from localcloud.monitoring.filter import parse_filter
from localcloud.world import seed, world_from
from shared.automation import AnyAutomation
from shared.direct_clients import DirectClients
from shared.events import Tick, inbox_of
from shared.report import Report
from shared.restrictions import DOCUMENT as RESTRICTIONS
from shared.restrictions import SpendingRestrictions
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import State
from shared.watching import NoWatcher
from simulate.exports import Query
from simulate.playing import Assumptions, Played, Start, Step, tick_minutes
from simulate.recording import MINUTE, Period

PROJECT = "caretaker-simulation"
DAY = 24 * 60
MARGIN = 60
"""A signal may be asked for over a day, in whole buckets."""


class Unplayable(Exception):
    """A pool or signal that the local cloud cannot have."""


def differences(played: Played, period: Period, assumptions: Assumptions, days: Sequence[datetime]) -> list[str]:
    """Differences between the local cloud's timeline and the simulation's on these days: none if they are equal."""
    found = []
    for day in days:
        end = min(day + timedelta(days=1), period.end)
        here = {step.at: step for step in played.steps if day <= step.at < end}
        there = {step.at: step for step in replay(played, period, assumptions, day)}
        for at in sorted(here.keys() | there.keys()):
            ours, theirs = here.get(at, Step(at)), there.get(at, Step(at))
            if ours != theirs:
                found.append(f"{played.key}: simulated {ours}, on the local cloud {theirs}")
    return found


def replay(played: Played, period: Period, assumptions: Assumptions, day: datetime) -> list[Step]:
    """The steps of a day on the local cloud. Raises ``Unplayable``."""
    (pool,) = played.settings.pools.values()
    start = played.days[day]
    cloud = LocalCloud(now=day)
    clients = DirectClients(PROJECT, cloud, watcher=NoWatcher())
    try:
        seed(cloud, world_from(_world(pool, start)))
        cloud.monitoring.visibility_delay = timedelta(minutes=assumptions.seen_after)
        for query, shown in played.model.shown.items():
            _record(cloud, query, shown, period, day)
        (known,) = State(clients).read(f"records/{AUTOMATION.name}")
        State(clients).write(known, start.records)
        every = tick_minutes()
        left = min(DAY, (period.end - day) // MINUTE)
        steps = []
        for at in range(0, left, every):
            now = day + at * MINUTE
            _restrict(clients, played, now)
            steps.append(_tick(cloud, clients, played.settings, now))
        return [step for step in steps if step.is_worth_a_line]
    finally:
        clients.close()
        cloud.stop()


def _restrict(clients: DirectClients, played: Played, now: datetime) -> None:
    """Put the spending restrictions in force that were in force then."""
    wanted = [restrictions for since, restrictions in played.restricted if since <= now][-1:]
    (known,) = State(clients).read(RESTRICTIONS)
    if wanted and known.as_type(SpendingRestrictions) != wanted[0]:
        State(clients).write(known, wanted[0])


def _tick(cloud: LocalCloud, clients: DirectClients, settings: Settings, now: datetime) -> Step:
    cloud.clock.advance_to(now)
    runtime = Runtime(clients, clock=cloud.clock.now, report=lambda _: None)
    report = run_tick(AUTOMATION, Configuration(Mode.ACT, settings), now, tick_minutes() * 60, runtime)
    return Step(
        now,
        tuple(f"{one.kind} {one.field} {one.before} -> {one.after}: {one.reason}" for one in report.changes),
        tuple(f"{alert.kind}: {alert.reason}" for alert in report.alerts),
        report.notices,
    )


def run_tick(
    automation: AnyAutomation, configuration: Configuration[Any], now: datetime, every_seconds: int, runtime: Runtime
) -> Report:
    """One run of an automation by a tick, as Pub/Sub pushes it."""
    data = msgspec.json.encode(Tick(every_seconds=every_seconds))
    return run(automation, configuration, pushed(inbox_of(automation.name), f"{now:%H%M}", now, data), runtime)


def pushed(topic: str, message_id: str, now: datetime, data: bytes, attributes: Mapping[str, str] = {}) -> CloudEvent:
    """A message as Pub/Sub pushes it."""
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": dict(attributes),
        "messageId": message_id,
        "publishTime": now.isoformat(),
    }
    source = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/{topic}"
    return CloudEvent({"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": source}, {"message": message})


def _record(cloud: LocalCloud, query: Query, shown: Sequence[float | None], period: Period, day: datetime) -> None:
    """Let Monitoring have what the simulated pool showed, from a day before on."""
    metric, resource, labels, metric_labels = series_of(query)
    before: float | None = None
    first = max(0, (day - period.start) // MINUTE - DAY - MARGIN)
    for at in range(first, min(len(shown), (day - period.start) // MINUTE + DAY)):
        if shown[at] != before:
            cloud.monitoring.set_value(
                query.project,
                metric,
                shown[at],
                resource_type=resource,
                resource_labels=labels,
                metric_labels=metric_labels,
                since=period.start + at * MINUTE,
            )
            before = shown[at]


def series_of(query: Query) -> tuple[str, str, dict[str, str], dict[str, str]]:
    """A series that the query's filter matches: metric, resource, and their labels. Raises ``Unplayable``."""
    fields: dict[str, str] = {"resource.type": "global"}
    for one in parse_filter(query.filter):
        if one.is_negated:
            continue
        if one.function not in ("", "starts_with", "ends_with", "has_substring", "one_of"):
            raise Unplayable(f"{query.filter}: {one.function} is not simulated")
        fields[one.selector] = one.given[0]

    def labels(prefix: str) -> dict[str, str]:
        return {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}

    return fields["metric.type"], fields["resource.type"], labels("resource.labels."), labels("metric.labels.")


def _world(pool: Pool, start: Start) -> Mapping[str, object]:
    if place := pool.node_pool:
        pools = {place.name: {"node_count": start.size}}
        return {"projects": {place.project: {"clusters": {f"{place.location}/{place.cluster}": {"node_pools": pools}}}}}
    if run_pool := pool.worker_pool:
        made: dict[str, object] = {"worker_pools": {run_pool.name: {"manual_instance_count": start.size}}}
        return {"projects": {run_pool.project: {"location": run_pool.region, **made}}}
    if service := pool.service:
        made = {"services": {service.name: {"scaling": {"min_instance_count": start.size}}}}
        return {"projects": {service.project: {"location": service.region, **made}}}
    raise Unplayable("a pool that is nowhere")
