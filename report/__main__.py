"""`./deploy.sh report`: writes the page, or the same as Markdown or JSON."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from infra.deploy.target import LOCAL_DIRECTORY, Target, in_the_cloud, on_this_machine
from infra.suite.deployment import PATH, REGION, Suite, load_suite
from infra.suite.settings import PATH as SETTINGS_PATH
from infra.suite.settings import own_or_example, refuse_missing
from report.reading import local_zone
from report.sources import Month
from report.writing import RENDERINGS, write
from shared.errors import CaretakerError, cloud_errors, in_words

USUAL = Path("report.html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write it; the exit code is 0 if it was written, else 1 or 2."""
    from google.auth.exceptions import DefaultCredentialsError

    options = _parser().parse_args(arguments)
    try:
        path = write_report(options)
    except CaretakerError as error:
        return _failed(str(error), 2)
    except DefaultCredentialsError:
        return _failed("not logged in; run: gcloud auth application-default login", 2)
    except cloud_errors() as error:
        return _failed(in_words(error), 1)
    except OSError as error:
        return _failed(f"cannot write {options.out}: {error.strerror}", 2)
    sys.stdout.write(f"{path.resolve().as_uri()}\n")
    return 0


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code


def write_report(options: argparse.Namespace) -> Path:
    """The file that was written."""
    suite, target = suite_and_target(options)
    zone = options.time_zone or local_zone()
    month = Month.around(options.month.replace(tzinfo=zone) if options.month else target.now(), zone)
    return write(suite, target, options.out, month=month, zone=zone)


def suite_and_target(options: argparse.Namespace) -> tuple[Suite, Target]:
    """What is deployed, and where."""
    deployment, settings = options.deployment, options.settings or SETTINGS_PATH
    if options.local:
        started_with = None if options.settings else on_this_machine(options.directory).settings
        deployment, settings = own_or_example(deployment), started_with or own_or_example(settings)
    refuse_missing(settings, deployment)
    suite = load_suite(deployment, settings)
    if not options.local:
        return suite, in_the_cloud(suite.deployment.project)
    target = on_this_machine(options.directory)
    here = msgspec.structs.replace(suite.deployment, project=target.project, region=REGION)
    return Suite(here, suite.owner), target


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh report",
        description="Writes one page: cost against budgets, what is held and how to undo it, what needs a person, "
        "what was saved, and what happened.",
    )
    parser.add_argument("--local", action="store_true", help="of the suite started with ./deploy.sh local")
    parser.add_argument("--month", type=_month, metavar="M", help="such as 2026-11 (default: this month)")
    parser.add_argument(
        "--out", type=_out, default=USUAL, metavar="FILE", help="ends in .html, .md or .json (default: %(default)s)"
    )
    parser.add_argument(
        "--time-zone", type=_zone, metavar="ZONE", help="such as Europe/Berlin (default: this machine's)"
    )
    parser.add_argument("--directory", type=Path, default=LOCAL_DIRECTORY, help=argparse.SUPPRESS)
    parser.add_argument(
        "--deployment", type=Path, default=PATH, metavar="FILE", help="instead of settings/deployment.yaml"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="instead of settings/caretaker.yaml")
    return parser


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - the zone is another option
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid month {text!r}; expected one such as 2026-11") from None


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in RENDERINGS:
        raise argparse.ArgumentTypeError(f"{text!r} must end in {', '.join(RENDERINGS)}")
    return path


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(f"unknown time zone {text!r}; expected one such as Europe/Berlin") from None


if __name__ == "__main__":
    sys.exit(main())
