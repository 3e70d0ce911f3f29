"""The messages of `manage_previews` as typed values: all of its wording besides the replies to commands.

In a comment, text is our own, or was checked (a commit's SHA, a digest), or is shown as code: nothing that GitHub users
may choose is repeated.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from functions.manage_previews.costs import an_hour
from functions.manage_previews.states import State
from shared.clock import format_time
from shared.decision import Message

ALERT_TITLES: Mapping[str, str] = {
    "name_taken": "the preview's name is taken",
    "lost_access": "no access to the repository",
    "repository_renamed": "the repository has another name",
    "held_without_settings": "looks like a preview, and is on no record",
}
"""By kind of alert, what it is called to a person."""
START_AGAIN = "Comment `/preview` to start it again."
MARKER = "<!-- caretaker: preview -->"
LONGEST_PROBLEM = 300
EARLIER_COMMIT = " Until then the preview shows an earlier commit."
COMMANDS = "Commands: `/preview`, `/preview stop`, `/preview extend 24h`."
HELP = (
    "`/preview` starts the preview, or renews its time; `/preview` and a commit's full SHA approves that commit of a "
    "fork; `/preview stop` deletes the preview; `/preview extend 24h` (or `3d`) keeps it longer."
)


class About(Message, frozen=True):
    """A message with the pull request that it is about."""

    key: str
    message: Message

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class Reason(Message, frozen=True):
    """Why a preview is as it is: in a few words for reports, and explained in the comment."""

    def explained(self) -> str:
        """For the people of the pull request, in Markdown."""
        return self._explained()

    def _explained(self) -> str:
        text = str(self)
        return f"{text[:1].upper()}{text[1:]}."


# Why there is no preview


class PullRequestClosed(Reason, frozen=True):
    """It is merged, or closed without that."""

    def __str__(self) -> str:
        return "the pull request is closed"


class PreviewsPaused(Reason, frozen=True):
    """A person has sent ``pause``."""

    def __str__(self) -> str:
        return "all previews are paused"


class SpendingRestricted(Reason, frozen=True):
    """`cap_spending` forbids previews."""

    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"the spending restriction previews_off is in force, by {', '.join(self.because)}"


class DraftsExcluded(Reason, frozen=True):
    """A draft, where the settings exclude those."""

    def __str__(self) -> str:
        return "drafts have no preview"


class LabelMissing(Reason, frozen=True):
    """The settings ask for a label."""

    def __str__(self) -> str:
        return "it does not have the label that previews require"


class StopRequested(Reason, frozen=True):
    """By a comment."""

    def __str__(self) -> str:
        return "a person with write access has stopped it"

    def _explained(self) -> str:
        return f"{super()._explained()} {START_AGAIN}"


class NoActivity(Reason, frozen=True):
    """Its time to live is over."""

    expired_at: datetime

    def __str__(self) -> str:
        return f"no push and no command in time: it expired at {format_time(self.expired_at)}"

    def _explained(self) -> str:
        return f"{super()._explained()} {START_AGAIN}"


class NotInSettings(Reason, frozen=True):
    """Its repository, project, region or name has left the settings."""

    def __str__(self) -> str:
        return "the settings no longer ask for it"


# Why a preview is not deployed yet, and what becomes of it


class NameTaken(Reason, frozen=True):
    """A service of that name is not ours."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} exists, and is not a preview of Caretaker's"


class NotApproved(Reason, frozen=True):
    """A fork's commit."""

    sha: str
    label_approves: bool
    """Whether the settings name a label that approves, too."""
    was_labeled: bool = False
    """Whether that label was set too soon after a push."""
    shows_earlier: bool = False
    """Whether the preview shows an earlier commit meanwhile."""

    def __str__(self) -> str:
        return "it comes from a fork, and this commit is not approved"

    def _explained(self) -> str:
        label = ", or set the label that approves it" if self.label_approves else ""
        near = (
            "The label does not count, as it was set within two minutes of a push: remove it and set it again. "
            if self.was_labeled
            else ""
        )
        meanwhile = EARLIER_COMMIT if self.shows_earlier else ""
        return (
            "It comes from a fork, so this commit is not deployed before someone with write access to this repository "
            f"has reviewed it.{meanwhile} {near}To approve it, comment this line{label}:\n\n```\n/preview {self.sha}"
            "\n```\n\nThis approves only this commit: a push needs a new approval."
        )


class ImageMissing(Reason, frozen=True):
    """No image has the head's tag yet."""

    image: str
    shows_earlier: bool
    """Whether the preview shows an earlier commit meanwhile."""

    def __str__(self) -> str:
        return f"there is no image {self.image} yet"

    def _explained(self) -> str:
        meanwhile = EARLIER_COMMIT if self.shows_earlier else ""
        return f"There is no image `{self.image}` yet. It is deployed as soon as it is pushed.{meanwhile}"


class NoRoom(Reason, frozen=True):
    """The most previews that the settings allow exist."""

    maximum: int

    def __str__(self) -> str:
        return f"there are {self.maximum} previews already, the maximum of the settings"

    def _explained(self) -> str:
        return f"{super()._explained()} It is deployed as soon as another one is deleted."


class ImageReady(Reason, frozen=True):
    """Why a preview is deployed."""

    sha: str

    def __str__(self) -> str:
        return f"the image of commit {self.sha[:7]} is there"

    def _explained(self) -> str:
        return ""


class CloudRunDeploying(Reason, frozen=True):
    """Cloud Run has not finished."""

    def __str__(self) -> str:
        return "Cloud Run is deploying it"

    def _explained(self) -> str:
        return ""


class CloudRunFailed(Reason, frozen=True):
    """Cloud Run has finished, and the preview is not ready."""

    problem: str
    """In Cloud Run's words."""

    def __str__(self) -> str:
        return self.problem

    def _explained(self) -> str:
        return (
            f"Cloud Run could not start it:\n\n{_as_code(self.problem)}\n\nThe logs of the service say more. Push a "
            "commit with a fix: its image is deployed as soon as it is there."
        )


class DeployRefused(Reason, frozen=True):
    """Cloud Run does not take the service."""

    problem: str
    """In Cloud Run's words."""

    def __str__(self) -> str:
        return f"Cloud Run refused to deploy it: {self.problem}"

    def _explained(self) -> str:
        return (
            f"Cloud Run refused to deploy it:\n\n{_as_code(self.problem)}\n\nFix what this names (`./deploy.sh "
            "doctor` looks for it). It is tried again every few minutes."
        )


class UpToDate(Reason, frozen=True):
    """Nothing to do."""

    def __str__(self) -> str:
        return "it shows the head of the pull request"

    def _explained(self) -> str:
        return ""


# Waiting lines, next steps, notices, alerts, refusals


class DeployingService(Message, frozen=True):
    """The operation in flight."""

    name: str

    def __str__(self) -> str:
        return f"Cloud Run is deploying {self.name}"


class Waits(Message, frozen=True):
    """A state that ends when a person acts."""

    state: State
    why: Message

    def __str__(self) -> str:
        return f"{self.state}: {self.why}"


class ExpiresAt(Message, frozen=True):
    """The time at which a preview is deleted unless a person acts."""

    at: datetime

    def __str__(self) -> str:
        return f"expires at {format_time(self.at)} unless someone pushes or comments a command"


class GitHubQuiet(Message, frozen=True):
    """A rate limit is used up."""

    until: datetime

    def __str__(self) -> str:
        return f"GitHub answers nothing until {format_time(self.until)}: pull requests are looked at after that"


class ReportedLater(Message, frozen=True):
    """The writes that exceed GitHub's limit at a time."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} comments and deployments are written by the next runs, as GitHub limits how many an hour"


class RequestIgnored(Message, frozen=True):
    """A command or an approval that does not count."""

    kind: str
    by: str

    def __str__(self) -> str:
        return f"{self.kind} ignored: {self.by} has no write access"


class RequestUnconfirmed(Message, frozen=True):
    """A message said something that GitHub does not have."""

    kind: str
    by: str

    def __str__(self) -> str:
        return f"{self.kind} by {self.by} ignored: GitHub has no such comment or label"


class WriteRefused(Message, frozen=True):
    """GitHub refused a comment or a deployment, and would refuse it again."""

    why: str

    def __str__(self) -> str:
        remedy = next((text for sign, text in _REMEDIES.items() if sign in self.why), "")
        return f"{self.why}; {remedy}it is tried again with the next push, or a day later"


class EnvironmentsStay(Message, frozen=True):
    """GitHub refused to delete one."""

    why: str

    def __str__(self) -> str:
        return (
            f"{self.why}; environments of closed pull requests stay until the token or app has the permission "
            "administration (write)"
        )


class NotMadeHere(Message, frozen=True):
    """A service that looks like a preview, in no settings and no record."""

    def __str__(self) -> str:
        return (
            "it has the labels of a preview, its repository is not in the settings, and no record says that Caretaker "
            "made it: delete it by hand"
        )


class RepositoryRenamed(Message, frozen=True):
    """GitHub redirects to another name."""

    repository: str
    name: str

    def __str__(self) -> str:
        return (
            f"{self.repository} is {self.name} at GitHub now: sweeps keep its previews, but webhooks under the new "
            f"name are ignored until manage_previews.repositories and receive_github.repositories have it"
        )


class NotReadHere(Message, frozen=True):
    """A preview in the answer to ``status`` of whose pull request GitHub has said nothing."""

    uri: str
    sha: str

    def __str__(self) -> str:
        return f"its pull request could not be read; {self.uri}; commit {self.sha[:7]}"


class UnknownIfOpen(Message, frozen=True):
    """Why a preview is not deleted."""

    def __str__(self) -> str:
        return "it is not known whether the pull request is open"


_REMEDIES = {
    "is locked": "unlock the conversation, or give Caretaker's user write access to the repository: ",
    "Resource not accessible by": (
        "give the token or app pull requests (write) and deployments (write), or set `deployments: false`: "
    ),
}
"""By GitHub's words, what to do."""

# The one comment on a pull request

_HEADINGS = {
    State.RUNNING: "Preview: running",
    State.DEPLOYING: "Preview: deploying",
    State.FAILED: "Preview: failed",
    State.NO_IMAGE: "Preview: waiting for its image",
    State.NOT_APPROVED: "Preview: waiting for approval",
    State.NO_ROOM: "Preview: waiting for room",
    State.NAME_TAKEN: "Preview: not deployed",
    State.DRAFT: "Preview: none, as this is a draft",
    State.NO_LABEL: "Preview: none without its label",
    State.STOPPED: "Preview: stopped",
    State.EXPIRED: "Preview: expired",
    State.PAUSED: "Preview: paused",
    State.CLOSED: "Preview: gone, as the pull request is closed",
}


class Facts(Message, frozen=True, kw_only=True):
    """The facts about a preview, as a table."""

    uri: str
    public: bool
    sha: str
    digest: str
    since: datetime
    expires_at: datetime
    cpu: str
    memory: str

    def __str__(self) -> str:
        access = "public" if self.public else "private: callers need the permission run.routes.invoke"
        rows = [
            ("URL", f"{self.uri} ({access})" if self.uri else "not known yet"),
            ("Commit", f"`{self.sha}`"),
            ("Image", f"`{self.digest}`"),
            ("Since", format_time(self.since)),
            ("Expires", f"{format_time(self.expires_at)}, unless someone pushes or comments a command"),
            ("Costs", _cost(self.cpu, self.memory)),
        ]
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


class PreviewComment(Message, frozen=True):
    """The whole comment, in Markdown."""

    state: State
    why: Reason
    facts: Facts | None = None
    asked_for_help: bool = False
    """Whether someone commented a command that does not exist."""

    def __str__(self) -> str:
        parts = [MARKER, f"### {_HEADINGS[self.state]}"]
        if self.state is not State.CLOSED:
            commands = f"That command is unknown. {HELP}" if self.asked_for_help else COMMANDS
            parts += [self.why.explained(), str(self.facts or ""), commands]
        return "\n\n".join(part for part in parts if part) + "\n"


def _cost(cpu: str, memory: str) -> str:
    price = f"about {an_hour(cpu, memory):.2f} USD (list price)"
    return f"{price} for each hour in which an instance is busy, and nothing while it has no requests"


def _as_code(text: str) -> str:
    """Text by others, made harmless: one code block that it cannot close, without mentions or links."""
    plain = re.sub(r"[^\w .,:;()'/=+-]", " ", text)[:LONGEST_PROBLEM]
    return f"```\n{plain}\n```"
