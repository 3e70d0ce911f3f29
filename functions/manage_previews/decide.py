"""The decision of `manage_previews`: what to change and why, what to remember, what to report. Pure."""

from collections.abc import Iterator

import msgspec

from functions.manage_previews.changes import (
    DeletePreview,
    DeployPreview,
    PreviewChange,
)
from functions.manage_previews.hearing import heard
from functions.manage_previews.messages import (
    About,
    DeployingService,
    ExpiresAt,
    GitHubQuiet,
    NotInSettings,
    NotMadeHere,
    ReportedLater,
    RepositoryRenamed,
    Waits,
)
from functions.manage_previews.names import key_of, parts_of
from functions.manage_previews.needs import see
from functions.manage_previews.observing import observe
from functions.manage_previews.preview_decision import (
    Context,
    PreviewDecision,
    decisions_on,
    reason_without_github,
)
from functions.manage_previews.records import Made, Records
from functions.manage_previews.reporting import reports_of
from functions.manage_previews.scope import scope_of
from functions.manage_previews.spec import Spec
from functions.manage_previews.states import State
from functions.manage_previews.world import PreviewService, Seen
from shared.decision import Alert, Decision, Message, Next
from shared.paused_cloud_run import waiting_for_cloud_run
from shared.world import World


def decide(context: Context, world: World, applied: tuple[PreviewChange, ...]) -> Decision[Records, PreviewChange]:
    """First the services; what is written at GitHub reports what is seen, so that comes after them."""
    del applied  # what was done is seen in the world
    context = heard(context, world)
    seen = see(context, world)
    observed = observe(context, seen)
    context = msgspec.structs.replace(context, records=observed.records)
    decisions = [one for one in decisions_on(context, seen) if one.key not in seen.blocked]
    reports, later = reports_of(decisions, context, seen)
    of_services = (
        *_deletions_of_orphans(context, seen),
        *_deletions_without_github(context, seen, {one.key for one in decisions}),
        *(change for decision in decisions for change in _changes_of_service(decision)),
    )
    paused = waiting_for_cloud_run(of_services, context.restrictions)
    return Decision(
        records=observed.records,
        changes=(
            *(change for change in of_services if change.target not in paused),
            *reports,
        ),
        waiting=(*(About(one.key, text) for one in decisions if (text := _waiting(one))), *paused.values()),
        next=(
            *(found for one in decisions if (found := _next(one))),
            *((Next("", GitHubQuiet(seen.quiet_until), seen.quiet_until),) if seen.quiet_until else ()),
            *((Next("", ReportedLater(later)),) if later else ()),
        ),
        alerts=(
            *(Alert("name_taken", one.key, str(one.why)) for one in decisions if one.state is State.NAME_TAKEN),
            *_renamed(seen),
            *(Alert("lost_access", key, why) for key, why in sorted(seen.lost.items())),
            *(Alert("held_without_settings", name, str(NotMadeHere())) for name in seen.strays),
        ),
        notices=observed.notices,
    )


def _renamed(seen: Seen) -> Iterator[Alert]:
    """Repositories that have another name at GitHub than in the settings: their webhooks are not recognized."""
    names = {pull.repository: pull.full_name for pull in seen.pull_requests.values() if pull.full_name}
    for repository, name in sorted(names.items()):
        if name.lower() != repository.lower():
            yield Alert("repository_renamed", repository, str(RepositoryRenamed(repository, name)))


def _deletions_of_orphans(context: Context, seen: Seen) -> Iterator[DeletePreview]:
    """Our previews that no setting asks for any more, in every state of their pull requests."""
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


def _changes_of_service(decision: PreviewDecision) -> Iterator[PreviewChange]:
    preview = decision.view.preview
    if decision.deploy:
        yield _deployment(decision, decision.deploy)
    elif decision.remove and preview:
        yield _deletion(decision.key, preview, decision.why)


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


def _waiting(decision: PreviewDecision) -> Message | None:
    """The operations in flight, which must end first."""
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
