"""Runs many gcloud commands in one process, by gcloud's own Python: starting it takes longer than most of them.

The first argument is gcloud's ``lib`` folder; each line of standard input is a command. It runs outside of the project.
"""

import os
import shlex
import sys

lib = sys.argv[1]
sys.path[:0] = [lib, f"{lib}/third_party"]
sys.argv = ["gcloud"]

import gcloud  # type: ignore[import-not-found]  # noqa: E402

sys.path = gcloud.reorder_sys_path(sys.path)

from googlecloudsdk import gcloud_main  # type: ignore[import-not-found]  # noqa: E402

cli = gcloud_main.CreateCLI([])
for line in sys.stdin.read().splitlines():
    sys.stdout.flush()
    os.write(1, f"\n$ {line}\n".encode())
    try:
        cli.Execute(shlex.split(line))
    except SystemExit as error:
        sys.stdout.flush()
        os.write(1, f"exit {error.code}\n".encode())
