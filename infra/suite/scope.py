"""The resources that a section of the owner's settings names, on which its automation is granted permissions."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from infra.suite.automations import Function, grant_target_of, load_grant_targets

FULL_NAME = re.compile(r"^projects/(?P<project>[a-z][a-z0-9:.-]+)/(?P<collection>[A-Za-z]+)/")
IMAGE = re.compile(r"^(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/")
REPOSITORY = r"^projects/[a-z][a-z0-9:.-]+/locations/[a-z0-9-]+/repositories/[a-z][a-z0-9-]*$"
ACCOUNT = r"^[a-z0-9-]+@[a-z0-9-]+\.iam\.gserviceaccount\.com$"
READING = "secretmanager.versions.access"

Pairs = list[tuple[str, str]]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The resources that one section names, and which permissions it asks for."""

    permissions: tuple[str, ...] = ()
    """All that it asks for, of those of the map."""
    projects: dict[str, tuple[str, ...]] = {}
    """By project, the permissions that are granted on the whole of it."""
    secrets: tuple[str, ...] = ()
    """Full names. What they hold may be read."""
    own_secrets: tuple[str, ...] = ()
    """The secrets that the automation may change: all permissions for secrets are granted on them."""
    buckets: dict[str, str] = {}
    """With the project of each: the one beside it, or else the suite's."""
    repositories: tuple[str, ...] = ()
    """Of images, by full names."""
    accounts: tuple[str, ...] = ()
    """Addresses of service accounts."""
    billing_accounts: tuple[str, ...] = ()

    def permissions_by_project(self) -> dict[str, set[str]]:
        """By project, what is granted on anything there: on itself, or on a secret, bucket, repository or account."""
        targets = load_grant_targets()
        by_target: dict[str, set[str]] = {}
        for permission in self.permissions:
            by_target.setdefault(grant_target_of(permission, targets).granted_on, set()).add(permission)
        found = {project: set(permissions) for project, permissions in self.projects.items()}
        elsewhere: tuple[tuple[Iterable[str], set[str]], ...] = (
            (map(_second, self.own_secrets), by_target.get("secrets", set())),
            (map(_second, self.secrets), by_target.get("secrets", set()) & {READING}),
            (self.buckets.values(), by_target.get("buckets", set())),
            (map(_second, self.repositories), by_target.get("repositories", set())),
            (map(_of_account, self.accounts), by_target.get("accounts", set())),
        )
        for projects, permissions in elsewhere:
            for project in projects:
                found.setdefault(project, set()).update(permissions)
        return found


def union_of(scopes: Sequence[Scope], function: Function) -> Scope:
    """The union of what several sections name."""
    permissions = {permission for scope in scopes for permission in scope.permissions}
    projects = {project for scope in scopes for project in scope.projects}
    return Scope(
        permissions=tuple(permission for permission in function.permissions if permission in permissions),
        projects={
            project: _sorted(one for scope in scopes for one in scope.projects.get(project, ()))
            for project in sorted(projects)
        },
        secrets=_sorted(one for scope in scopes for one in scope.secrets),
        own_secrets=_sorted(one for scope in scopes for one in scope.own_secrets),
        buckets={bucket: project for scope in reversed(scopes) for bucket, project in scope.buckets.items()},
        repositories=_sorted(one for scope in scopes for one in scope.repositories),
        accounts=_sorted(one for scope in scopes for one in scope.accounts),
        billing_accounts=_sorted(one for scope in scopes for one in scope.billing_accounts),
    )


def scope_of(section: object, function: Function, project: str) -> Scope:
    """The scope of a section of `caretaker.yaml`, of a suite that runs in ``project``."""
    asked_for = _asked_for(section, function)
    pairs = list(_pairs(section))
    texts = [value for _, value in pairs]
    images = [found for text in texts if (found := IMAGE.match(text))]
    targets = load_grant_targets()
    projects: dict[str, set[str]] = {}
    changed: set[str] = set()
    for permission, where in asked_for.items():
        target = grant_target_of(permission, targets).granted_on
        for one in _projects(where) if target == "projects" else ():
            projects.setdefault(one, set()).add(permission)
        if target == "secrets" and permission != READING:
            changed.update(_secrets(where))
    return Scope(
        permissions=tuple(permission for permission in function.permissions if permission in asked_for),
        projects={one: _sorted(permissions) for one, permissions in sorted(projects.items())},
        secrets=_sorted(changed | set(_secrets(asked_for.get(READING, [])))),
        own_secrets=_sorted(changed),
        buckets=dict(sorted(_buckets(section, project))),
        repositories=_sorted(
            f"projects/{found['project']}/locations/{found['location']}/repositories/{found['repository']}"
            for found in images
        ),
        accounts=_sorted(text for text in texts if re.match(ACCOUNT, text)),
        billing_accounts=_sorted(value for key, value in pairs if key == "billing_account"),
    )


def _asked_for(section: object, function: Function) -> dict[str, Pairs]:
    """The permissions that a section asks for, each with the values that ask for it: all, if unconditional."""
    everything = list(_pairs(section))
    conditional = {permission for permissions in function.granted_when.values() for permission in permissions}
    found: dict[str, Pairs] = {one: everything for one in function.permissions if one not in conditional}
    for path, permissions in function.granted_when.items():
        steps = path.split(".")
        for value, beside in _at(section, steps, {}):
            if value:
                named = list(_pairs(value, steps[-1]))
                if not isinstance(value, Mapping) and not any(_projects(named)):
                    # A `true`, or the name of a resource, names no project: it refers to those beside it.
                    named += _pairs({key: beside.get(key) for key in ("project", "projects")})
                for permission in permissions:
                    found.setdefault(permission, []).extend(named)
    return found


def _at(value: object, steps: list[str], beside: Mapping[str, object]) -> Iterator[tuple[object, Mapping[str, object]]]:
    """The value at a path, with the mapping that contains it; `*` is any key of a mapping, or any item of a list."""
    if not steps:
        yield value, beside
    elif isinstance(value, Mapping):
        for key in value if steps[0] == "*" else {steps[0]} & value.keys():
            yield from _at(value[key], steps[1:], value)
    elif isinstance(value, list | tuple) and steps[0] == "*":
        for inner in value:
            yield from _at(inner, steps[1:], beside)


def _pairs(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string with its key; the strings of a list with the key of the list."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _pairs(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pairs(inner, key)
    elif isinstance(value, str):
        yield key, value


def _projects(pairs: Pairs) -> Iterator[str]:
    for key, value in pairs:
        if key in {"project", "projects"}:
            yield value
        elif found := FULL_NAME.match(value):
            yield found["project"]


def _secrets(pairs: Pairs) -> Iterator[str]:
    for _, value in pairs:
        if (found := FULL_NAME.match(value)) and found["collection"] == "secrets":
            yield "/".join(value.split("/")[:4])


def _buckets(value: object, project: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        beside = value.get("project")
        here = beside if isinstance(beside, str) else project
        bucket = value.get("bucket")
        if isinstance(bucket, str):
            yield bucket.removeprefix("gs://").partition("/")[0], here
        for inner in value.values():
            yield from _buckets(inner, here)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _buckets(inner, project)


def _second(full_name: str) -> str:
    """The project of a resource."""
    return full_name.split("/")[1]


def _of_account(address: str) -> str:
    """The project of a service account."""
    return address.partition("@")[2].partition(".")[0]


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))
