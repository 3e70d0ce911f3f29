"""Checks one file of settings: `./deploy.sh check FILE`, with ``--project`` also whether what it names exists."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.deploy.doctor import budgets, gpus, grants, machine, named, projects, secrets
from infra.deploy.doctor.examine import finding_lines, has_problems, summary
from infra.deploy.doctor.findings import Check, CheckContext, run_check
from infra.deploy.rendering import print_json
from infra.deploy.target import LOCAL_DIRECTORY, Target, in_the_cloud, on_this_machine
from infra.suite.automations import load_functions
from infra.suite.deployment import Deployment, Suite, load_deployment
from infra.suite.settings import load_caretaker_yaml
from shared.errors import CaretakerError
from shared.yaml_file import read_yaml_file

EXISTENCE: tuple[Check, ...] = (
    projects.projects,
    named.services,
    named.schedules,
    gpus.quotas_of_gpus,
    grants.buckets,
    secrets.secrets,
    budgets.budgets,
)
"""GitHub's repositories are not among them: only the suite has their token."""


class NothingNamed(CaretakerError):
    """The file names nothing whose existence could be checked."""


def check_file(path: Path) -> Suite | None:
    """The suite that a `caretaker.yaml` describes; None for a `deployment.yaml`, which has a `project`.

    Raises ``SettingsError`` with every key that is wrong.
    """
    data = read_yaml_file(path).mapping("the keys of caretaker.yaml or deployment.yaml")
    if "project" in data and not {"mode", *load_functions()} & set(data):
        load_deployment(path)
        return None
    return Suite(Deployment(project="not-known"), load_caretaker_yaml(path))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; the exit code is 0 if all is well, 1 if something named is missing, 2 if it could not be checked."""
    options = _parser().parse_args(arguments)
    try:
        suite = check_file(options.file)
        if not options.project and not options.local:
            return _report_valid(options.file, is_json=options.json)
        if suite is None:
            raise NothingNamed("--project checks what a caretaker.yaml names; leave it out")
        if not options.local:
            machine.require_login()
        target = on_this_machine(options.directory) if options.local else in_the_cloud(options.project)
        return _check_existence(Suite(Deployment(project=target.project), suite.owner), target, is_json=options.json)
    except CaretakerError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _report_valid(path: Path, *, is_json: bool) -> int:
    if is_json:
        print_json({"findings": []})
    else:
        print(f"{path} is valid")
    return 0


def _check_existence(suite: Suite, target: Target, *, is_json: bool) -> int:
    context = CheckContext(suite, target).for_one_run()
    found = [finding for check in EXISTENCE for finding in run_check(check, context)]
    if is_json:
        print_json({"findings": found})
    else:
        print(*(line for finding in found for line in finding_lines(finding)), summary(found), sep="\n")
    return 1 if has_problems(found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh check",
        description="Checks a caretaker.yaml or a deployment.yaml, and reports all of its errors at once.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--project", default="", help="also check, with your own credentials, that what the settings name exists"
    )
    parser.add_argument("--local", action="store_true", help="the same, on the cloud of ./deploy.sh local")
    parser.add_argument("--directory", type=Path, default=LOCAL_DIRECTORY, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON document, for a program")
    return parser


if __name__ == "__main__":
    sys.exit(main())
