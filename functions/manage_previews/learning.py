"""Add the outcome of a change to the records: GitHub's answers, refusals and deferrals, and failures. Pure."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from functions.manage_previews.changes import (
    CommentWritten,
    DeleteEnvironment,
    DeletePreview,
    DeploymentReported,
    DeployPreview,
    EnvironmentDeleted,
    Gone,
    PreviewChange,
    WriteComment,
)
from functions.manage_previews.comment import checksum_of
from functions.manage_previews.names import parts_of
from functions.manage_previews.pacing import counted
from functions.manage_previews.records import (
    Deployed,
    DeployFailure,
    GitHubChange,
    PullRecord,
    Records,
    RefusedWrite,
    Written,
    with_records,
)
from functions.manage_previews.world import CommentOf, DeploymentOf, IsOurs, ServicesIn
from shared.automation import Answered
from shared.errors import Deferred, Refused, in_words
from shared.holds import Phase
from shared.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence


def learn(records: Records, change: PreviewChange, answer: Answered | Exception, now: datetime) -> Records:
    """The records with the outcome of one change."""
    record = records.of(change.scope)
    if isinstance(answer, Deferred):
        records = msgspec.structs.replace(records, quiet_until=answer.until(now))
    if isinstance(change, GitHubChange):
        records = msgspec.structs.replace(records, writes=counted(records.writes, change.requests, now))
        if isinstance(change, DeleteEnvironment) and isinstance(answer, Refused):
            stay = {**records.environments_stay, parts_of(change.scope)[0]: now}
            records = msgspec.structs.replace(records, environments_stay=stay)
        return with_records(records, {change.scope: _with_answer(record, change, answer, now)})
    if isinstance(change, DeployPreview) and isinstance(answer, Exception):
        failure = DeployFailure(change.spec.sha, in_words(answer))
        return with_records(records, {change.scope: msgspec.structs.replace(record, failure=failure)})
    return records


def still_holds(world: World, applied: "Sequence[PreviewChange]") -> World:
    """Nothing after a deployment: its pull request may have closed meanwhile. A deletion changes services alone.

    Writes at GitHub change neither pull requests nor services; what was found of earlier writes may be stale.
    """
    if not all(isinstance(change, GitHubChange | DeletePreview) for change in applied):
        return World()
    stale: tuple[type, ...] = (CommentOf, DeploymentOf, IsOurs)
    if any(isinstance(change, DeletePreview) for change in applied):
        stale = (*stale, ServicesIn)
    kept = {need: answer for need, answer in world.answers.items() if not isinstance(need, stale)}
    return World(kept)


def _with_answer(record: PullRecord, change: GitHubChange, answer: Answered | Exception, now: datetime) -> PullRecord:
    match answer:
        case CommentWritten(id=id_, text=text):
            return msgspec.structs.replace(record, comment=Written(id_, checksum_of(text), Phase.CONFIRMED))
        case DeploymentReported(id=id_, sha=sha, state=state):
            return msgspec.structs.replace(record, deployment=Deployed(id_, sha, state, Phase.CONFIRMED))
        case EnvironmentDeleted():
            return msgspec.structs.replace(record, environment="")
        case Gone():
            return msgspec.structs.replace(record, deployment=None)
        case Refused():
            return _with_refusal(record, change, str(answer), now)
    return record


def _with_refusal(record: PullRecord, change: GitHubChange, why: str, now: datetime) -> PullRecord:
    """Nothing was written: what was there before is still so, as far as is known."""
    if isinstance(change, DeleteEnvironment):
        return msgspec.structs.replace(record, environment="")
    kind = change.writes
    refused = {**record.refused, kind: RefusedWrite(record.head_sha, why, now)}
    if isinstance(change, WriteComment):
        comment = Written(change.comment_id, "", Phase.CONFIRMED) if change.comment_id else None
        return msgspec.structs.replace(record, refused=refused, comment=comment)
    return msgspec.structs.replace(record, refused=refused, deployment=None)
