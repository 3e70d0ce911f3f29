"""Keeps a server running for exactly as long as its owner lives, however the owner ends.

A program of its own, which imports nothing of the suite:

    python -I shared/keeper.py SIGNAL USER FOLDER COMMAND...

It runs the command, as USER if one is named, until its standard input ends, which happens at the latest when the
process that holds the other end dies. What comes there before that is the command's. Then it ends the command with
SIGNAL (such as SIGQUIT), and removes FOLDER. If the command ends by itself this ends with its exit code, and FOLDER
stays.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading

CHUNK = 64 * 1024
QUIT_SECONDS = 10.0


def main(ending: str, user: str, folder: str, *command: str) -> int:
    """Run the command; its exit code."""
    let_go = threading.Event()
    group = pwd.getpwnam(user).pw_gid if user else None
    server = subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        cwd=folder,
        user=user or None,
        group=group,
        extra_groups=[] if user else None,
    )

    def end(*_: object) -> None:
        let_go.set()
        server.send_signal(signal.Signals[ending])

    def follow() -> None:
        while said := os.read(0, CHUNK):
            if server.stdin:
                with contextlib.suppress(BrokenPipeError):  # it has ended, or reads nothing
                    server.stdin.write(said)
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(QUIT_SECONDS)
        server.kill()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=follow, daemon=True).start()
    code = server.wait()
    if let_go.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
