"""The one comment on a pull request: always the current state of its preview. Pure."""

from hashlib import sha256

from functions.manage_previews.messages import Facts, PreviewComment, PullRequestClosed
from functions.manage_previews.preview_decision import PreviewDecision
from functions.manage_previews.states import State


def comment_of(decision: PreviewDecision) -> PreviewComment:
    """The desired text of the comment."""
    asked_for_help = decision.view.record.help_for is not None
    return PreviewComment(decision.state, decision.why, _facts(decision), asked_for_help)


def checksum_of(text: str) -> str:
    """A text as it is compared: GitHub may return it with other line endings."""
    return sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()[:16]


CLOSED_CHECKSUM = checksum_of(str(PreviewComment(State.CLOSED, PullRequestClosed())))
"""Of the last text that a pull request is given."""


def _facts(decision: PreviewDecision) -> Facts | None:
    view, preview = decision.view, decision.view.preview
    if preview is None or not decision.state.is_wanted:
        return None
    settings = view.context.settings
    return Facts(
        uri=preview.uri,
        public=settings.public,
        sha=preview.sha,
        digest=preview.digest,
        since=preview.since,
        expires_at=view.expires_at,
        cpu=settings.cpu,
        memory=settings.memory,
    )
