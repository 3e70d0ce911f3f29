"""In which projects Google's spend caps have paused Cloud Run, for the automations that change it there. Pure."""

from functions.cap_spending.records import Context
from functions.cap_spending.spend_caps import CappedService, CapState, parts_of
from functions.cap_spending.world import CapOf, GoogleCap
from shared.world import World


def cloud_run_paused(context: Context, world: World) -> dict[str, str]:
    """By project, the cap that is enforced on Cloud Run there: one that was not read now counts as it did before."""
    found = dict(context.restrictions.cloud_run_paused)
    for need in world.answers:
        if isinstance(need, CapOf) and isinstance(cap := world.get(need), GoogleCap):
            _, project, service = parts_of(cap.name)
            if service is not CappedService.CLOUD_RUN:
                continue
            if cap.state is CapState.ENFORCED:
                found[project] = cap.name
            elif found.get(project) == cap.name:
                del found[project]
    return dict(sorted(found.items()))
