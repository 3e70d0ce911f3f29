"""The desired state of each pull request's preview, and why: a pure decision."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from functions.manage_previews.events import Event, ImagePushed
from functions.manage_previews.messages import (
    CloudRunDeploying,
    CloudRunFailed,
    DeployRefused,
    DraftsExcluded,
    ImageMissing,
    ImageReady,
    LabelMissing,
    NameTaken,
    NoActivity,
    NoRoom,
    NotApproved,
    PreviewsPaused,
    PullRequestClosed,
    Reason,
    SpendingRestricted,
    StopRequested,
    UpToDate,
)
from functions.manage_previews.names import parts_of, service_id
from functions.manage_previews.records import GitHubWrite, PullRecord, Records
from functions.manage_previews.requests import Kind, Request
from functions.manage_previews.settings import PreviewedRepository, Settings
from functions.manage_previews.spec import Spec, spec_of
from functions.manage_previews.states import State
from functions.manage_previews.world import PreviewService, PullRequest, Seen
from shared import automation
from shared.events import RerunRequested
from shared.restrictions import Restriction

Context = automation.RunContext[Settings, Event, Records]


class PreviewDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one pull request, and what to do about its service."""

    view: "PullRequestView"
    state: State
    why: Reason
    deploy: Spec | None = None
    """The desired service, if it can be deployed now."""
    remove: bool = False
    """Whether its service is to go now."""

    @property
    def key(self) -> str:
        """Of the pull request."""
        return self.view.key

    @property
    def changes_service(self) -> bool:
        """Whether its service is to be changed now."""
        return self.deploy is not None or self.remove

    def may_write(self, what: GitHubWrite) -> bool:
        """Whether its state may be reported to GitHub now: a service is changed first, if it has not failed before."""
        view = self.view
        refused = view.record.refused.get(what)
        is_refused = refused is not None and refused.is_in_force(view.pull.head_sha, view.context.now)
        return not is_refused and (not self.changes_service or self.state is State.FAILED)


class PullRequestView(msgspec.Struct, frozen=True):
    """One pull request, and all that is known of it."""

    pull: PullRequest
    repository: PreviewedRepository
    record: PullRecord
    preview: PreviewService | None
    seen: Seen
    context: Context

    @property
    def key(self) -> str:
        """The name of the pull request."""
        return self.pull.key

    @property
    def service_name(self) -> str:
        """The full name of its service, whether there is one or not."""
        return f"{self.context.settings.parent}/services/{service_id(self.repository.service, self.pull.number)}"

    @property
    def environment(self) -> str:
        """The GitHub environment of its deployments: one for each pull request."""
        return service_id(self.repository.service, self.pull.number)

    @property
    def image_tag(self) -> str:
        """The image of its head, by tag."""
        return f"{self.repository.image}:{self.repository.tag_of(self.pull.number, self.pull.head_sha)}"

    @property
    def expires_at(self) -> datetime:
        """The time at which its preview expires unless someone pushes or comments."""
        return expiry_of(self.record, self.context)

    @property
    def approval(self) -> Request | None:
        """The approval of exactly the commit that is the head now: by a comment, or by a label."""
        comment, label = self.record.request(Kind.APPROVE), self._label
        if comment and comment.sha == self.pull.head_sha:
            return comment
        return None if label is None or self._is_near_push(label) else label

    @property
    def _label(self) -> Request | None:
        label = self.record.request(Kind.LABEL)
        return label if label and label.sha == self.pull.head_sha else None

    def _is_near_push(self, label: Request) -> bool:
        return label.is_near(self.record.head_since or self.record.active_at)

    @property
    def needs_approval(self) -> bool:
        """Whether someone with write access must approve its commit before it is deployed."""
        return self.pull.is_fork and not self._is_current

    @property
    def needs_image(self) -> bool:
        """Whether it is to be known what image its head has."""
        return not self._is_current or isinstance(self.context.event.event, ImagePushed | RerunRequested)

    def unwanted(self) -> tuple[State, Reason] | None:
        """Why there is to be no preview at all; None if there is to be one."""
        return next(self._reasons_against(), None)

    def decision(self, *, has_room: bool) -> PreviewDecision:
        """The change to make; ``has_room`` says whether one more preview may be made."""
        if no := self.unwanted():
            return self._decision(*no, remove=self.preview is not None and not self.preview.in_flight)
        if obstacle := next(self._obstacles(has_room=has_room), None):
            return self._decision(*obstacle)
        spec = self._spec(self._digest())
        if self._is(spec):
            return self._as_it_stands()
        is_free = self.preview is None or not self.preview.in_flight
        deploy = spec if is_free else None
        failure = self.record.failure
        if failure and failure.sha == spec.sha:
            return self._decision(State.FAILED, DeployRefused(failure.problem), deploy=deploy)
        return self._decision(State.DEPLOYING, ImageReady(self.pull.head_sha), deploy=deploy)

    def _reasons_against(self) -> Iterator[tuple[State, Reason]]:
        if not self.pull.is_open:
            yield State.CLOSED, PullRequestClosed()
        yield from pauses(self.context)
        if self.pull.is_draft and not self.repository.drafts:
            yield State.DRAFT, DraftsExcluded()
        if self.repository.label and self.repository.label not in self.pull.labels:
            yield State.NO_LABEL, LabelMissing()
        stop, start = self.record.request(Kind.STOP), self.record.request(Kind.START)
        if stop and stop.is_after(start):
            yield State.STOPPED, StopRequested()
        yield from expiries(self.record, self.context)

    def _obstacles(self, *, has_room: bool) -> Iterator[tuple[State, Reason]]:
        """The reason that blocks a wanted preview. An existing one stays as it is meanwhile."""
        if self.preview is None and self.service_name in self.seen.foreign:
            yield State.NAME_TAKEN, NameTaken(self.service_name)
        if self.needs_approval and not self._is_approved():
            yield (
                State.NOT_APPROVED,
                NotApproved(
                    self.pull.head_sha,
                    label_approves=self.repository.approval_label is not None,
                    was_labeled=self._label is not None and self._is_near_push(self._label),
                    shows_earlier=self.preview is not None,
                ),
            )
        if not self._digest():
            yield State.NO_IMAGE, ImageMissing(self.image_tag, shows_earlier=self.preview is not None)
        if self.preview is None and not has_room:
            yield State.NO_ROOM, NoRoom(self.context.settings.maximum)

    def _decision(
        self, state: State, why: Reason, *, deploy: Spec | None = None, remove: bool = False
    ) -> PreviewDecision:
        return PreviewDecision(view=self, state=state, why=why, deploy=deploy, remove=remove)

    def _as_it_stands(self) -> PreviewDecision:
        if self.preview and self.preview.in_flight:
            return self._decision(State.DEPLOYING, CloudRunDeploying())
        if self.preview and self.preview.problem:
            return self._decision(State.FAILED, CloudRunFailed(self.preview.problem))
        return self._decision(State.RUNNING, UpToDate())

    @property
    def _is_current(self) -> bool:
        """Whether its service shows its head, and is made as the settings say."""
        return self.preview is not None and self._is(self._spec(self.preview.digest))

    def _is(self, spec: Spec) -> bool:
        preview = self.preview
        return preview is not None and (preview.sha, preview.digest, preview.template) == (
            spec.sha,
            spec.digest,
            spec.template,
        )

    def _spec(self, digest: str) -> Spec:
        return spec_of(self.pull, digest, self.repository, self.context.settings)

    def _digest(self) -> str:
        """Of the image that is to be shown; empty if there is none."""
        if self.needs_image or self.preview is None:
            return self.seen.digests.get(self.image_tag, "")
        return self.preview.digest

    def _is_approved(self) -> bool:
        """Whether the approver of the head has write access to the repository now."""
        approval = self.approval
        return approval is not None and self.seen.may_write.get((self.pull.repository, approval.by), False)


def expiry_of(record: PullRecord, context: Context) -> datetime:
    """The time at which a preview expires unless someone pushes or comments."""
    spoken = [request.at for request in record.requests.values() if request.kind is not Kind.STOP]
    active = max([record.active_at or context.now, *spoken])
    extended = record.request(Kind.EXTEND)
    lives_until = active + context.settings.time_to_live
    return max(lives_until, extended.until) if extended and extended.until else lives_until


def pauses(context: Context) -> Iterator[tuple[State, Reason]]:
    """Why no pull request may have a preview now."""
    if context.records.is_paused:
        yield State.PAUSED, PreviewsPaused()
    if restriction := context.restrictions.in_force.get(Restriction.PREVIEWS_OFF):
        yield State.PAUSED, SpendingRestricted(restriction.because)


def expiries(record: PullRecord, context: Context) -> Iterator[tuple[State, Reason]]:
    """Why the preview of one pull request has expired."""
    expires_at = expiry_of(record, context)
    if context.now >= expires_at:
        yield State.EXPIRED, NoActivity(expires_at)


def reason_without_github(key: str, context: Context) -> Reason | None:
    """Why a preview must be deleted without asking GitHub about its pull request; None if there is no such reason."""
    reasons = (*pauses(context), *expiries(context.records.of(key), context))
    return reasons[0][1] if reasons else None


def views_of(context: Context, seen: Seen) -> list[PullRequestView]:
    """Every pull request of this run of which something is known, those that have waited longest first."""
    found = [
        PullRequestView(
            pull,
            context.settings.repositories[pull.repository],
            context.records.of(key),
            seen.previews.get(key),
            seen,
            context,
        )
        for key, pull in seen.pull_requests.items()
    ]
    return sorted(found, key=lambda one: (one.record.active_at or context.now, parts_of(one.key)))


def decisions_on(context: Context, seen: Seen) -> list[PreviewDecision]:
    """The decision on each pull request. Free places go to those that have waited longest; none is taken away."""
    room = context.settings.maximum - len(seen.previews)
    judged: list[PreviewDecision] = []
    for view in views_of(context, seen):
        decision = view.decision(has_room=room > 0)
        if decision.deploy and view.preview is None:
            room -= 1
        judged.append(decision)
    return judged
