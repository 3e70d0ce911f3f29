"""`deployment.yaml`, from what a project contains."""

import re
from collections.abc import Mapping, Sequence

from infra.deploy.init.caretaker_yaml import NEW_BUDGET, creates_budget
from infra.deploy.init.contents import Answers, FoundService, ProjectContents
from infra.deploy.init.yaml_lines import inline
from infra.suite.scope import ACCOUNT


def deployment_yaml(answers: Answers, found: ProjectContents) -> list[str]:
    """The file, line by line."""
    lines = [
        "# Where and how Caretaker is deployed (docs/deploy.md).",
        "",
        "# The project that the suite runs in: preferably a separate one that manages others.",
        f"project: {inline(answers.suite_project)}",
        f"region: {inline(answers.regions[0])}",
    ]
    buckets = [bucket.name for bucket in found.buckets if bucket.sets]
    if buckets and answers.project != answers.suite_project:
        lines += ["", "# The projects of buckets that are not in the suite's own.", "buckets:"]
        lines += [f"  {inline(bucket)}: {inline(answers.project)}" for bucket in buckets]
    lines += _act_as({"cap_spending": found.services, "scale_gpu_pools": found.worker_pools})
    if creates_budget(answers, found):
        budget = {"amount": answers.amount, "projects": [answers.project]}
        lines += ["", "# Budgets that Terraform creates, by their keys in caretaker.yaml.", "budgets:"]
        lines += [f"  {NEW_BUDGET}: {inline(budget)}"]
    lines += ["", "# Who is notified of alerts."]
    if answers.emails:
        return [*lines, "alerts:", f"  emails: {inline(answers.emails)}"]
    return [*lines, "# alerts: {emails: [oncall@example.com]}"]


def _act_as(changed: Mapping[str, Sequence[FoundService]]) -> list[str]:
    """The service accounts of what each automation changes; a default account is no account to act as."""
    accounts = {
        automation: sorted({one.account for one in services if re.match(ACCOUNT, one.account)})
        for automation, services in changed.items()
    }
    default = sorted({one.name for services in changed.values() for one in services} - _named(changed))
    lines = [f"  {automation}: {inline(named)}" for automation, named in accounts.items() if named]
    if lines:
        lines = ["", "# The service accounts of the services that each automation changes.", "act_as:", *lines]
    if default:
        lines += ["", "# These run as a default service account: give each one of its own, and name it in `act_as`."]
        lines += [f"# {', '.join(default)}"]
    return lines


def _named(changed: Mapping[str, Sequence[FoundService]]) -> set[str]:
    """The services that have an account of their own."""
    return {one.name for services in changed.values() for one in services if re.match(ACCOUNT, one.account)}
