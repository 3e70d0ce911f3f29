"""What a look at the world tells the records: whose word counts, what is the head, what stands at GitHub. Pure."""

from datetime import timedelta

import msgspec

from functions.manage_previews.changes import PreviewChange
from functions.manage_previews.comment import checksum_of
from functions.manage_previews.names import parts_of
from functions.manage_previews.records import (
    MOST_HEARD,
    NOTHING,
    Deployed,
    DeploymentState,
    PullRecord,
    Records,
    Written,
    newest,
    with_records,
)
from functions.manage_previews.scope import is_over
from functions.manage_previews.verdicts import Occasion
from functions.manage_previews.world import PullRequest, World
from shared.github_events import PullRequestEvent
from shared.holds import Phase
from shared.legacy import Settled

REMEMBERED = timedelta(days=7)
"""For how long a closed pull request is remembered: Pub/Sub delivers nothing that is older."""
ACTIVITY = frozenset(("opened", "reopened", "synchronize", "ready_for_review"))
"""What counts as a push."""


def settle(occasion: Occasion, world: World, applied: tuple[PreviewChange, ...]) -> Settled[Records]:
    """The records after what was seen, and who was not listened to."""
    del applied  # what was done is seen in the world
    notices: list[str] = []
    seen: dict[str, PullRecord] = {}
    for key, pull in world.pull_requests.items():
        record = _weighed(occasion.records.of(key), pull, world, notices)
        record = _with_head(record, pull, occasion)
        record = _with_what_stands(record, key, world)
        seen[key] = msgspec.structs.replace(record, closed_at=None) if pull.is_open else _closed(record, occasion)
    records = with_records(occasion.records, seen)
    notices += [f"{name} is a preview of a repository that is no longer in the settings" for name in world.strays]
    return Settled(_without_old(records, occasion), tuple(notices))


def _weighed(record: PullRecord, pull: PullRequest, world: World, notices: list[str]) -> PullRecord:
    """The record with those pending words that count; who may not write is not listened to."""
    asked = [word for word in record.pending if (pull.repository, word.by) in world.may_write]
    if not asked:
        return record
    words, heard = dict(record.words), list(record.heard)
    for word in asked:
        if not world.may_write[pull.repository, word.by]:
            notices.append(f"{pull.key}: {word.kind} is not listened to: who said so may not write to the repository")
            heard.append(word)
        elif word.is_after(words.get(word.kind)):
            words[word.kind] = word
    return msgspec.structs.replace(
        record,
        words=dict(sorted(words.items())),
        heard=newest(word for word in heard if word.is_after(words.get(word.kind)))[-MOST_HEARD:],
        pending=tuple(word for word in record.pending if word not in asked),
    )


def _with_head(record: PullRecord, pull: PullRequest, occasion: Occasion) -> PullRecord:
    """The record with the head, and since when it is that: by the event, if it speaks of that commit."""
    event = occasion.event.event
    about = event if isinstance(event, PullRequestEvent) and event.head_sha == pull.head_sha else None
    said = min(about.updated_at, occasion.now) if about else occasion.now
    if record.head_sha != pull.head_sha and (pull.is_open or record != NOTHING):
        return msgspec.structs.replace(record, head_sha=pull.head_sha, active_at=said)
    is_activity = about is not None and about.action in ACTIVITY and record.active_at is not None
    if is_activity and record.active_at and said > record.active_at:
        return msgspec.structs.replace(record, active_at=said)
    return record


def _with_what_stands(record: PullRecord, key: str, world: World) -> PullRecord:
    """The record with the comment and the deployment as they were found, where they were looked up."""
    if key in world.comments:
        found = world.comments[key]
        written = Written(found.id, checksum_of(found.text), Phase.CONFIRMED) if found else None
        record = msgspec.structs.replace(record, comment=written)
    if key in world.deployments:
        told = world.deployments[key]
        deployed = Deployed(told.id, told.sha, told.state, Phase.CONFIRMED) if told else None
        record = msgspec.structs.replace(record, deployment=deployed)
    return record


def _closed(record: PullRecord, occasion: Occasion) -> PullRecord:
    """The record of a pull request that is closed; nothing, if nothing of it has to be remembered."""
    if record == NOTHING:
        return NOTHING
    known = record.deployment
    is_told = known is not None and (known.state, known.phase) == (DeploymentState.INACTIVE, Phase.CONFIRMED)
    deployment = None if is_told else known
    return msgspec.structs.replace(record, closed_at=record.closed_at or occasion.now, deployment=deployment)


def _without_old(records: Records, occasion: Occasion) -> Records:
    """The records without pull requests that were over long ago, or whose repository is not in the settings."""
    kept = {
        key: record
        for key, record in records.pull_requests.items()
        if parts_of(key)[0] in occasion.settings.repositories
        if record.closed_at is None or not is_over(record) or occasion.now - record.closed_at < REMEMBERED
    }
    return records if kept == records.pull_requests else msgspec.structs.replace(records, pull_requests=kept)
