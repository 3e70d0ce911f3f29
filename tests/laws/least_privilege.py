"""Law 8, least privilege: the calls made need no permission but those that `automations.yaml` grants."""

from tests.laws.case import Case
from tests.laws.harness import Stage
from tests.laws.permissions import is_known, permissions_of

NAME = "least_privilege"


def check(case: Case, part: str) -> None:
    """Play the scenario and its undo, with ticks between, and look at every call."""
    del part
    used_permissions(case)


def used_permissions(case: Case) -> set[str]:
    """The permissions that the scenario needs. Raises ``LawBroken`` for one that is not granted."""
    used = set()
    with Stage(case, NAME) as stage:
        for call in (call for delivery in stage.play_to_the_end() for call in delivery.calls):
            if not is_known(call.method):
                raise stage.broken(f"it calls {call.method}: say in tests/laws/permissions.py what that needs")
            for permission in permissions_of(call.method, call.request):
                if permission not in case.entry.permissions:
                    raise stage.broken(
                        f"it calls {call.method}, which needs {permission}: automations.yaml grants none"
                    )
                used.add(permission)
    return used
