"""The help texts that `deploy.sh` prints at once; `./deploy.sh generate` writes them.

Most are written by the command's own parser, in advance: `--help` then works before Python is set up. Those of
commands without a parser, and the list of all commands, are written by hand.
"""

import contextlib
import importlib
import importlib.util
import io
import os
from pathlib import Path

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
    """The output of a command's own parser for ``--help``, on a terminal of ``WIDTH`` columns without colours.

    All are asked in one process: they share their imports, which take longer than the rest.
    """
    name, *before = MODULES[command]
    spec = importlib.util.find_spec(name)
    is_package = spec is not None and spec.submodule_search_locations is not None
    main = importlib.import_module(f"{name}.__main__" if is_package else name).main
    output, given = io.StringIO(), dict(os.environ)
    os.environ.update({"COLUMNS": WIDTH, "NO_COLOR": "1"})
    try:
        with contextlib.redirect_stdout(output):
            main([*before, "--help"])
    except SystemExit as end:
        if end.code:
            raise
    finally:
        os.environ.clear()
        os.environ.update(given)
    return output.getvalue()
