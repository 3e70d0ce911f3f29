"""The commands in comments whose webhook was lost: what a sweep finds of them goes into the records. Pure."""

from datetime import timedelta

import msgspec

from functions.manage_previews.preview_decision import Context
from functions.manage_previews.records import fold
from functions.manage_previews.world import CommandsSince, OpenPullRequests
from shared.events import Dated
from shared.world import World

HEARD_AGAIN = timedelta(hours=1)
"""The period of a sweep: the longest time for which GitHub may have been unavailable."""


def lost_commands(context: Context, repository: str) -> CommandsSince:
    """The comments to read from a repository."""
    return CommandsSince(context.settings.github, repository, context.now - HEARD_AGAIN)


def heard(context: Context, world: World) -> Context:
    """The context with the commands that were found in comments on open pull requests."""
    records = context.records
    for repository in context.settings.repositories:
        found = world.get(lost_commands(context, repository))
        listed = world.get(OpenPullRequests(context.settings.github, repository))
        open_ = {pull.number for pull in listed} if isinstance(listed, tuple) else set()
        for command in found if isinstance(found, tuple) else ():
            # GitHub's clock may be ahead of ours: what is from later than now is found by the next sweep.
            if command.number in open_ and command.created_at <= context.now:
                event = Dated(command, str(command.comment_id), command.created_at)
                records = fold(records, event, context.settings)
    return context if records is context.records else msgspec.structs.replace(context, records=records)
