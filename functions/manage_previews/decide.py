"""The decision of `manage_previews`: what to change and why, what to remember, what to report. Pure."""

from collections.abc import Iterator

import msgspec

from functions.manage_previews.changes import (
    CreateDeployment,
    DeletePreview,
    DeployPreview,
    PreviewChange,
    SetDeploymentStatus,
    WriteComment,
)
from functions.manage_previews.comment import checksum_of, comment_of
from functions.manage_previews.messages import About, DeployingService, ExpiresAt, NotInSettings, NotMadeHere, Waits
from functions.manage_previews.names import key_of, parts_of
from functions.manage_previews.needs import see
from functions.manage_previews.observing import observe
from functions.manage_previews.preview_decision import (
    Context,
    PreviewDecision,
    decisions_on,
    reason_without_github,
)
from functions.manage_previews.records import Deployed, DeploymentState, Made, Records, Written
from functions.manage_previews.scope import scope_of
from functions.manage_previews.spec import Spec
from functions.manage_previews.states import State
from functions.manage_previews.world import PreviewService, Seen
from shared.decision import Alert, Decision, Message, Next
from shared.holds import Phase
from shared.world import World


def decide(context: Context, world: World, applied: tuple[PreviewChange, ...]) -> Decision[Records, PreviewChange]:
    """First the services; what is written at GitHub reports what is seen, so that comes after them."""
    del applied  # what was done is seen in the world
    seen = see(context, world)
    observed = observe(context, seen)
    context = msgspec.structs.replace(context, records=observed.records)
    decisions = [one for one in decisions_on(context, seen) if one.key not in seen.blocked]
    return Decision(
        records=observed.records,
        changes=(
            *_deletions_of_orphans(context, seen),
            *_deletions_without_github(context, seen, {one.key for one in decisions}),
            *(change for decision in decisions for change in _changes(decision, seen)),
        ),
        waiting=tuple(About(one.key, text) for one in decisions if (text := _waiting(one))),
        next=tuple(found for one in decisions if (found := _next(one))),
        alerts=(
            *(Alert("name_taken", one.key, str(one.why)) for one in decisions if one.state is State.NAME_TAKEN),
            *(Alert("lost_access", key, why) for key, why in sorted(seen.lost.items())),
            *(Alert("held_without_settings", name, str(NotMadeHere())) for name in seen.strays),
        ),
        notices=observed.notices,
    )


def _deletions_of_orphans(context: Context, seen: Seen) -> Iterator[DeletePreview]:
    """Previews that we made and that no setting asks for any more, whatever GitHub says of their pull requests."""
    for name, preview in sorted(seen.orphans.items()):
        if not preview.in_flight and scope_of(context).is_all:
            made = context.records.previews[name]
            yield _deletion(key_of(made.repository, made.number), preview, NotInSettings())


def _deletions_without_github(context: Context, seen: Seen, decided: set[str]) -> Iterator[DeletePreview]:
    """Previews that are paused or expired, of pull requests that GitHub does not answer for: they cost money."""
    scope = scope_of(context)
    for key, preview in sorted(seen.previews.items()):
        if key in decided or preview.in_flight or not (scope.is_all or key in scope.keys):
            continue
        if reason := reason_without_github(key, context):
            yield _deletion(key, preview, reason)


def _deletion(key: str, preview: PreviewService, reason: Message) -> DeletePreview:
    return DeletePreview(
        target=preview.name,
        field="image",
        before=preview.digest,
        after="",
        reason=reason,
        scope=key,
        etag=preview.etag,
    )


def _changes(decision: PreviewDecision, seen: Seen) -> Iterator[PreviewChange]:
    preview = decision.view.preview
    if decision.deploy:
        yield _deployment(decision, decision.deploy)
    elif decision.remove and preview:
        yield _deletion(decision.key, preview, decision.why)
    elif decision.key not in seen.unresolved:
        yield from _change_of_deployment(decision)
        yield from _change_of_comment(decision)


def _deployment(decision: PreviewDecision, spec: Spec) -> DeployPreview:
    preview = decision.view.preview
    return DeployPreview(
        target=decision.view.service_name,
        field="image",
        before=preview.digest if preview else "",
        after=spec.digest,
        reason=decision.why,
        scope=decision.key,
        spec=spec,
        etag=preview.etag if preview else "",
        made=Made(*parts_of(decision.key), decision.view.context.now),
    )


def _change_of_comment(decision: PreviewDecision) -> Iterator[PreviewChange]:
    known = decision.view.record.comment
    if known is None and not decision.state.is_wanted:
        return
    text = str(comment_of(decision))
    if known is None or known.checksum != checksum_of(text):
        yield WriteComment(
            target=decision.key,
            field="comment",
            before="there" if known else "",
            after=f"{decision.state}, {decision.view.pull.head_sha[:7]}",
            reason=decision.why,
            scope=decision.key,
            access=decision.view.context.settings.github,
            text=text,
            comment_id=known.id if known else 0,
            comment=Written(known.id if known else 0, checksum_of(text), Phase.INTENDED),
        )


def _change_of_deployment(decision: PreviewDecision) -> Iterator[PreviewChange]:
    """A deployment belongs to one commit: when another commit is deployed, it ends and a new one begins."""
    view, known, settings = decision.view, decision.view.record.deployment, decision.view.context.settings
    preview = view.preview if decision.state.is_wanted and settings.deployments else None
    is_done = known is None or known.state is DeploymentState.INACTIVE
    target = f"{decision.key}, deployments"
    if preview and is_done and (known is None or known.sha != preview.sha):
        state = _state_of(preview)
        yield CreateDeployment(
            target=target,
            field="deployment",
            before="",
            after=f"{preview.sha[:7]}, {state}",
            reason=decision.why,
            scope=decision.key,
            access=settings.github,
            sha=preview.sha,
            environment=view.environment,
            state=state,
            url=_url(preview, state),
            deployment=Deployed(0, preview.sha, state, Phase.INTENDED),
        )
    elif known:
        is_shown = preview is not None and preview.sha == known.sha
        state = _state_of(preview) if preview and is_shown else DeploymentState.INACTIVE
        if known.state is not state:
            yield SetDeploymentStatus(
                target=target,
                field=f"status of {known.sha[:7]}",
                before=known.state or "",
                after=state,
                reason=decision.why,
                scope=decision.key,
                access=settings.github,
                deployment_id=known.id,
                sha=known.sha,
                state=state,
                url=_url(preview, state),
                deployment=Deployed(known.id, known.sha, state, Phase.INTENDED),
            )


def _state_of(preview: PreviewService) -> DeploymentState:
    if preview.in_flight:
        return DeploymentState.IN_PROGRESS
    return DeploymentState.FAILURE if preview.problem else DeploymentState.SUCCESS


def _url(preview: PreviewService | None, state: DeploymentState) -> str:
    return preview.uri if preview and state is DeploymentState.SUCCESS else ""


def _waiting(decision: PreviewDecision) -> Message | None:
    """What is in flight, and must end first."""
    preview = decision.view.preview
    return DeployingService(preview.name) if preview and preview.in_flight else None


def _next(decision: PreviewDecision) -> Next | None:
    match decision.state:
        case State.NO_IMAGE | State.NOT_APPROVED | State.NO_ROOM:
            return Next(decision.key, Waits(decision.state, decision.why))
        case State.RUNNING | State.FAILED:
            at = decision.view.expires_at
            return Next(decision.key, ExpiresAt(at), at)
    return None
