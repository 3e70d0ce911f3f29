"""The triggers of `manage_previews`, besides ticks: pull requests, comments, pushed images, restrictions, commands."""

from typing import Literal

import msgspec

from shared.events import Command, RestrictionsChanged, Tick
from shared.github_events import CommentCommand, PullRequestEvent


class ImagePushed(msgspec.Struct, frozen=True):
    """Artifact Registry says that an image came or went: https://cloud.google.com/artifact-registry/docs/configure-notifications."""

    action: Literal["INSERT", "DELETE"]
    digest: str = ""
    """In full, with the image's place; empty if only a tag went."""
    tag: str = ""
    """In full; empty if the image came without one."""

    @property
    def image(self) -> str:
        """The image's place, without tag or digest."""
        place, _, _ = self.digest.partition("@") if self.digest else self.tag.rpartition(":")
        return place


class Pause(Command, frozen=True, tag="pause"):
    """Delete all previews, and create none until ``resume``."""


class Resume(Command, frozen=True, tag="resume"):
    """Create previews again."""


class Status(Command, frozen=True, tag="status"):
    """Show the state of each pull request's preview."""


Event = Tick | RestrictionsChanged | Command | PullRequestEvent | CommentCommand | ImagePushed
