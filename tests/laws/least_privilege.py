"""Law 8, least privilege: the calls made need no permission of IAM or GitHub but what `automations.yaml` grants."""

from collections.abc import Iterator

from infra.automations import Entry
from local.cloud.engine import Call
from local.cloud.github_access import LEVELS
from tests.laws.case import Case
from tests.laws.harness import Stage
from tests.laws.permissions import github_permissions_of, permissions_of

NAME = "least_privilege"


class NotGranted(Exception):
    """A call needs a permission that is not granted."""


def check(case: Case, part: str) -> None:
    """Play the scenario and its undo, with ticks between, and look at every call."""
    del part
    used_permissions(case)


def used_permissions(case: Case) -> set[str]:
    """The permissions that the scenario needs. Raises ``LawBroken`` for one that is not granted."""
    used = set()
    with Stage(case, NAME) as stage:
        for call in (call for delivery in stage.play_to_the_end() for call in delivery.calls):
            try:
                used |= {*_used(call, case.entry), *_used_of_github(call, case.entry)}
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


def _used(call: Call, entry: Entry) -> Iterator[str]:
    for permission in permissions_of(call.method, call.request):
        if permission not in entry.permissions:
            raise NotGranted(permission)
        yield permission


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
