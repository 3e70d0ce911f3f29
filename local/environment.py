"""`./deploy.sh local env`: prints what a shell has to have set to reach the local cloud that is up."""

import argparse
import json
import sys
from pathlib import Path

from localcloud.shell import export_lines, write_environment


def print_environment(parser: argparse.ArgumentParser, directory: Path) -> int:
    """Print the lines for ``eval``. Exits with 2 if no local cloud serves from the folder."""
    try:
        endpoints = json.loads((directory / "endpoints.json").read_text(encoding="utf-8"))
        environment = write_environment(endpoints["http"], directory, endpoints["project"])
    except OSError:
        sys.stdout.write("false\n")  # `eval` of nothing would succeed, and what follows it would reach the world
        parser.exit(2, f"no local cloud serves from {directory}: start one with ./deploy.sh local --serve\n")
    sys.stdout.write(export_lines(environment))
    return 0
