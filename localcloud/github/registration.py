"""GitHub beside the local cloud."""

from localcloud.core.service import Section, Service
from localcloud.core.world_format import World
from localcloud.github.people import Activity
from localcloud.github.seed import GitHubWorld, add_to_github
from localcloud.github.service import GitHub

GITHUB = Service(
    lambda cloud: GitHub(cloud.clock),
    is_http=True,
    sections=(Section(World, "github", GitHubWorld, add_to_github, default=GitHubWorld),),
    happenings=(
        *(Activity.open_pull_request, Activity.push, Activity.close, Activity.reopen, Activity.delete_fork),
        *(Activity.set_draft, Activity.label, Activity.unlabel, Activity.comment, Activity.deploy),
        *(Activity.lock_conversation, Activity.rename, Activity.set_permission, Activity.add_installation),
        Activity.delete_deployments,
    ),
)
