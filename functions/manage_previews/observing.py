"""Updates the records from what was read: whose requests count, the head commit, the state at GitHub. Pure."""

from datetime import timedelta

import msgspec

from functions.manage_previews.comment import checksum_of
from functions.manage_previews.messages import About, RequestIgnored, RequestUnconfirmed
from functions.manage_previews.names import parts_of, service_id
from functions.manage_previews.preview_decision import Context
from functions.manage_previews.records import (
    MOST_IGNORED,
    NOTHING,
    Deployed,
    DeploymentState,
    Made,
    PullRecord,
    Records,
    Written,
    newest,
    with_records,
)
from functions.manage_previews.requests import Request
from functions.manage_previews.scope import is_done
from functions.manage_previews.world import PullRequest, Seen
from shared.decision import Message
from shared.github_events import PullRequestEvent
from shared.holds import Phase

REMEMBERED = timedelta(days=7)
"""For how long a closed pull request is remembered: Pub/Sub delivers nothing that is older."""
ACTIVITY = frozenset(("opened", "reopened", "synchronize", "ready_for_review"))
"""The events that count as a push."""


class Observed(msgspec.Struct, frozen=True):
    """The records after a look, and what a person should know of it."""

    records: Records
    notices: tuple[Message, ...] = ()


def observe(context: Context, seen: Seen) -> Observed:
    """The records after what was seen, and whose requests are ignored."""
    notices: list[Message] = []
    records_of: dict[str, PullRecord] = {}
    for key, pull in seen.pull_requests.items():
        if key in seen.blocked:
            continue
        record = _weighed(context, pull, seen, notices)
        record = _with_head(record, pull, context)
        record = _with_environment(_with_what_stands(record, key, seen), pull, context)
        record = _without_failure(record, pull, seen)
        records_of[key] = (
            msgspec.structs.replace(record, closed_at=None) if pull.is_open else _closed(record, pull, context)
        )
    records = with_records(_with_previews(context.records, seen), records_of)
    records = msgspec.structs.replace(records, quiet_until=seen.quiet_until)
    return Observed(_without_old(records, context), tuple(notices))


def _with_previews(records: Records, seen: Seen) -> Records:
    """The records with the previews that there are, wherever services were listed; one that is gone is forgotten."""
    there = {preview.name: key for key, preview in seen.previews.items()}
    kept = {
        name: made
        for name, made in records.previews.items()
        if name.rpartition("/services/")[0] not in seen.listed or name in there or name in seen.orphans
    }
    found = {
        preview.name: Made(*parts_of(key), preview.since)
        for key, preview in seen.previews.items()
        if preview.name not in kept
    }
    previews = dict(sorted((kept | found).items()))
    return records if previews == records.previews else msgspec.structs.replace(records, previews=previews)


def _weighed(context: Context, pull: PullRequest, seen: Seen, notices: list[Message]) -> PullRecord:
    """The record with those pending requests that count: by people with write access, and confirmed by GitHub."""
    record = context.records.of(pull.key)
    asked = [
        request
        for request in record.pending
        if (pull.repository, request.by) in seen.may_write
        if not request.comment_id or (pull.repository, request.comment_id) in seen.commands
    ]
    if not asked:
        return record
    requests, ignored = dict(record.requests), list(record.ignored)
    for request in asked:
        if not _is_confirmed(request, pull, seen, context):
            notices.append(About(pull.key, RequestUnconfirmed(request.kind, request.by)))
            ignored.append(request)
        elif not seen.may_write[pull.repository, request.by]:
            notices.append(About(pull.key, RequestIgnored(request.kind, request.by)))
            ignored.append(request)
        elif request.is_after(requests.get(request.kind)):
            requests[request.kind] = request
    return msgspec.structs.replace(
        record,
        requests=dict(sorted(requests.items())),
        ignored=newest(request for request in ignored if request.is_after(requests.get(request.kind)))[-MOST_IGNORED:],
        pending=tuple(request for request in record.pending if request not in asked),
    )


def _is_confirmed(request: Request, pull: PullRequest, seen: Seen, context: Context) -> bool:
    """Whether GitHub has what a message said: the comment with this command, or the label that approves."""
    if not request.comment_id:
        return context.settings.repositories[pull.repository].approval_label in pull.labels
    command = seen.commands[pull.repository, request.comment_id]
    is_here = command is not None and command.number == pull.number
    return is_here and command is not None and request.is_said_by(command, context.settings.longest_extension)


def _with_head(record: PullRecord, pull: PullRequest, context: Context) -> PullRecord:
    """The record with the head, and since when it is that: by the event, if it speaks of that commit."""
    event = context.event.event
    about = event if isinstance(event, PullRequestEvent) and event.head_sha == pull.head_sha else None
    said = min(about.updated_at, context.now) if about else context.now
    if record.head_sha != pull.head_sha and (pull.is_open or record != NOTHING):
        return msgspec.structs.replace(record, head_sha=pull.head_sha, head_since=said, active_at=said)
    if about and record.head_since and said < record.head_since:
        record = msgspec.structs.replace(record, head_since=said)
    is_activity = about is not None and about.action in ACTIVITY and record.active_at is not None
    if is_activity and record.active_at and said > record.active_at:
        return msgspec.structs.replace(record, active_at=said)
    return record


def _with_what_stands(record: PullRecord, key: str, seen: Seen) -> PullRecord:
    """The record with the comment and the deployment as they were found, where they were looked up."""
    if key in seen.comments:
        found = seen.comments[key]
        written = Written(found.id, checksum_of(found.text), Phase.CONFIRMED) if found else None
        record = msgspec.structs.replace(record, comment=written)
    if key in seen.deployments:
        reported = seen.deployments[key]
        deployed = Deployed(reported.id, reported.sha, reported.state, Phase.CONFIRMED) if reported else None
        record = msgspec.structs.replace(record, deployment=deployed)
    if not seen.environments.get(key, True):
        record = msgspec.structs.replace(record, environment="")
    return record


def _with_environment(record: PullRecord, pull: PullRequest, context: Context) -> PullRecord:
    """The record with the environment of its deployments, which earlier releases did not record."""
    if record.deployment is None or record.environment:
        return record
    service = context.settings.repositories[pull.repository].service
    return msgspec.structs.replace(record, environment=service_id(service, pull.number))


def _without_failure(record: PullRecord, pull: PullRequest, seen: Seen) -> PullRecord:
    """The record without a failure to deploy that is over: the commit is deployed, or another one is the head."""
    preview, failure = seen.previews.get(pull.key), record.failure
    if failure and (failure.sha != pull.head_sha or (preview and preview.sha == failure.sha)):
        return msgspec.structs.replace(record, failure=None)
    return record


def _closed(record: PullRecord, pull: PullRequest, context: Context) -> PullRecord:
    """The record of a pull request that is closed; nothing, if nothing of it has to be remembered."""
    if record == NOTHING:
        return NOTHING
    known = record.deployment
    is_reported = known is not None and (known.state, known.phase) == (DeploymentState.INACTIVE, Phase.CONFIRMED)
    deployment = None if is_reported else known
    may_delete = context.records.may_delete_environments(pull.repository, context.now)
    return msgspec.structs.replace(
        record,
        closed_at=record.closed_at or context.now,
        deployment=deployment,
        environment=record.environment if may_delete else "",
    )


def _without_old(records: Records, context: Context) -> Records:
    """The records without pull requests that were over long ago, or whose repository is not in the settings."""
    kept = {
        key: record
        for key, record in records.pull_requests.items()
        if parts_of(key)[0] in context.settings.repositories
        if record.closed_at is None or not is_done(record) or context.now - record.closed_at < REMEMBERED
    }
    return records if kept == records.pull_requests else msgspec.structs.replace(records, pull_requests=kept)
