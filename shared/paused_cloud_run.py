"""Cloud Run in a project where a spend cap has paused its usage: what would be changed there waits.

A revision cannot become ready while its usage is paused, so a change would only look as if it had failed.
"""

import re
from collections.abc import Iterable

from shared.decision import Change, Message
from shared.restrictions import SpendingRestrictions

ON_CLOUD_RUN = re.compile(r"^projects/(?P<project>[^/]+)/locations/[^/]+/(services|workerPools|jobs)/")


class CloudRunPaused(Message, frozen=True):
    """Why something of Cloud Run is not changed now."""

    name: str
    """The full name of the resource that would be changed."""
    cap: str
    """The target of the spend cap: ``billingAccounts/A/spendCaps/PROJECT/SERVICE``."""

    def __str__(self) -> str:
        project = self.name.split("/")[1]
        return (
            f"{self.name} waits: a spend cap has paused Cloud Run in {project} ({self.cap}); "
            "`./deploy.sh send cap_spending status` tells until when"
        )


def paused_at(name: str, restrictions: SpendingRestrictions) -> CloudRunPaused | None:
    """Why a resource of this full name must wait; None if it need not, or is none of Cloud Run's."""
    found = ON_CLOUD_RUN.match(name)
    cap = restrictions.cloud_run_paused.get(found["project"]) if found else None
    return CloudRunPaused(name, cap) if cap else None


def waiting_for_cloud_run(changes: Iterable[Change], restrictions: SpendingRestrictions) -> dict[str, CloudRunPaused]:
    """By target, each of these changes that must wait, with the reason."""
    return {change.target: why for change in changes if (why := paused_at(change.target, restrictions))}
