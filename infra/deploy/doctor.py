"""Says what is missing before the suite can be deployed and can do its work, and the command that mends it."""

from collections.abc import Callable, Iterator

from infra.deploy import (
    look_at_agents,
    look_at_budgets,
    look_at_gpus,
    look_at_grants,
    look_at_images,
    look_at_machine,
    look_at_projects,
    look_at_region,
    look_at_secrets,
)
from infra.deploy.findings import Finding, Look, Patient, looked

ON_THIS_MACHINE: tuple[Look, ...] = (look_at_machine.tools, look_at_machine.login)
"""What has no meaning for the local cloud."""

EVERYWHERE: tuple[Look, ...] = (
    look_at_projects.projects,
    look_at_projects.billing,
    look_at_projects.apis,
    look_at_projects.permissions,
    look_at_projects.who_may_be_granted,
    look_at_agents.agents,
    look_at_grants.buckets,
    look_at_grants.cloud_run,
    look_at_images.topics_of_images,
    look_at_region.region,
    look_at_region.quotas_of_functions,
    look_at_gpus.quotas_of_gpus,
    look_at_secrets.secrets,
    look_at_secrets.notices_of_rotation,
    look_at_budgets.budgets,
)


def examine(patient: Patient, say: Callable[[str], None]) -> bool:
    """Look at everything, and say each thing when it is seen. Returns whether all is well."""
    patient = patient.for_one_run()
    words: list[str] = []
    for look in _looks(patient, say):
        for finding in looked(look, patient):
            _tell(finding, say)
            words.append(finding.word)
    counts = {"well": "ok", "to consider": "advice", "to mend": "MISSING"}
    say(", ".join(f"{words.count(word)} {name}" for name, word in counts.items()))
    return "MISSING" not in words


def _looks(patient: Patient, say: Callable[[str], None]) -> Iterator[Look]:
    """Those that have a meaning: on the local cloud none at this machine, without a login none at a cloud."""
    in_the_cloud = (look_at_machine.bucket_of_the_state, *EVERYWHERE)
    if patient.target.is_local:
        yield from EVERYWHERE
        say("3 looks (tools, login, state) are not for the local cloud, and were left out")
        return
    yield from ON_THIS_MACHINE
    if look_at_machine.is_logged_in():
        yield from in_the_cloud
    else:
        say(f"{len(in_the_cloud)} looks need a login, and were left out")


def _tell(finding: Finding, say: Callable[[str], None]) -> None:
    say(f"{finding.word:<7}  {finding.what}")
    if finding.mend:
        say(f"         {finding.mend}")
