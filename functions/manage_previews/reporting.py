"""The writes at GitHub for each pull request: its one comment, and its deployment. Pure."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from functions.manage_previews.changes import (
    CreateDeployment,
    DeleteEnvironment,
    PreviewChange,
    SetDeploymentStatus,
    WriteComment,
)
from functions.manage_previews.comment import checksum_of, comment_of
from functions.manage_previews.pacing import room
from functions.manage_previews.preview_decision import Context, PreviewDecision, PullRequestView
from functions.manage_previews.records import Deployed, DeploymentState, GitHubWrite, Written
from functions.manage_previews.scope import scope_of
from functions.manage_previews.world import PreviewService, Seen
from shared.holds import Phase


def reports_of(
    decisions: Iterable[PreviewDecision], context: Context, seen: Seen
) -> tuple[tuple[PreviewChange, ...], int]:
    """The writes to make now, as many as GitHub accepts at a time, and the number left for later."""
    if seen.quiet_until:
        return (), 0
    looked_at = [decision for decision in decisions if decision.key not in seen.unresolved]
    reports = [
        change
        for decision in looked_at
        for change in (
            *_change_of_deployment(decision),
            *_change_of_comment(decision, seen),
            *_change_of_environment(decision, seen),
        )
        if decision.may_write(change.writes)
    ]
    most = room(context.records.writes, context.now, is_sweep=scope_of(context).is_all)
    totals = accumulate(change.requests for change in reports)
    now = tuple(change for change, total in zip(reports, totals, strict=True) if total <= most)
    unasked = [one for one in looked_at if is_first_comment(one) and one.key not in seen.comments]
    return now, len(reports) - len(now) + len(unasked)


def is_first_comment(decision: PreviewDecision) -> bool:
    """Whether its comment is to be written for the first time, as far as is known."""
    return decision.view.record.comment is None and decision.state.is_wanted and decision.may_write(GitHubWrite.COMMENT)


def has_environment_left(view: PullRequestView) -> bool:
    """Whether the environment of a closed pull request is to be deleted: it has no preview, and that is reported."""
    is_reported = view.record.deployment is None
    return bool(view.record.environment) and not view.pull.is_open and view.preview is None and is_reported


def _change_of_environment(decision: PreviewDecision, seen: Seen) -> Iterator[DeleteEnvironment]:
    view = decision.view
    if has_environment_left(view) and seen.environments.get(decision.key):
        yield DeleteEnvironment(
            target=f"{decision.key}, environment",
            field="environment",
            before=view.record.environment,
            after="",
            reason=decision.why,
            scope=decision.key,
            access=view.context.settings.github,
            environment=view.record.environment,
        )


def _change_of_comment(decision: PreviewDecision, seen: Seen) -> Iterator[WriteComment]:
    known = decision.view.record.comment
    if known is None and (not decision.state.is_wanted or decision.key not in seen.comments):
        return
    text = str(comment_of(decision))
    if known is None or known.checksum != checksum_of(text):
        yield WriteComment(
            target=decision.key,
            field="comment",
            before="earlier text" if known else "",
            after=f"{decision.state}, {decision.view.pull.head_sha[:7]}",
            reason=decision.why,
            scope=decision.key,
            access=decision.view.context.settings.github,
            text=text,
            comment_id=known.id if known else 0,
            comment=Written(known.id if known else 0, checksum_of(text), Phase.INTENDED),
        )


def _change_of_deployment(decision: PreviewDecision) -> Iterator[CreateDeployment | SetDeploymentStatus]:
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
