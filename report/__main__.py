"""`./deploy.sh report`: writes the page, or the same as Markdown or JSON."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.deploy.target import suite_and_target
from report.options import deployed_options, explained
from report.reading import local_zone
from report.sources import Month
from report.writing import RENDERINGS, write

USUAL = Path("report.html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write it, and print its address; the exit code is 0 if it was written, else 1 or 2."""
    options = _parser().parse_args(arguments)
    return explained(lambda: _write(options))


def _write(options: argparse.Namespace) -> int:
    suite, target = suite_and_target(options)
    zone = options.time_zone or local_zone()
    month = Month.named(options.month, zone) if options.month else Month.around(target.now(), zone)
    path = write(suite, target, options.out, month=month, zone=zone)
    sys.stdout.write(f"{path.resolve().as_uri()}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh report",
        description="Writes one page: cost against budgets, what is held and how to undo it, what needs a person, "
        "what was saved, and what happened.",
        parents=[deployed_options()],
    )
    parser.add_argument("--month", type=_month, metavar="M", help="such as 2026-11 (default: this month)")
    parser.add_argument(
        "--out", type=_out, default=USUAL, metavar="FILE", help="ends in .html, .md or .json (default: %(default)s)"
    )
    parser.add_argument(
        "--time-zone", type=_zone, metavar="ZONE", help="such as Europe/Berlin (default: this machine's)"
    )
    return parser


def _month(text: str) -> str:
    try:
        Month.named(text, ZoneInfo("UTC"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid month {text!r}; expected one such as 2026-11") from None
    return text


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
