"""Which pull requests an event is about: one, none, or all. Pure."""

from collections.abc import Iterable

import msgspec

from functions.manage_previews.comment import CLOSED_CHECKSUM
from functions.manage_previews.events import ImagePushed
from functions.manage_previews.names import key_of, parts_of
from functions.manage_previews.records import PullRecord
from functions.manage_previews.verdicts import Occasion
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


def scope_of(occasion: Occasion) -> Scope:
    """What a run is about. A tick, a command, a change of restrictions, or being asked to look again is about all."""
    match occasion.event.event:
        case PullRequestEvent() | CommentCommand() as event:
            return Scope(frozenset({key_of(event.repository, event.number)}))
        case ImagePushed() as pushed:
            return _scope_of_image(pushed, occasion)
    return ALL


def owing(occasion: Occasion) -> set[str]:
    """The pull requests that are not known to be over, by key."""
    known = occasion.records.pull_requests.items()
    return {key for key, record in known if not is_over(record) and _is_listed(key, occasion)}


def is_over(record: PullRecord) -> bool:
    """Whether a pull request is closed, and all is told."""
    comment = record.comment
    is_told = comment is None or (comment.phase is Phase.CONFIRMED and comment.checksum == CLOSED_CHECKSUM)
    return record.closed_at is not None and not record.pending and record.deployment is None and is_told


def _scope_of_image(pushed: ImagePushed, occasion: Occasion) -> Scope:
    """The pull requests that wait for an image, by its tag. One that came without a tag may be anybody's."""
    places = {repository.image for repository in occasion.settings.repositories.values()}
    if pushed.action == "DELETE" or pushed.image not in places:
        return Scope()
    if not pushed.tag:
        return ALL
    return Scope(frozenset(_waiting_for(pushed.tag, occasion)))


def _waiting_for(tag: str, occasion: Occasion) -> Iterable[str]:
    for key, record in occasion.records.pull_requests.items():
        name, number = parts_of(key)
        repository = occasion.settings.repositories.get(name)
        is_open = bool(record.head_sha) and record.closed_at is None
        if repository and is_open and tag == f"{repository.image}:{repository.tag_of(number, record.head_sha)}":
            yield key


def _is_listed(key: str, occasion: Occasion) -> bool:
    return parts_of(key)[0] in occasion.settings.repositories
