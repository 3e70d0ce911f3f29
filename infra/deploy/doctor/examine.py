"""Checks what must be there before the suite can be deployed and can do its work."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from infra.deploy.doctor import (
    agents,
    budgets,
    caps,
    gpus,
    grants,
    held,
    images,
    machine,
    projects,
    region,
    rotations,
    secrets,
)
from infra.deploy.doctor.findings import Check, CheckContext, Finding, Status, run_check

ON_THIS_MACHINE: tuple[Check, ...] = (machine.tools, machine.login)
"""Checks that do not apply to the local cloud."""

EVERYWHERE: tuple[Check, ...] = (
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
    rotations.dependents_of_secrets,
    budgets.budgets,
    caps.caps_on_the_suite,
    held.held,
)
IN_OWN_PROJECT = frozenset(
    {
        projects.billing,
        projects.who_may_be_granted,
        region.region,
        region.quotas_of_functions,
        caps.caps_on_the_suite,
    }
)
"""Checks that read the suite's own project: they find nothing if that is missing."""


def examine(context: CheckContext, say: Callable[[str], None]) -> bool:
    """Run every check, and report each finding as soon as it is known. Returns whether there is no problem."""
    found: list[Finding] = []
    for finding in findings(context):
        for line in finding_lines(finding):
            say(line)
        found.append(finding)
    for line in (*skipped_checks(context), summary(found)):
        say(line)
    return not has_problems(found)


def findings(context: CheckContext) -> Iterator[Finding]:
    """The findings of the checks that apply: not this machine's for the local cloud, nor a cloud's without a login."""
    context = context.for_one_run()
    if not context.target.is_local:
        for check in ON_THIS_MACHINE:
            yield from run_check(check, context)
    own = context.suite.deployment.project
    for check in _of_the_cloud(context):
        yield from run_check(check, context, project=own if check in IN_OWN_PROJECT else "")


def skipped_checks(context: CheckContext) -> Iterable[str]:
    """The checks that do not apply, and why."""
    if context.target.is_local:
        yield "3 checks (tools, login, state) do not apply to the local cloud and were skipped"
    elif not machine.is_logged_in():
        yield f"{len(EVERYWHERE) + 1} checks need a login and were skipped"


def has_problems(found: Iterable[Finding]) -> bool:
    """Whether anything must be fixed."""
    return any(finding.status is Status.PROBLEM for finding in found)


def summary(found: Sequence[Finding]) -> str:
    """The number of findings of each status."""
    counts = Counter(finding.status for finding in found)
    parts = [
        f"{counts[Status.OK]} OK",
        *(_counted(counts[one], one.lower()) for one in (Status.WARNING, Status.PROBLEM)),
    ]
    if counts[Status.NOT_CHECKED]:
        parts.append(f"{counts[Status.NOT_CHECKED]} not checked")
    return ", ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def finding_lines(finding: Finding) -> Iterator[str]:
    """A finding, and below it what fixes it."""
    yield f"{finding.status:<11}  {finding.what}"
    if finding.fix:
        yield f"{'':<11}  {finding.fix}"


def _of_the_cloud(context: CheckContext) -> tuple[Check, ...]:
    if context.target.is_local:
        return EVERYWHERE
    return (machine.bucket_of_the_state, *EVERYWHERE) if machine.is_logged_in() else ()
