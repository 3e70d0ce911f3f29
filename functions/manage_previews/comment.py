"""The one comment on a pull request: always the current state of its preview. Pure.

Its content is our own, or was checked (a commit's SHA, a digest), or is shown as code: nothing that GitHub users
may choose is repeated.
"""

import re
from hashlib import sha256

from functions.manage_previews.costs import cost_in_words
from functions.manage_previews.preview_decision import PreviewDecision, PullRequestView, State
from functions.manage_previews.requests import HELP
from shared.clock import format_time

MARKER = "<!-- caretaker: preview -->"
LONGEST_PROBLEM = 300

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


def text_of(decision: PreviewDecision) -> str:
    """The whole text, in Markdown."""
    if decision.state is State.CLOSED:
        return _joined(State.CLOSED)
    return _joined(decision.state, _explanation(decision), _table(decision), _commands(decision))


def checksum_of(text: str) -> str:
    """What a text is compared by: GitHub may answer it with other line ends."""
    return sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()[:16]


def _joined(state: State, *parts: str) -> str:
    return "\n\n".join((MARKER, f"### {_HEADINGS[state]}", *(part for part in parts if part))) + "\n"


CLOSED_CHECKSUM = checksum_of(_joined(State.CLOSED))
"""Of the last text that a pull request is given."""


def _explanation(decision: PreviewDecision) -> str:
    view, why = decision.view, _sentence(decision.why)
    match decision.state:
        case State.RUNNING | State.DEPLOYING:
            return ""
        case State.FAILED:
            return f"Cloud Run could not bring it up:\n\n{_as_code(decision.why)}"
        case State.NOT_APPROVED:
            return _how_to_approve(view)
        case State.NO_IMAGE:
            shown = " Until then it shows the commit before." if view.preview else ""
            return f"There is no image `{view.image_tag}` yet. It is deployed as soon as that is pushed.{shown}"
        case State.NO_ROOM:
            why += " It is made as soon as another one goes; none is taken away for it."
        case State.EXPIRED | State.STOPPED:
            why += " Comment `/preview` to have it again."
    return why


def _how_to_approve(view: PullRequestView) -> str:
    """The line to copy."""
    label = ", or set the label that approves it" if view.repository.approval_label else ""
    return (
        "It comes from a fork, so nothing is deployed before somebody who may write to this repository has "
        f"looked at the commit. To approve it, comment{label}:\n\n```\n/preview {view.pull.head_sha}\n```\n\n"
        "That holds for this commit alone: a push asks anew."
    )


def _table(decision: PreviewDecision) -> str:
    view, preview = decision.view, decision.view.preview
    if preview is None or not decision.state.is_wanted:
        return ""
    settings = view.context.settings
    access = "anybody may call it" if settings.public else "private: it takes the permission to invoke it"
    rows = [
        ("URL", f"{preview.uri} ({access})" if preview.uri else "not known yet"),
        ("Commit", f"`{preview.sha}`"),
        ("Image", f"`{preview.digest}`"),
        ("Since", format_time(preview.since)),
        ("Expires", f"{format_time(view.expires_at)}, unless somebody pushes or comments a command"),
        ("Costs", cost_in_words(settings.cpu, settings.memory)),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _commands(decision: PreviewDecision) -> str:
    """The commands; spelled out if someone asked for one that does not exist."""
    if decision.view.record.help_for:
        return f"Somebody asked for something that is not known here. What is: {HELP}"
    return "Commands: `/preview`, `/preview stop`, `/preview extend 24h`."


def _as_code(text: str) -> str:
    """Text by others, made harmless: one code block that it cannot close, without mentions or links."""
    plain = re.sub(r"[^\w .,:;()'/=+-]", " ", text)[:LONGEST_PROBLEM]
    return f"```\n{plain}\n```"


def _sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}."
