"""The pull requests that an event is about: one, none, or all. Pure."""

from collections.abc import Iterable

import msgspec

from functions.manage_previews.comment import CLOSED_CHECKSUM
from functions.manage_previews.events import ImagePushed
from functions.manage_previews.names import key_of, parts_of
from functions.manage_previews.preview_decision import Context
from functions.manage_previews.records import PullRecord
from shared.github_events import CommentCommand, PullRequestEvent
from shared.holds import Phase


class Scope(msgspec.Struct, frozen=True):
    """The pull requests that a run looks at, by key; all that there are, if so said."""

    keys: frozenset[str] = frozenset()
    is_all: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.keys and not self.is_all


ALL = Scope(is_all=True)
LABELING = frozenset(("labeled", "unlabeled"))


def scope_of(context: Context) -> Scope:
    """The scope of a run. A tick, a command, a change of restrictions and a requested rerun are about all."""
    match context.event.event:
        case PullRequestEvent() as event if _is_another_label(event, context):
            return Scope()
        case PullRequestEvent() | CommentCommand() as event:
            return Scope(frozenset({key_of(event.repository, event.number)}))
        case ImagePushed() as pushed:
            return _scope_of_image(pushed, context)
    return ALL


def _is_another_label(event: PullRequestEvent, context: Context) -> bool:
    """Whether it is about a label that the settings do not name: no preview depends on it."""
    repository = context.settings.repositories[event.repository]
    return event.action in LABELING and event.label not in (repository.label, repository.approval_label)


def unfinished(context: Context) -> set[str]:
    """The pull requests that are not known to be over, by key."""
    known = context.records.pull_requests.items()
    return {key for key, record in known if not is_done(record) and _is_listed(key, context)}


def is_done(record: PullRecord) -> bool:
    """Whether a pull request is closed and everything about it is reported."""
    comment = record.comment
    is_reported = comment is None or (comment.phase is Phase.CONFIRMED and comment.checksum == CLOSED_CHECKSUM)
    is_left = bool(record.pending or record.deployment or record.environment)
    return record.closed_at is not None and not is_left and is_reported


def _scope_of_image(pushed: ImagePushed, context: Context) -> Scope:
    """The pull requests that wait for an image, by its tag. One that came without a tag may be anybody's."""
    places = {repository.image for repository in context.settings.repositories.values()}
    if pushed.action == "DELETE" or pushed.image not in places:
        return Scope()
    if not pushed.tag:
        return ALL
    return Scope(frozenset(_waiting_for(pushed.tag, context)))


def _waiting_for(tag: str, context: Context) -> Iterable[str]:
    for key, record in context.records.pull_requests.items():
        if not record.head_sha or record.head_sha not in tag or record.closed_at is not None:
            continue  # every tag of an image has its commit in it
        name, number = parts_of(key)
        repository = context.settings.repositories.get(name)
        if repository and tag == f"{repository.image}:{repository.tag_of(number, record.head_sha)}":
            yield key


def _is_listed(key: str, context: Context) -> bool:
    return parts_of(key)[0] in context.settings.repositories
