"""Guards on the changes of `rotate_secrets` that cannot simply be undone. Pure."""

from collections.abc import Iterable

from functions.rotate_secrets.changes import Retire, RotationChange
from functions.rotate_secrets.dependents import still_using
from functions.rotate_secrets.messages import CURRENT_WOULD_END, MayBeUsedBy, StillUsedBy, UsersUnknown
from functions.rotate_secrets.questions import NotAsked, NotReadable
from functions.rotate_secrets.records import Context
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.views import views
from shared.decision import Message, Refusal
from shared.world import World

STILL_IN_USE = Retire.guard


def still_in_use(context: Context, world: World, changes: tuple[RotationChange, ...]) -> Iterable[Refusal]:
    """A revoked value cannot be restored: nothing may refer to it or run with it, in any location."""
    by_name = {view.name: view for view in views(context, world)}
    for change in changes:
        if isinstance(change, Retire) and (why := _reason(change, by_name[change.target])):
            yield Refusal(change.scope, STILL_IN_USE, str(why))


def _reason(change: Retire, view: SecretView) -> Message | None:
    if any(change.current.get(name) in numbers for name, numbers in change.versions.items()):
        return CURRENT_WOULD_END
    try:
        if view.unreadable:
            return MayBeUsedBy("what would be disabled", view.unreadable[0])
        users = still_using(change.versions, (*view.dependents, *view.executions), view)
    except (NotAsked, NotReadable) as unknown:
        return UsersUnknown(str(unknown))
    return StillUsedBy(tuple(users)) if users else None
