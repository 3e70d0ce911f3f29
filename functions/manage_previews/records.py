"""The records of `manage_previews`: each pull request's accepted requests, and what was written where."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import msgspec

from functions.manage_previews.events import Event, Pause, Resume
from functions.manage_previews.names import key_of
from functions.manage_previews.pacing import Writes
from functions.manage_previews.requests import Kind, Request, read_requests
from functions.manage_previews.settings import Settings
from shared import automation
from shared.debts import Debt
from shared.decision import Change
from shared.events import Dated
from shared.github_events import CommentCommand, PullRequestEvent
from shared.holds import Phase

UNDO = "./deploy.sh send manage_previews pause"
RETRY_REFUSED = timedelta(days=1)
MOST_IGNORED = 10
"""The number of ignored requests remembered for a pull request, so that each is judged once.

Anybody may comment on a public repository. A word takes 135 bytes at most of the 10 MiB that one commit takes
(https://cloud.google.com/firestore/docs/storage-size): so many of each of a thousand pull requests take an eighth.
"""


class DeploymentState(StrEnum):
    """GitHub's states of a deployment, as far as previews have them."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    INACTIVE = "inactive"


class Written(msgspec.Struct, frozen=True):
    """The one comment on a pull request."""

    id: int
    """0 while it is not known whether there is one."""
    checksum: str
    """Of its text, which says times."""
    phase: Phase


class Deployed(msgspec.Struct, frozen=True):
    """The newest deployment reported to GitHub, with its last status; none yet if that is empty."""

    id: int
    sha: str
    state: DeploymentState | None
    phase: Phase


class GitHubWrite(StrEnum):
    """A write at GitHub."""

    COMMENT = "comment"
    DEPLOYMENT = "deployment"
    ENVIRONMENT = "environment"


class RefusedWrite(msgspec.Struct, frozen=True):
    """A write that GitHub refused: it is repeated for another head, or a day later."""

    head_sha: str
    why: str
    since: datetime

    def is_in_force(self, head_sha: str, now: datetime) -> bool:
        """Whether trying again is of no use."""
        return head_sha == self.head_sha and now - self.since < RETRY_REFUSED


class DeployFailure(msgspec.Struct, frozen=True):
    """Cloud Run refused to deploy a commit."""

    sha: str
    problem: str
    """In Cloud Run's words."""


class GitHubChange(Change, frozen=True, kw_only=True):
    """A change at GitHub, with what must be recorded before it is made."""

    writes: ClassVar[GitHubWrite]
    requests: ClassVar[int] = 1
    """That it takes."""
    comment: Written | None = None
    deployment: Deployed | None = None
    environment: str = ""
    """That its deployments are made to."""


class Made(msgspec.Struct, frozen=True):
    """A preview that was made: what is needed to take it away when the settings no longer know it."""

    repository: str
    number: int
    since: datetime


class MakesPreview(Change, frozen=True, kw_only=True):
    """A change that makes a preview, or changes one."""

    made: Made


class PullRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record of one pull request."""

    head_sha: str = ""
    """The head that was seen last."""
    head_since: datetime | None = None
    """The first time at which that is known to have been the head."""
    active_at: datetime | None = None
    """The time of that push, or of the pull request's reopening, as far as is known."""
    closed_at: datetime | None = None
    """The time it was seen to be closed."""
    requests: dict[Kind, Request] = msgspec.field(default_factory=dict, name="words")
    """The newest of each kind that counts."""
    pending: tuple[Request, ...] = ()
    """Requests whose author's permission is not known yet."""
    ignored: tuple[Request, ...] = msgspec.field(default=(), name="heard")
    """The newest of each person and kind that was weighed and does not count, as far as it is newer than what does."""
    help_for: Request | None = None
    """The first comment that asked for something unknown: it gets a short help, once."""
    comment: Written | None = None
    deployment: Deployed | None = None
    environment: str = ""
    """Of its deployments: it is there, and is deleted when the pull request is closed."""
    refused: dict[GitHubWrite, RefusedWrite] = {}
    failure: DeployFailure | None = None

    def request(self, kind: Kind) -> Request | None:
        """The newest word of a kind that counts."""
        return self.requests.get(kind)

    def is_new(self, word: Request) -> bool:
        """Whether a word is newer than what counts, and than what the same person said in vain."""
        in_vain = next((one for one in self.ignored if (one.by, one.kind) == (word.by, word.kind)), None)
        return word.is_after(self.request(word.kind)) and word.is_after(in_vain)


NOTHING = PullRecord()


class Pausing(msgspec.Struct, frozen=True, order=True):
    """Whether previews are paused, and when that was said."""

    said: datetime
    paused: bool


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/manage_previews`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset(
        (
            "active_at",
            "head_since",
            "closed_at",
            "checksum",
            "id",
            "since",
            "quiet_until",
            "writes",
            "environments_stay",
        )
    )

    pull_requests: dict[str, PullRecord] = {}
    """By key, such as ``owner/name#12``."""
    pausing: Pausing | None = None
    quiet_until: datetime | None = None
    """GitHub answers nothing until then."""
    writes: Writes | None = None
    environments_stay: dict[str, datetime] = {}
    """By repository, when GitHub refused to delete an environment: the token lacks the permission."""
    previews: dict[str, Made] = {}
    """By the full name of the service: every preview that was made, until it is seen to be gone."""

    def debts(self) -> tuple[Debt, ...]:
        """Every preview: it costs money, and only Caretaker knows whose it is."""
        return tuple(
            Debt(
                resource=name,
                field="preview",
                original="none",
                applied=key_of(made.repository, made.number),
                held_by=(made.repository,),
                since=made.since,
                undo=UNDO,
                asks_for={"project": name.split("/")[1]},
            )
            for name, made in self.previews.items()
        )

    def before(self, changes: Sequence[Change]) -> "Records":
        """With all that is about to be made, or written at GitHub: should an answer be lost, it is looked up."""
        intended: dict[str, PullRecord] = {}
        for change in changes:
            if isinstance(change, GitHubChange):
                record = intended.get(change.scope, self.of(change.scope))
                intended[change.scope] = msgspec.structs.replace(
                    record,
                    comment=change.comment or record.comment,
                    deployment=change.deployment or record.deployment,
                    environment=change.environment or record.environment,
                )
        made = {change.target: change.made for change in changes if isinstance(change, MakesPreview)}
        previews = self.previews | {name: one for name, one in made.items() if name not in self.previews}
        return with_records(msgspec.structs.replace(self, previews=dict(sorted(previews.items()))), intended)

    def of(self, key: str) -> PullRecord:
        """The record of a pull request: it may be empty."""
        return self.pull_requests.get(key, NOTHING)

    def may_delete_environments(self, repository: str, now: datetime) -> bool:
        """Whether GitHub has not refused that of late."""
        refused_at = self.environments_stay.get(repository)
        return refused_at is None or now - refused_at >= RETRY_REFUSED

    @property
    def is_paused(self) -> bool:
        """Whether a person has paused all previews."""
        return self.pausing is not None and self.pausing.paused


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with the requests in the event. Everything else in it is only a hint to look."""
    match event.event:
        case Pause() | Resume() as command:
            said = Pausing(event.published, isinstance(command, Pause))
            newest = said if records.pausing is None else max(said, records.pausing)
            return msgspec.structs.replace(records, pausing=newest)
        case CommentCommand() as command:
            words = read_requests(command, settings.longest_extension)
            key = key_of(command.repository, command.number)
            return _with_requests(records, key, words) if words else _with_question(records, key, command)
        case PullRequestEvent() as said if (word := approval_in(said, settings)) is not None:
            return _with_requests(records, key_of(said.repository, said.number), (word,))
    return records


def approval_in(event: PullRequestEvent, settings: Settings) -> Request | None:
    """The approval that a label is: of the commit that was the head when it was set, by the person who set it."""
    wanted = settings.repositories[event.repository].approval_label
    if event.action != "labeled" or wanted is None or event.label != wanted:
        return None
    said = f"label {event.updated_at:%Y-%m-%dT%H:%M:%SZ}"
    return Request(event.updated_at, said, Kind.LABEL, event.sender, sha=event.head_sha)


def with_records(records: Records, changed: Mapping[str, PullRecord]) -> Records:
    """The records with others of some pull requests; one that says nothing is dropped."""
    all_ = {**records.pull_requests, **changed}
    kept = {key: record for key, record in sorted(all_.items()) if record != NOTHING}
    return msgspec.structs.replace(records, pull_requests=kept)


def _with_requests(records: Records, key: str, words: tuple[Request, ...]) -> Records:
    record = records.of(key)
    pending = newest([*record.pending, *filter(record.is_new, words)])
    if pending == record.pending:
        return records
    return with_records(records, {key: msgspec.structs.replace(record, pending=pending)})


def newest(words: Iterable[Request]) -> tuple[Request, ...]:
    """The newest request of each kind by each person, oldest first: it replaces the earlier ones."""
    in_order = sorted(words, key=lambda word: (word.at, word.said, word.kind))
    last = {(word.by, word.kind): word for word in in_order}
    return tuple(word for word in in_order if last[word.by, word.kind] is word)


def _with_question(records: Records, key: str, command: CommentCommand) -> Records:
    record = records.of(key)
    question = Request(command.created_at, str(command.comment_id), Kind.START, command.author)
    if record.help_for and not record.help_for.is_after(question):
        return records
    return with_records(records, {key: msgspec.structs.replace(record, help_for=question)})
