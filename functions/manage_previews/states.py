"""The states of a pull request's preview."""

from enum import StrEnum


class State(StrEnum):
    """The state of a pull request's preview."""

    RUNNING = "running"
    DEPLOYING = "deploying"
    FAILED = "failed"
    NO_IMAGE = "waiting for its image"
    NOT_APPROVED = "waiting for approval"
    NO_ROOM = "waiting for room"
    NAME_TAKEN = "not deployed"
    DRAFT = "a draft"
    NO_LABEL = "without the label"
    STOPPED = "stopped"
    EXPIRED = "expired"
    PAUSED = "paused"
    CLOSED = "closed"

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be a preview, now or as soon as can be."""
        return self not in _UNWANTED


_UNWANTED = frozenset((State.DRAFT, State.NO_LABEL, State.STOPPED, State.EXPIRED, State.PAUSED, State.CLOSED))
