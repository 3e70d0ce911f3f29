"""Law 8, least privilege: the calls made need no permission of IAM or GitHub but what `automations.yaml` grants.

What is granted on projects and on secrets is granted on those alone that the scenario's settings name for it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from google.protobuf.message import Message
from grpc import StatusCode

from infra.suite.automations import Entry, grant_target_of, load_grant_targets
from infra.suite.scope import READING, Scope, scope_of
from localcloud.core.calls import Call
from localcloud.core.server import ApiError
from localcloud.github.access import LEVELS
from tests.laws.case import Case
from tests.laws.harness import Authorize, Stage
from tests.laws.permissions import github_permissions_of, permissions_of

NAME = "least_privilege"
PROJECT = re.compile(r"projects/(?P<project>[a-z][a-z0-9-]+)")
SECRET = re.compile(r"projects/[a-z0-9-]+/secrets/[A-Za-z0-9_-]+")
GRANT_TARGETS = load_grant_targets()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class NotGranted(Exception):
    """A call needs a permission that is not granted."""


def check(case: Case, part: str) -> None:
    """Play the scenario and its undo, with ticks between, and look at every call."""
    del part
    used_permissions(case)


def used_permissions(case: Case) -> set[str]:
    """The permissions that the scenario needs. Raises ``LawBroken`` for one that is not granted."""
    used = set()
    section = case.scenario.settings[case.automation.name]
    scope = scope_of(section, case.entry, case.scenario.project)
    with Stage(case, NAME, is_by_wire=False) as stage:
        for call in (call for delivery in stage.play_to_the_end() for call in delivery.calls):
            try:
                used |= {*_used(call, scope), *_used_of_github(call, case.entry)}
            except KeyError:
                unknown = f"it calls {call.method}: say in tests/laws/permissions.py what that needs"
                raise stage.broken(unknown) from None
            except NotGranted as needed:
                missing = f"it calls {call.method}, which needs {needed}: automations.yaml grants none"
                raise stage.broken(missing) from None
    return used


def granted_permissions(entry: Entry) -> list[str]:
    """All that `automations.yaml` grants, as `used_permissions` names it."""
    return [*entry.permissions, *(_of_github(name, level) for name, level in entry.github_permissions.items())]


def enforcing(entry: Entry, scope: Scope) -> Authorize:
    """The calls that an automation with these grants may make: IAM and GitHub refuse everything else."""

    def authorize(method: str, request: Message) -> None:
        call = Call(method, request, mutating=False, at=NOW, code=StatusCode.OK)
        try:
            for _ in (*_used(call, scope), *_used_of_github(call, entry)):
                pass
        except NotGranted as needed:
            message = f"Permission '{needed}' denied on resource (or it may not exist)."
            raise ApiError(StatusCode.PERMISSION_DENIED, message) from None

    return authorize


def _used(call: Call, scope: Scope) -> Iterator[str]:
    for permission in permissions_of(call.method, call.request):
        if permission not in scope.permissions:
            raise NotGranted(permission)
        if not _is_granted_there(permission, call, scope):
            raise NotGranted(f"{permission} elsewhere than the settings name for it")
        yield permission


def _is_granted_there(permission: str, call: Call, scope: Scope) -> bool:
    """Whether a permission is granted on what a call is about: the first resource that it names."""
    target = grant_target_of(permission, GRANT_TARGETS).granted_on
    if target not in {"projects", "secrets"}:
        return True
    about = f"{call.method} {call.request}"
    if target == "projects":
        found = PROJECT.search(about)
        return found is not None and permission in scope.projects.get(found["project"], ())
    secret = SECRET.search(about)
    secrets = scope.secrets if permission == READING else scope.own_secrets
    return secret is not None and secret[0] in secrets


def _used_of_github(call: Call, entry: Entry) -> Iterator[str]:
    """Of alternatives, the first that is granted."""
    alternatives, level = github_permissions_of(call.method)
    if not alternatives:
        return
    for name in alternatives:
        if LEVELS.index(entry.github_permissions.get(name, "")) >= LEVELS.index(level):
            yield _of_github(name, level)
            return
    raise NotGranted(" or ".join(_of_github(name, level) for name in alternatives))


def _of_github(name: str, level: str) -> str:
    return f"GitHub's {name}: {level}"
