"""The edge to the world: looks at as much of it as the plan needs, step by step, and makes one change."""

import msgspec

from functions.manage_previews import pull_requests, services
from functions.manage_previews.changes import (
    CreateDeployment,
    DeletePreview,
    DeployPreview,
    PreviewChange,
    SetDeploymentStatus,
)
from functions.manage_previews.images import digests_of
from functions.manage_previews.names import parts_of
from functions.manage_previews.plan import (
    approvers_of,
    comments_to_look_up,
    deployments_to_look_up,
    speakers_of,
    tags_of,
)
from functions.manage_previews.scope import Scope, owing, scope_of
from functions.manage_previews.settling import settle
from functions.manage_previews.verdicts import Occasion
from functions.manage_previews.world import PullRequest, World
from shared.clients import Clients
from shared.github import GitHub


def read(occasion: Occasion, clients: Clients) -> World:
    """As much of the world as the decision needs. Raises what a call raises: a failed read is never "closed"."""
    scope = scope_of(occasion)
    if scope.is_empty:
        return World()
    github = GitHub(occasion.settings.github, clients)
    found = services.services(occasion.settings, clients)
    world = World(previews=found.previews, strangers=found.strangers, strays=found.strays)
    world = _with_pull_requests(world, scope, occasion, github, clients)
    world = _with_permissions(world, speakers_of(occasion, world), github, clients)
    settled = msgspec.structs.replace(occasion, records=settle(occasion, world, ()).records)
    world = _with_permissions(world, approvers_of(settled, world), github, clients)
    world = msgspec.structs.replace(world, digests=digests_of(tags_of(settled, world), clients))
    return _with_what_stands(world, settled, github, clients)


def apply(change: PreviewChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, or ``StillBusy``, and never repeats it."""
    if isinstance(change, DeployPreview):
        services.deploy(change, clients)
    elif isinstance(change, DeletePreview):
        services.delete(change, clients)
    elif isinstance(change, CreateDeployment):
        pull_requests.create_deployment(change, clients)
    elif isinstance(change, SetDeploymentStatus):
        pull_requests.set_deployment_status(change, clients)
    else:
        pull_requests.write_comment(change, clients)


def _with_pull_requests(world: World, scope: Scope, occasion: Occasion, github: GitHub, clients: Clients) -> World:
    """The pull requests of the event; of all, one list for each repository, and one get for each that may be over."""
    from google.api_core.exceptions import NotFound

    lost: dict[str, str] = {}
    found: dict[str, PullRequest] = {}

    def listed(repository: str) -> list[PullRequest] | None:
        try:
            return pull_requests.open_pull_requests(repository, github)
        except NotFound as error:
            lost[repository] = error.message
            return None

    def one(key: str) -> PullRequest | None:
        try:
            return pull_requests.pull_request(key, github)
        except NotFound as error:
            lost[key] = error.message
            return None

    keys = set(scope.keys)
    if scope.is_all:
        for answers in clients.in_parallel(listed, occasion.settings.repositories):
            found |= {pull.key: pull for pull in answers or ()}
        # What cannot be listed is not over.
        keys = {key for key in owing(occasion) | set(world.previews) if parts_of(key)[0] not in lost} - set(found)
    found |= {pull.key: pull for pull in clients.in_parallel(one, sorted(keys)) if pull}
    return msgspec.structs.replace(world, pull_requests=found, lost=lost)


def _with_permissions(world: World, asked: set[tuple[str, str]], github: GitHub, clients: Clients) -> World:
    fresh = sorted(asked - set(world.may_write))
    answers = clients.in_parallel(lambda who: pull_requests.may_write(*who, github), fresh)
    return msgspec.structs.replace(world, may_write={**world.may_write, **dict(zip(fresh, answers, strict=True))})


def _with_what_stands(world: World, occasion: Occasion, github: GitHub, clients: Clients) -> World:
    """What was written at GitHub, where that is not known for sure."""
    comments = comments_to_look_up(occasion, world)
    deployments = deployments_to_look_up(occasion, world)
    found_comments = clients.in_parallel(
        lambda key: pull_requests.find_comment(key, comments[key], github), sorted(comments)
    )
    found_deployments = clients.in_parallel(
        lambda key: pull_requests.find_deployment(key, *deployments[key], github), sorted(deployments)
    )
    return msgspec.structs.replace(
        world,
        comments=dict(zip(sorted(comments), found_comments, strict=True)),
        deployments=dict(zip(sorted(deployments), found_deployments, strict=True)),
    )
