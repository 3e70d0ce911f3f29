"""The reads that `manage_previews` needs, in rounds: each asks only what matters after the one before it. Pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from functions.manage_previews.hearing import heard, lost_commands
from functions.manage_previews.names import key_of, parts_of, service_id
from functions.manage_previews.observing import observe
from functions.manage_previews.orphans import is_orphan, places_of_orphans
from functions.manage_previews.pacing import room
from functions.manage_previews.preview_decision import Context, PullRequestView, decisions_on, views_of
from functions.manage_previews.records import Deployed
from functions.manage_previews.reporting import has_environment_left, is_first_comment
from functions.manage_previews.scope import scope_of, unfinished
from functions.manage_previews.settings import Settings
from functions.manage_previews.world import (
    CommandIn,
    CommandsSince,
    CommentOf,
    DeploymentOf,
    DigestsOf,
    FoundComment,
    FoundDeployment,
    GitHubNeed,
    IsOurs,
    ListedService,
    Lost,
    MayWrite,
    OpenPullRequests,
    PreviewNeed,
    PreviewService,
    PullRequest,
    PullRequestOf,
    Seen,
    ServicesIn,
)
from shared.github_events import CommentCommand
from shared.holds import Phase
from shared.world import Need, Unreadable, World


def needs(context: Context, world: World) -> Iterator[PreviewNeed]:
    """Services and pull requests, who may write, images, and what was written at GitHub, one after another."""
    context = heard(context, world)
    seen = see(context, world)
    for step in (_pull_requests, _pull_requests_that_may_be_done, _speakers, _approvers_and_images, _written):
        asked = [need for need in step(context, world, seen) if not (seen.quiet_until and isinstance(need, GitHubNeed))]
        yield from asked
        if world.missing(asked):
            return


def see(context: Context, world: World) -> Seen:
    """The answers, by pull request. What could not be read blocks its pull request, and no other."""
    services = {
        need.parent: answer
        for need, answer in world.answers.items()
        if isinstance(need, ServicesIn) and isinstance(answer, tuple)
    }
    previews: dict[str, PreviewService] = {}
    foreign: set[str] = set()
    orphans: dict[str, PreviewService] = {}
    strays: list[str] = []
    for service in (one for listed in services.values() for one in listed):
        made = context.records.previews.get(service.name)
        owner = owner_of(service, context.settings)
        if made and service.is_ours and is_orphan(service.name, made, context.settings):
            orphans[service.name] = service.preview
        elif owner is None or service.number is None or not service.name.startswith(f"{context.settings.parent}/"):
            foreign.add(service.name)
        elif owner not in context.settings.repositories:
            strays.append(service.name)
        else:
            previews[key_of(owner, service.number)] = service.preview
    found, lost = _found(world)
    found = _known_to_be_closed(context, world) | found
    seen = Seen(
        pull_requests=found,
        lost=lost,
        previews=previews,
        foreign=frozenset(foreign),
        orphans=orphans,
        strays=tuple(strays),
        listed=frozenset(services),
        may_write={
            (need.repository, need.login): answer
            for need, answer in world.answers.items()
            if isinstance(need, MayWrite) and isinstance(answer, bool)
        },
        commands=_commands(world),
        digests={
            tag: digest
            for need, answer in world.answers.items()
            if isinstance(need, DigestsOf) and isinstance(answer, dict)
            for tag, digest in answer.items()
        },
        comments={
            need.key: answer
            for need, answer in world.answers.items()
            if isinstance(need, CommentOf) and (answer is None or isinstance(answer, FoundComment))
        },
        deployments={
            need.key: answer
            for need, answer in world.answers.items()
            if isinstance(need, DeploymentOf) and (answer is None or isinstance(answer, FoundDeployment))
        },
        environments={
            need.key: answer
            for need, answer in world.answers.items()
            if isinstance(need, IsOurs) and isinstance(answer, bool)
        },
        quiet_until=_quiet_until(context, world),
        unresolved=frozenset(
            need.key
            for need, answer in world.answers.items()
            if isinstance(need, CommentOf | DeploymentOf) and isinstance(answer, Unreadable)
        ),
    )
    return msgspec.structs.replace(seen, blocked=frozenset(_blocked(context, world, seen)))


def _commands(world: World) -> dict[tuple[str, int], CommentCommand | None]:
    """The comments on GitHub, by repository and id."""
    found: dict[tuple[str, int], CommentCommand | None] = {}
    for need, answer in world.answers.items():
        if isinstance(need, CommandIn) and (answer is None or isinstance(answer, CommentCommand)):
            found[need.repository, need.comment_id] = answer
        elif isinstance(need, CommandsSince) and isinstance(answer, tuple):
            found |= {(need.repository, command.comment_id): command for command in answer}
    return found


def _quiet_until(context: Context, world: World) -> datetime | None:
    """The end of GitHub's pause, as it answered an earlier run or this one."""
    retries = [context.records.quiet_until, *(answer.retry_at for answer in world.unreadable)]
    return max((moment for moment in retries if moment and moment > context.now), default=None)


def owner_of(service: ListedService, settings: Settings) -> str | None:
    """The repository of a preview of ours, by labels and the name that goes with them; None if the service is none."""
    if service.number is None:
        return None
    repository = settings.spelling_of(service.repository) or service.repository
    known = settings.repositories.get(repository)
    name = service.name.rpartition("/")[2]
    is_named_so = known is None or name == service_id(known.service, service.number)
    return repository if repository and is_named_so else None


def _pull_requests(context: Context, world: World, seen: Seen) -> Iterator[PreviewNeed]:
    """The pull requests of the event; for all of them, one list for each repository."""
    del world, seen
    scope, access = scope_of(context), context.settings.github
    if scope.is_empty:
        return
    yield ServicesIn(context.settings.parent)
    if scope.is_all:
        yield from places_of_orphans(context.records, context.settings)
        yield from (OpenPullRequests(access, repository) for repository in context.settings.repositories)
    else:
        yield from (PullRequestOf(access, key) for key in sorted(scope.keys))


def _pull_requests_that_may_be_done(context: Context, world: World, seen: Seen) -> Iterator[PreviewNeed]:
    """One get for each that is not open any more. What cannot be listed is not done."""
    if not scope_of(context).is_all:
        return
    access = context.settings.github
    listed = {
        repository
        for repository in context.settings.repositories
        if isinstance(world.get(OpenPullRequests(access, repository)), tuple)
    }
    open_ = {pull.key for one in listed for pull in _list(context, world, one)}
    keys = {key for key in unfinished(context) | set(seen.previews) if parts_of(key)[0] in listed} - open_
    keys -= {key for key in _known_to_be_closed(context, world) if key not in seen.previews}
    yield from (PullRequestOf(access, key) for key in sorted(keys))
    yield from (lost_commands(context, repository) for repository in sorted(listed))


def _known_to_be_closed(context: Context, world: World) -> dict[str, PullRequest]:
    """Pull requests that were seen to be closed, and are not in the list of those that are open: not asked again."""
    closed: dict[str, PullRequest] = {}
    for repository in context.settings.repositories if scope_of(context).is_all else ():
        listed = world.get(OpenPullRequests(context.settings.github, repository))
        if not isinstance(listed, tuple):
            continue
        open_ = {pull.key for pull in listed}
        for key in unfinished(context):
            name, number = parts_of(key)
            record = context.records.of(key)
            if name == repository and key not in open_ and record.closed_at is not None:
                closed[key] = PullRequest(
                    repository=name, number=number, is_open=False, head_sha=record.head_sha, labels=()
                )
    return closed


def _list(context: Context, world: World, repository: str) -> tuple[PullRequest, ...]:
    answer = world.get(OpenPullRequests(context.settings.github, repository))
    return answer if isinstance(answer, tuple) else ()


def _speakers(context: Context, world: World, seen: Seen) -> Iterator[PreviewNeed]:
    """The authors of requests whose write access is not known yet."""
    del world
    for view in views_of(context, seen):
        for request in view.record.pending:
            yield MayWrite(context.settings.github, view.pull.repository, request.by)
            is_heard = (view.pull.repository, request.comment_id) in view.seen.commands
            if request.comment_id and not is_heard:
                yield CommandIn(context.settings.github, view.pull.repository, request.comment_id)


def _approvers_and_images(context: Context, world: World, seen: Seen) -> Iterator[PreviewNeed]:
    """The approvals to check again, and the images whose existence matters now."""
    del world
    context = msgspec.structs.replace(context, records=observe(context, seen).records)
    views = [view for view in views_of(context, seen) if not view.unwanted()]
    for view in views:
        if view.approval and view.needs_approval:
            yield MayWrite(context.settings.github, view.pull.repository, view.approval.by)
    wanted: dict[str, set[str]] = {}
    for view in views:
        if view.needs_image:
            place, _, tag = view.image_tag.rpartition(":")
            wanted.setdefault(place, set()).add(tag)
    yield from (DigestsOf(place, tuple(sorted(tags))) for place, tags in sorted(wanted.items()))


def _written(context: Context, world: World, seen: Seen) -> Iterator[PreviewNeed]:
    """Comments and deployments that were perhaps written, and comments that are to be written first."""
    del world
    context = msgspec.structs.replace(context, records=observe(context, seen).records)
    access = context.settings.github
    first_writes = room(context.records.writes, context.now, is_sweep=scope_of(context).is_all)
    for decision in sorted(decisions_on(context, seen), key=lambda one: one.key):
        known = decision.view.record.comment
        if known and known.phase is Phase.INTENDED:
            yield CommentOf(access, decision.key, known.id)
        elif first_writes and is_first_comment(decision):
            first_writes -= 1
            yield CommentOf(access, decision.key, 0)
    for view in sorted(views_of(context, seen), key=lambda one: one.key):
        deployed: Deployed | None = view.record.deployment
        if deployed and deployed.phase is Phase.INTENDED:
            yield DeploymentOf(access, view.key, view.environment, deployed)
        elif first_writes and has_environment_left(view):
            first_writes -= 1
            yield IsOurs(access, view.key, view.record.environment)


def _found(world: World) -> tuple[dict[str, PullRequest], dict[str, str]]:
    """The pull requests by key, and why nothing is known of a repository or one of them."""
    found: dict[str, PullRequest] = {}
    lost: dict[str, str] = {}
    for need, answer in world.answers.items():
        if isinstance(need, OpenPullRequests) and isinstance(answer, tuple):
            found |= {pull.key: pull for pull in answer}
        elif isinstance(need, PullRequestOf) and isinstance(answer, PullRequest):
            found[answer.key] = answer
        elif isinstance(need, OpenPullRequests | PullRequestOf) and isinstance(answer, Lost):
            lost[need.repository if isinstance(need, OpenPullRequests) else need.key] = answer.why
    return found, lost


def _blocked(context: Context, world: World, seen: Seen) -> Iterator[str]:
    """Pull requests of which something could not be read. Without the services, that is all of them."""
    if isinstance(world.get(ServicesIn(context.settings.parent)), Unreadable):
        yield from seen.pull_requests
    failed = [need for need, answer in world.answers.items() if isinstance(answer, Unreadable)]
    for view in views_of(context, seen):
        if any(_concerns(need, view) for need in failed):
            yield view.key


def _concerns(need: Need[object], view: PullRequestView) -> bool:
    """Whether the decision on a pull request rests on the answer to a need."""
    match need:
        case MayWrite(repository=repository, login=login):
            by = {request.by for request in (*view.record.pending, *view.record.requests.values())}
            return repository == view.pull.repository and login in by
        case CommandIn(repository=repository, comment_id=comment_id):
            asked = {request.comment_id for request in view.record.pending}
            return repository == view.pull.repository and comment_id in asked
        case DigestsOf(place=place, tags=tags):
            return view.image_tag in {f"{place}:{tag}" for tag in tags}
    return False
