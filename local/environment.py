"""`./deploy.sh local env`: prints what a shell has to have set to reach the local cloud that is up."""

import argparse
import json
import os
import sys
from pathlib import Path

from localcloud.shell import export_lines


def print_environment(parser: argparse.ArgumentParser, directory: Path) -> int:
    """Print the lines for ``eval``. Exits with 2 if no local cloud serves from the folder."""
    path = directory / "endpoints.json"
    if not path.exists() or not _is_up(directory):
        parser.exit(2, f"no local cloud serves from {directory}: start one with ./deploy.sh local --serve\n")
    sys.stdout.write(export_lines(json.loads(path.read_text(encoding="utf-8"))["environment"]))
    return 0


def _is_up(directory: Path) -> bool:
    """Whether the process that holds the folder lives."""
    try:
        os.kill(int((directory / "lock").read_text(encoding="utf-8").strip()), 0)
    except (OSError, ValueError):
        return False
    return True
