"""`./deploy.sh plan`, `apply`, `destroy`, `doctor`, `status` and `send`, as a person types them."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.costs.lines import cost_lines
from infra.costs.suite import suite_cost_lines
from infra.deploy.commands import commands_of, read_command
from infra.deploy.doctor.caps import caps_on_the_suite
from infra.deploy.doctor.examine import examine, finding_lines, findings, has_problems, skipped_checks
from infra.deploy.doctor.findings import CheckContext, Status, run_check
from infra.deploy.doctor.held import held
from infra.deploy.doctor.rotations import dependents_of_secrets
from infra.deploy.held import MADE, Stranded, is_made, stranded, with_debts, write_originals
from infra.deploy.local import LocalDeployment
from infra.deploy.rendering import print_json, print_to_stderr
from infra.deploy.send import send, succeeded
from infra.deploy.status import read_status, status_lines
from infra.deploy.target import LOCAL_DIRECTORY, NotLoggedIn, Target, in_the_cloud, on_this_machine, suite_and_target
from infra.deploy.terraform import NotDeployed, Terraform
from infra.suite.automations import load_automations
from infra.suite.deployment import PATH, TERRAFORM, Deployment, Suite, load_deployment
from infra.suite.settings import refuse_missing
from shared.errors import CaretakerError, cloud_errors, in_words
from shared.events import ASKED

AS_JSON = "print one JSON document, for a program"
WAIT_SECONDS = 60.0
AFTER_APPLY_SECONDS = 180.0
"""A function that was just deployed may take its time to start, and a new subscription to push."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; the exit code is 0 if all is well, 1 if something is not, 2 if it was not done, or not to its end."""
    from google.auth.exceptions import DefaultCredentialsError

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _do(given)
    except CaretakerError as error:
        return _failed(str(error), 2)
    except DefaultCredentialsError:
        return _failed(str(NotLoggedIn()), 2)
    except cloud_errors() as error:
        return _failed(in_words(error), 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code


def _do(arguments: list[str]) -> int:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "send":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "send":
        return _send(options, rest)
    if options.command in {"status", "doctor"}:
        suite, target = suite_and_target(options)
        if options.command == "doctor":
            return _doctor(CheckContext(suite, target), is_json=options.json)
        return _status(suite, target, options)
    return _deploy(options)


def _doctor(context: CheckContext, *, is_json: bool) -> int:
    if not is_json:
        return 0 if examine(context, print) else 1
    found = list(findings(context))
    print_json({"findings": found, "skipped": list(skipped_checks(context))})
    return 1 if has_problems(found) else 0


def _status(suite: Suite, target: Target, options: argparse.Namespace) -> int:
    status = read_status(suite, target, _automations(suite), target.now())
    if options.json:
        print_json(status)
        return 0
    print(*status_lines(status), sep="\n")
    if options.costs:
        print(*suite_cost_lines(), *cost_lines(suite.owner, target.now()), sep="\n")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    suite, target = suite_and_target(options)
    suite = with_debts(suite, target)
    is_json = options.command == "plan" and options.json
    say = print_to_stderr if is_json else print
    deployer: LocalDeployment | Terraform
    if target.is_local:
        deployer = LocalDeployment(suite, target, say=say)
    else:
        deployer = Terraform(
            suite,
            target.clients,
            ask=lambda words: _ask(words, yes=options.yes),
            say=say,
            folder=options.root,
            is_quiet=is_json,
        )
    if options.command == "plan":
        deployer.plan()
        context = CheckContext(suite, target)
        found = [
            finding
            for check in (held, dependents_of_secrets, caps_on_the_suite)
            for finding in run_check(check, context)
        ]
        found = [finding for finding in found if finding.status is not Status.OK]
        if is_json:
            print_json({"plan": deployer.planned(), "findings": found})
        for finding in () if is_json else found:
            print(*finding_lines(finding), sep="\n")
        return 0
    destroys = options.command == "destroy"
    _refuse_to_strand(stranded(suite, by_destroying=destroys), target, options)
    if not deployer.plan(destroy=destroys):
        print("nothing to apply")
    elif _ask("Destroy all of it?" if destroys else "Apply it?", yes=options.yes):
        if destroys:
            _delete_what_was_made(suite, target, options)
        deployer.apply()
    else:
        raise NotDeployed("nothing was changed")
    return 0 if destroys else _ask_for_status(suite, target, options.wait)


def _ask_for_status(suite: Suite, target: Target, seconds: float) -> int:
    """Ask each automation where things stand: that it answers shows that all between it and a person works."""
    answered = True
    for name in _automations(suite):
        status = commands_of(name).get("status")
        if status:
            report = send(target, name, status(), now=target.now(), wait_seconds=seconds, say=print)
            answered = answered and succeeded(report)
    return 0 if answered else 1


def _refuse_to_strand(found: list[Stranded], target: Target, options: argparse.Namespace) -> None:
    """Raise ``NotDeployed`` if nothing would restore a held resource; --even-if-held writes originals to a file."""
    for one in found:
        print(one)
    # `destroy` itself deletes what has no original.
    owed = [one for one in found if options.command != "destroy" or not is_made(one.automation, one.debt)]
    if owed and not options.even_if_held:
        raise NotDeployed(
            f"{len(owed)} fields of resources would stay changed: run the commands above first (docs/operate.md);"
            " with --even-if-held their originals are written to a file, for you to restore by hand"
        )
    if found and options.even_if_held:
        folder = options.directory if target.is_local else options.deployment.parent
        path = write_originals(found, folder, target.now())
        print(f"the originals are in {path}")


def _delete_what_was_made(suite: Suite, target: Target, options: argparse.Namespace) -> None:
    """Let each automation delete what it made, while it still can. Raises ``NotDeployed`` for what is still there."""
    for automation, (command, what) in MADE.items():
        made = [debt for debt in suite.debts.get(automation, ()) if is_made(automation, debt)]
        if not made or automation not in suite.automations:
            continue
        order = commands_of(automation)[command]()
        send(target, automation, order, now=target.now(), wait_seconds=options.wait, say=print)
        left = [debt for debt in with_debts(suite, target).debts[automation] if is_made(automation, debt)]
        if left and not options.even_if_held:
            raise NotDeployed(f"{len(left)} {what} are still there: {', '.join(one.resource for one in left)}")


def _send(options: argparse.Namespace, rest: list[str]) -> int:
    read_command(rest, datetime.now(UTC))  # prints help, or refuses a wrong command, wherever the suite is
    if not options.local:
        refuse_missing(options.deployment)
    target = _target(options, None if options.local else load_deployment(options.deployment))
    now = target.now()
    automation, command = read_command(rest, now)
    say = print_to_stderr if options.json else print
    plan = ASKED if options.plan else options.as_planned
    report = send(target, automation, command, now=now, wait_seconds=options.wait, say=say, plan=plan)
    if report and options.plan and not options.json:
        print(f"plan       {report.plan}: nothing was changed; do just this with --as-planned {report.plan}")
    if options.json:
        print_json(report)
    return 0 if succeeded(report) else 1


def _automations(suite: Suite) -> list[str]:
    return [name for name in suite.automations if name in load_automations()]


def _target(options: argparse.Namespace, deployment: Deployment | None) -> Target:
    if options.local or deployment is None:
        return on_this_machine(options.directory)
    return in_the_cloud(deployment.project)


def _ask(words: str, *, yes: bool) -> bool:
    """Whether a person agrees; without a terminal, only --yes does."""
    if yes:
        return True
    if not sys.stdin.isatty():
        return False
    return input(f"{words} [y/N] ").strip().lower() in {"y", "yes"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh", description="Deploys the suite, and sends it commands.", allow_abbrev=False
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--local", action="store_true", help="use the suite started with ./deploy.sh local")
    common.add_argument("--directory", type=Path, default=LOCAL_DIRECTORY, help=argparse.SUPPRESS)
    common.add_argument(
        "--deployment", type=Path, default=PATH, metavar="FILE", help="instead of settings/deployment.yaml"
    )
    common.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="instead of settings/caretaker.yaml, or of what ./deploy.sh local was started with",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in (
        ("plan", "show what would change; change nothing"),
        ("apply", "show the changes, ask, deploy, then ask each automation for its status"),
        ("destroy", "show what would be deleted, ask, and delete it"),
    ):
        command = commands.add_parser(name, help=words, description=words, parents=[common])
        command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        command.add_argument("--root", type=Path, default=TERRAFORM, help=argparse.SUPPRESS)
        command.add_argument("--wait", type=float, default=AFTER_APPLY_SECONDS, help=argparse.SUPPRESS)
        if name == "plan":
            command.add_argument("--json", action="store_true", help=AS_JSON)
        else:
            command.add_argument(
                "--even-if-held", action="store_true", help="although some resources would stay changed"
            )
    words = "check what is missing, and print the command that fixes it"
    command = commands.add_parser("doctor", help=words, description=words, parents=[common])
    command.add_argument("--json", action="store_true", help=AS_JSON)
    words = "show what is in force, what is held, and the latest reports"
    command = commands.add_parser("status", help=words, description=words, parents=[common])
    command.add_argument("--json", action="store_true", help=AS_JSON)
    command.add_argument("--costs", action="store_true", help="also estimate what the suite and the product cost")
    words = "send a command to an automation, and wait for its report"
    command = commands.add_parser("send", help=words, description=words, parents=[common], add_help=False)
    command.add_argument("--plan", action="store_true", help="only ask the automation what the command would change")
    command.add_argument("--as-planned", default="", metavar="PLAN", help="carry it out only if it does just that")
    command.add_argument("--json", action="store_true", help=AS_JSON)
    command.add_argument(
        "--wait",
        type=float,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the report (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
