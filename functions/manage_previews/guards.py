"""What stands before a preview is taken away. Pure."""

from collections.abc import Iterable

from functions.manage_previews.changes import DeletePreview, PreviewChange
from functions.manage_previews.needs import see
from functions.manage_previews.preview_decision import Context
from shared.decision import Refusal
from shared.world import World

CERTAIN_END = DeletePreview.guard


def certain_end(context: Context, world: World, changes: tuple[PreviewChange, ...]) -> Iterable[Refusal]:
    """Nothing goes unless GitHub has answered, in this run, how its pull request is."""
    known = see(context, world).pull_requests
    for change in changes:
        if isinstance(change, DeletePreview) and change.scope not in known:
            yield Refusal(change.scope, CERTAIN_END, "it is not known whether the pull request is open")
