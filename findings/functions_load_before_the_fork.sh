#!/usr/bin/env bash
# functions-framework loads a function's module in one process and answers requests in another, which is forked later.
#
# functions-framework 3.10.2, gunicorn 27.0.1, 2026-11-29, Linux. gunicorn by itself loads an application in each worker
# (`preload_app` is off), and Google's guides have clients and caches made in a function's global scope. Started by its
# own command, as Google's buildpack does, functions-framework has read main.py before gunicorn forks the worker, so
#
#   a thread started in the global scope   is not there when the first request comes, and nothing says so
#   os.getpid() of the global scope        is the parent of the process that answers
#
# With `--debug` it is one process, and the thread runs, so a trial in debug mode does not show it. This fails if either
# mode behaves differently.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check functions-framework==3.10.2 gunicorn==27.0.1
cat >"$folder/main.py" <<'PYTHON'
import json
import os
import threading
import time

import functions_framework

LOADED_BY = os.getpid()
KEEPER = threading.Thread(target=time.sleep, args=(3600,), daemon=True)
KEEPER.start()


@functions_framework.http
def answer(request):
    return json.dumps({
        "same process": os.getpid() == LOADED_BY,
        "loaded by its parent": os.getppid() == LOADED_BY,
        "thread runs": KEEPER.is_alive(),
    })
PYTHON
PATH=$folder/venv/bin:$PATH PYTHONPATH='' python - "$folder" <<'PYTHON'
import importlib.metadata
import json
import socket
import subprocess
import sys
import time
import urllib.request

EXPECTED = {
    (): {"same process": False, "loaded by its parent": True, "thread runs": False},
    ("--debug",): {"same process": True, "loaded by its parent": False, "thread runs": True},
}


def asked(*options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["functions-framework", "--source", f"{sys.argv[1]}/main.py", "--target", "answer"]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), *options], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as said:
                    return json.load(said)
            except OSError:
                time.sleep(0.1)
        sys.exit("the function did not answer")
    finally:
        server.terminate()
        server.wait()


for name in ("functions-framework", "gunicorn"):
    print(name, importlib.metadata.version(name))
said = {options: asked(*options) for options in EXPECTED}
for options, answer in said.items():
    print(" ".join(("functions-framework", *options)), answer)
sys.exit(said != EXPECTED)
PYTHON
