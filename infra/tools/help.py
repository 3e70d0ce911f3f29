"""The help texts that `deploy.sh` prints at once; `./deploy.sh generate` writes them.

Most are written by the command's own parser, in advance: `--help` then works before Python is set up. Those of
commands without a parser, and the list of all commands, are written by hand.
"""

import os
import subprocess
import sys
from pathlib import Path

from infra.suite.automations import ROOT

FOLDER = Path(__file__).with_name("help")
WIDTH = "100"
DEPLOY = ("infra.deploy",)
MODULES = {
    "local": ("local",),
    "bench": ("benchmarks",),
    "bundle": ("infra.deploy.bundle",),
    "new": ("infra.tools.new",),
    "generate": ("infra.tools.generate",),
    "init": ("infra.deploy.init",),
    "simulate": ("simulate",),
    "report": ("report",),
    "console": ("report.console",),
    "check": ("infra.deploy.check",),
    **{name: (*DEPLOY, name) for name in ("doctor", "plan", "apply", "status", "destroy")},
}
"""The module that answers each command, and what precedes its options."""
BY_HAND = ("all", "test", "lock", "send")


def text_of(command: str) -> str:
    """The output of a command's own parser for ``--help``. Raises ``subprocess.CalledProcessError`` if it fails."""
    return subprocess.run(
        (sys.executable, "-m", *MODULES[command], "--help"),
        cwd=ROOT,
        env={**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
