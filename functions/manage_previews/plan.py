"""The decision of `manage_previews`, pure: what to look at, what to change and why, what to remember."""

from collections.abc import Iterable, Iterator

import msgspec

from functions.manage_previews.changes import (
    CreateDeployment,
    DeletePreview,
    DeployPreview,
    PreviewChange,
    SetDeploymentStatus,
    WriteComment,
)
from functions.manage_previews.comment import checksum_of, text_of
from functions.manage_previews.names import service_id
from functions.manage_previews.records import Deployed, DeploymentState, PullRecord, Records, Written, with_records
from functions.manage_previews.verdicts import Occasion, State, Subject, Verdict, subjects, verdicts
from functions.manage_previews.world import PreviewService, World
from shared.clock import format_time
from shared.holds import Phase
from shared.plan import Alert, Guard, Plan, Refusal

# What to look at


def speakers_of(occasion: Occasion, world: World) -> set[tuple[str, str]]:
    """By repository and login, who has said something of which is not known yet whether it counts."""
    return {
        (subject.pull.repository, word.by) for subject in subjects(occasion, world) for word in subject.record.pending
    }


def approvers_of(occasion: Occasion, world: World) -> set[tuple[str, str]]:
    """By repository and login, whose approval is to be checked again, as what they approved may be deployed now."""
    return {
        (subject.pull.repository, subject.approval.by)
        for subject in subjects(occasion, world)
        if subject.approval and subject.needs_approval and not subject.unwanted()
    }


def tags_of(occasion: Occasion, world: World) -> set[str]:
    """The images, by tag, of which it matters now whether they are there."""
    return {
        subject.image_tag for subject in subjects(occasion, world) if subject.needs_image and not subject.unwanted()
    }


def comments_to_look_up(occasion: Occasion, world: World) -> dict[str, int]:
    """By key, the ids (0 if not known) of comments that were perhaps written, or are to be written first."""
    return {
        verdict.key: known.id if known else 0
        for verdict in verdicts(occasion, world)
        for known in [verdict.subject.record.comment]
        if (known.phase is Phase.INTENDED if known else verdict.state.is_wanted and not verdict.changes_service)
    }


def deployments_to_look_up(occasion: Occasion, world: World) -> dict[str, tuple[str, Deployed]]:
    """By key, the environment and deployment of which is not known whether GitHub was told."""
    return {
        subject.key: (_environment(subject), known)
        for subject in subjects(occasion, world)
        for known in [subject.record.deployment]
        if known and known.phase is Phase.INTENDED
    }


# What to do


def plan(occasion: Occasion, world: World) -> Plan[PreviewChange]:
    """First the services; what is written at GitHub tells of what is seen, so that comes after them."""
    judged = verdicts(occasion, world)
    return Plan(
        changes=tuple(change for verdict in judged for change in _changes(verdict)),
        waiting=tuple(f"{verdict.key}: {words}" for verdict in judged if (words := _waiting(verdict))),
        next=tuple(f"{verdict.key}: {words}" for verdict in judged if (words := _next(verdict))),
        alerts=(
            *(Alert("name_taken", one.key, one.why) for one in judged if one.state is State.NAME_TAKEN),
            *(Alert("lost_access", key, why) for key, why in sorted(world.lost.items())),
        ),
    )


def intend(occasion: Occasion, changes: tuple[PreviewChange, ...]) -> Records:
    """The records with all that is about to be written at GitHub: should an answer be lost, it is looked up."""
    intended: dict[str, PullRecord] = {}
    for change in changes:
        record = intended.get(change.scope, occasion.records.of(change.scope))
        if isinstance(change, WriteComment):
            written = Written(change.comment_id, checksum_of(change.text), Phase.INTENDED)
            record = msgspec.structs.replace(record, comment=written)
        elif isinstance(change, CreateDeployment):
            record = msgspec.structs.replace(record, deployment=Deployed(0, change.sha, change.state, Phase.INTENDED))
        elif isinstance(change, SetDeploymentStatus):
            deployed = Deployed(change.deployment_id, change.sha, change.state, Phase.INTENDED)
            record = msgspec.structs.replace(record, deployment=deployed)
        intended[change.scope] = record
    return with_records(occasion.records, intended)


def guards(occasion: Occasion, world: World) -> tuple[Guard[PreviewChange], ...]:
    """What stands before a preview is taken away."""
    del occasion

    def certain_end(planned: Plan[PreviewChange]) -> Iterable[Refusal]:
        """Nothing goes unless GitHub has told, in this run, how its pull request stands."""
        for change in planned.changes:
            if isinstance(change, DeletePreview) and change.scope not in world.pull_requests:
                yield Refusal(change.scope, "certain_end", "it is not known how the pull request stands")

    return (certain_end,)


def _changes(verdict: Verdict) -> Iterator[PreviewChange]:
    if verdict.changes_service:
        yield _change_of_service(verdict)
    else:
        yield from _change_of_deployment(verdict)
        yield from _change_of_comment(verdict)


def _change_of_service(verdict: Verdict) -> PreviewChange:
    preview = verdict.subject.preview
    before, etag = (preview.digest, preview.etag) if preview else ("", "")
    common = {
        "target": verdict.subject.service_name,
        "field": "image",
        "before": before,
        "reason": verdict.why,
        "scope": verdict.key,
    }
    if verdict.deploy is None:
        return DeletePreview(**common, after="", etag=etag)
    return DeployPreview(**common, after=verdict.deploy.digest, spec=verdict.deploy, etag=etag)


def _change_of_comment(verdict: Verdict) -> Iterator[PreviewChange]:
    known = verdict.subject.record.comment
    if known is None and not verdict.state.is_wanted:
        return
    text = text_of(verdict)
    if known is None or known.checksum != checksum_of(text):
        yield WriteComment(
            target=verdict.key,
            field="comment",
            before="there" if known else "",
            after=f"{verdict.state}, {verdict.subject.pull.head_sha[:7]}",
            reason=verdict.why,
            scope=verdict.key,
            access=verdict.subject.occasion.settings.github,
            text=text,
            comment_id=known.id if known else 0,
        )


def _change_of_deployment(verdict: Verdict) -> Iterator[PreviewChange]:
    """A deployment tells of one commit: when another one is shown, it ends, and a new one begins."""
    subject, known, settings = verdict.subject, verdict.subject.record.deployment, verdict.subject.occasion.settings
    preview = subject.preview if verdict.state.is_wanted and settings.deployments else None
    is_over = known is None or known.state is DeploymentState.INACTIVE
    common = {"target": f"{verdict.key}, deployments", "reason": verdict.why, "scope": verdict.key}
    if preview and is_over and (known is None or known.sha != preview.sha):
        state = _state_of(preview)
        yield CreateDeployment(
            **common,
            access=settings.github,
            field="deployment",
            before="",
            after=f"{preview.sha[:7]}, {state}",
            sha=preview.sha,
            environment=_environment(subject),
            state=state,
            url=_url(preview, state),
        )
    elif known:
        is_shown = preview is not None and preview.sha == known.sha
        state = _state_of(preview) if preview and is_shown else DeploymentState.INACTIVE
        if known.state is not state:
            yield SetDeploymentStatus(
                **common,
                access=settings.github,
                field=f"status of {known.sha[:7]}",
                before=known.state or "",
                after=state,
                deployment_id=known.id,
                sha=known.sha,
                state=state,
                url=_url(preview, state),
            )


def _state_of(preview: PreviewService) -> DeploymentState:
    if preview.in_flight:
        return DeploymentState.IN_PROGRESS
    return DeploymentState.FAILURE if preview.problem else DeploymentState.SUCCESS


def _url(preview: PreviewService | None, state: DeploymentState) -> str:
    return preview.uri if preview and state is DeploymentState.SUCCESS else ""


def _environment(subject: Subject) -> str:
    """What GitHub calls the place of a deployment: one for each pull request."""
    return service_id(subject.repository.service, subject.pull.number)


def _waiting(verdict: Verdict) -> str:
    """What is in flight, and must end first."""
    preview = verdict.subject.preview
    return f"Cloud Run is bringing up {preview.name}" if preview and preview.in_flight else ""


def _next(verdict: Verdict) -> str:
    match verdict.state:
        case State.NO_IMAGE | State.NOT_APPROVED | State.NO_ROOM:
            return f"{verdict.state}: {verdict.why}"
        case State.RUNNING | State.FAILED:
            return f"goes at {format_time(verdict.subject.expires_at)}, unless somebody pushes or comments"
    return ""
