"""Guards on deleting a preview. Pure."""

from collections.abc import Iterable

from functions.manage_previews.changes import DeletePreview, PreviewChange
from functions.manage_previews.hearing import heard
from functions.manage_previews.messages import UnknownIfOpen
from functions.manage_previews.needs import see
from functions.manage_previews.preview_decision import Context, reason_without_github
from shared.decision import Refusal
from shared.world import World

CERTAIN_END = DeletePreview.guard


def certain_end(context: Context, world: World, changes: tuple[PreviewChange, ...]) -> Iterable[Refusal]:
    """A preview is deleted only if GitHub has answered for its pull request, or it is paused, expired or an orphan."""
    context = heard(context, world)
    seen = see(context, world)
    known = seen.pull_requests
    for change in changes:
        if not isinstance(change, DeletePreview) or change.scope in known or change.target in seen.orphans:
            continue
        if not reason_without_github(change.scope, context):
            yield Refusal(change.scope, CERTAIN_END, str(UnknownIfOpen()))
