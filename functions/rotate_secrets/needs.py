"""The reads that `rotate_secrets` needs: first the secrets, then what the decision on each of them lacks. Pure."""

from collections.abc import Iterable

from functions.rotate_secrets.commands import Status
from functions.rotate_secrets.decide_secret import decide_secret
from functions.rotate_secrets.parse import VersionAdded
from functions.rotate_secrets.questions import RotationNeed, VersionsOf
from functions.rotate_secrets.records import Context
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.views import views
from shared.events import RerunRequested
from shared.world import World


def needs(context: Context, world: World) -> Iterable[RotationNeed]:
    """With nothing due, one list of secrets for each project."""
    seen = views(context, world)
    listed = {need for view in seen for need in view.lists}
    if world.missing(listed):
        return tuple(sorted(listed, key=str))
    found = [need for view in seen for need in (*_reported(view), *decide_secret(view).needs)]
    return tuple(dict.fromkeys(found))


def _reported(view: SecretView) -> Iterable[RotationNeed]:
    """Needs for reports and records, regardless of what is due."""
    event = view.context.event.event
    if isinstance(event, Status | RerunRequested) or view.lacks_terms:
        yield from view.locations
    is_added = isinstance(event, VersionAdded) and any(one.numbered_name == event.secret for one in view.found)
    if is_added or isinstance(event, Status):
        yield from (VersionsOf(one.name) for one in view.found)
