"""The command `./deploy.sh init`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.deploy.doctor.machine import require_login
from infra.deploy.init.caretaker_yaml import caretaker_yaml
from infra.deploy.init.contents import Answers, ProjectContents
from infra.deploy.init.deployment_yaml import deployment_yaml
from infra.deploy.init.files import examples, write
from infra.deploy.init.reading import read_project
from infra.deploy.target import LOCAL_DIRECTORY, Target, in_the_cloud, on_this_machine
from infra.suite.deployment import REGION
from infra.suite.settings import SETTINGS
from shared.errors import CaretakerError
from shared.hours import zone_of
from shared.settings import convert

UTC = "Etc/UTC"
LISTED = "separated by spaces"
LINK_TO_ZONE = Path("/etc/localtime")


def main(arguments: Sequence[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """Create the settings: 0, or 2 if they cannot be written."""
    options = _parser().parse_args(arguments)
    try:
        target = _target(options)
        if options.project is None and target is None and sys.stdin.isatty():
            options.project = ask("Project to look after (leave empty to copy the examples): ").strip()
            target = _target(options)
        if target is None:
            texts, report = examples(), []
        else:
            if sys.stdin.isatty():
                print(f"Reading {options.project or target.project}. Press Enter to accept what is in brackets.")
            answers = _answers(options, target.project, ask)
            found = read_project(answers, target.clients)
            texts, report = _texts(answers, found), _found_lines(found)
        print(*report, *write(options.folder, texts), sep="\n")
    except OSError as error:
        sys.stderr.write(f"cannot write to {options.folder}: {error.strerror}\n")
        return 2
    except CaretakerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    what = "replace the names in" if target is None else "read"
    print(f"Next: {what} {options.folder / 'caretaker.yaml'}, then run ./deploy.sh doctor")
    return 0


def _target(options: argparse.Namespace) -> Target | None:
    """The project to read; None to copy the examples. Raises ``NotRunning`` or ``NotLoggedIn``."""
    if options.local:
        return on_this_machine(options.directory)
    if not options.project:
        return None
    require_login()
    return in_the_cloud(options.project)


def _answers(options: argparse.Namespace, project: str, ask: Callable[[str], str]) -> Answers:
    """The options' answers; a person, if there is one, is asked for the rest. Raises ``SettingsError``."""
    project = options.project or project

    def asked(question: str, given: str | None, default: str) -> str:
        if given is not None or not sys.stdin.isatty():
            return default if given is None else given
        return ask(f"{question} [{default or 'none'}]: ").strip() or default

    answers = {
        "project": project,
        "suite_project": asked("Project to run Caretaker in", options.suite_project, project),
        "regions": options.region or asked(f"Regions of Cloud Run and Cloud Scheduler, {LISTED}", None, REGION).split(),
        "time_zone": asked("Time zone of working hours and schedules", options.time_zone, _time_zone()),
        "emails": options.email or asked(f"Email addresses for alerts, {LISTED}", None, "").split(),
        "repository": asked("GitHub repository for previews, as owner/name", options.repository, "") or None,
        "amount": options.amount,
    }
    zone_of(str(answers["time_zone"]))
    return convert(answers, Answers, "")


def _time_zone() -> str:
    """That of this machine."""
    _, _, name = os.path.realpath(LINK_TO_ZONE).partition("/zoneinfo/")
    return os.environ.get("TZ") or name or UTC


def _texts(answers: Answers, found: ProjectContents) -> dict[str, str]:
    """Both files."""
    lines = {"caretaker.yaml": caretaker_yaml(answers, found), "deployment.yaml": deployment_yaml(answers, found)}
    return {name: "\n".join(file) + "\n" for name, file in lines.items()}


def _found_lines(found: ProjectContents) -> list[str]:
    """The numbers of resources found, and the reads that failed."""
    counts = {
        "budget": found.budgets,
        "Cloud Run service": found.services,
        "Cloud Scheduler job": found.jobs,
        "GPU pool": (*found.node_pools, *found.worker_pools),
        "bucket of backups": found.buckets,
        "secret": found.secrets,
    }
    return [
        "found:",
        *(f"  {len(things):>3} x {what}" for what, things in counts.items()),
        *(f"could not read {what}: {why}" for what, why in found.unreadable.items()),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh init",
        description="Creates settings/caretaker.yaml and settings/deployment.yaml: from what a project contains, or"
        " copied from the commented examples. In a terminal it asks for what the options do not say. Git ignores the"
        " folder, and files that exist are not overwritten.",
    )
    parser.add_argument("--project", help="the project to look after: it is read with your own credentials")
    parser.add_argument("--local", action="store_true", help="read the cloud of ./deploy.sh local")
    parser.add_argument("--suite-project", metavar="PROJECT", help="the project to run Caretaker in, if another")
    parser.add_argument("--region", action="append", help=f"of Cloud Run and Cloud Scheduler; repeatable ({REGION})")
    parser.add_argument("--time-zone", metavar="ZONE", help="such as Europe/Berlin; that of this machine if not given")
    parser.add_argument("--email", action="append", help="who is notified of alerts; repeatable")
    parser.add_argument("--repository", metavar="OWNER/NAME", help="on GitHub, for previews of pull requests")
    parser.add_argument("--amount", type=float, help="of a monthly budget to create, if the project has none")
    parser.add_argument("--folder", type=Path, default=SETTINGS, metavar="DIR", help="instead of settings/")
    parser.add_argument("--directory", type=Path, default=LOCAL_DIRECTORY, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
