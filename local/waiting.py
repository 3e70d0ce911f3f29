"""Runs a module as a program once it knows its environment: a line of JSON on its standard input.

    python local/waiting.py MODULE IMPORTED...

It has imported modules that the program needs by then, so that they take their time before anybody waits for it.
"""

import importlib
import json
import os
import runpy
import sys


def main(module: str, *imported: str) -> None:
    """Import, wait, and run it; do not, if standard input ends first."""
    for one in imported:
        importlib.import_module(one)
    if line := sys.stdin.readline():
        os.environ.update(json.loads(line))
        sys.argv = [module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
