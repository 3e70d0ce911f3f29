"""Says what is missing before the suite can be deployed and can do its work, and the command that mends it."""

from collections.abc import Callable, Iterator

from infra.deploy.doctor import (
    agents,
    budgets,
    gpus,
    grants,
    images,
    machine,
    projects,
    region,
    secrets,
)
from infra.deploy.doctor.findings import Finding, Look, Patient, looked

ON_THIS_MACHINE: tuple[Look, ...] = (machine.tools, machine.login)
"""What has no meaning for the local cloud."""

EVERYWHERE: tuple[Look, ...] = (
    projects.projects,
    projects.billing,
    projects.apis,
    projects.permissions,
    projects.who_may_be_granted,
    agents.agents,
    grants.buckets,
    grants.cloud_run,
    images.topics_of_images,
    region.region,
    region.quotas_of_functions,
    gpus.quotas_of_gpus,
    secrets.secrets,
    secrets.notices_of_rotation,
    budgets.budgets,
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
    in_the_cloud = (machine.bucket_of_the_state, *EVERYWHERE)
    if patient.target.is_local:
        yield from EVERYWHERE
        say("3 looks (tools, login, state) are not for the local cloud, and were left out")
        return
    yield from ON_THIS_MACHINE
    if machine.is_logged_in():
        yield from in_the_cloud
    else:
        say(f"{len(in_the_cloud)} looks need a login, and were left out")


def _tell(finding: Finding, say: Callable[[str], None]) -> None:
    say(f"{finding.word:<7}  {finding.what}")
    if finding.mend:
        say(f"         {finding.mend}")
