"""Says what is missing before the suite can be deployed and can do its work, and the command that mends it."""

from collections.abc import Callable

from infra.deploy import (
    look_at_budgets,
    look_at_gpus,
    look_at_machine,
    look_at_projects,
    look_at_region,
    look_at_secrets,
)
from infra.deploy.findings import Finding, Look, Patient, looked

ON_THIS_MACHINE: tuple[Look, ...] = (
    look_at_machine.tools,
    look_at_machine.login,
    look_at_machine.bucket_of_the_state,
)
"""What has no meaning for the local cloud."""

EVERYWHERE: tuple[Look, ...] = (
    look_at_projects.projects,
    look_at_projects.billing,
    look_at_projects.apis,
    look_at_projects.permissions,
    look_at_projects.who_may_be_granted,
    look_at_region.region,
    look_at_region.quotas_of_functions,
    look_at_gpus.quotas_of_gpus,
    look_at_secrets.secrets,
    look_at_secrets.agents_of_secrets,
    look_at_secrets.notices_of_rotation,
    look_at_budgets.budgets,
)


def examine(patient: Patient, say: Callable[[str], None]) -> bool:
    """Look at everything, and say it. Returns whether all is well."""
    looks = EVERYWHERE if patient.target.is_local else ON_THIS_MACHINE + EVERYWHERE
    findings = [finding for look in looks for finding in looked(look, patient)]
    for finding in findings:
        _tell(finding, say)
    if patient.target.is_local:
        say(f"{len(ON_THIS_MACHINE)} looks (tools, login, state) are not for the local cloud, and were left out")
    told = [finding.word for finding in findings]
    counts = {"well": "ok", "to consider": "advice", "to mend": "MISSING"}
    say(", ".join(f"{told.count(word)} {name}" for name, word in counts.items()))
    return all(finding.is_well for finding in findings)


def _tell(finding: Finding, say: Callable[[str], None]) -> None:
    say(f"{finding.word:<7}  {finding.what}")
    if finding.mend:
        say(f"         {finding.mend}")
