"""Makes a virtual environment that holds what a lock file pins; one that is up to date is left as it is.

Runs on a bare Python, so it uses the standard library alone:

    python3 infra/tools/environment.py .venv requirements.txt

uv installs, in a third of the CPU time that pip needs: pip installs uv first, and all the rest where uv cannot. With
the path of another environment's Python at the end, that one's uv and pip install: the new one gets no pip of its own.
"""

import ast
import fcntl
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# A person's own pip settings hold, as a company's package index is set there, but not those that would lead
# out of the environment.
PIP_SETTINGS = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
SHOWN_LINES = 15
UV_PIN = re.compile(r"^uv==.*\n(?: +.*\n)+", re.MULTILINE)
UV_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "disable-pip-version-check": "",
    "user": "",
    "require-virtualenv": "",
}
"""pip's settings as uv's variables, https://docs.astral.sh/uv/reference/environment/; empty where a complete lock
needs none."""


class InstallationFailed(Exception):
    """The pinned packages could not be installed; the message is the end of pip's output."""


def ensure(environment: Path, lock: Path, pip_of: Path | None = None) -> None:
    """Make ``environment`` hold exactly what ``lock`` pins, for the Python that runs this.

    Its own pip and uv install, or those of the environment whose Python is ``pip_of``: its own pip takes seconds.

    An interrupted installation leaves no mark behind, so the next run does it again; a second process that
    wants the same environment waits for the first. Raises `InstallationFailed`.
    """
    if environment.is_symlink():
        # To make an environment anew empties its folder, which another checkout may be using.
        raise InstallationFailed(
            f"{environment} is a link to {environment.readlink()}, which is not touched: remove the link first"
        )
    mark = environment / "installed"
    wanted = fingerprint(environment, lock)
    if _read(mark) == wanted:
        return
    with _alone(environment):
        if _read(mark) == wanted:
            return
        started = time.monotonic()
        version = platform.python_version()
        print(f"Installing into {environment.name} for Python {version}: up to half a minute, once.", flush=True)
        mark.unlink(missing_ok=True)
        _install(environment, lock, pip_of)
        mark.write_text(wanted)
        print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def fingerprint(environment: Path, lock: Path) -> str:
    """A digest of the pins, this Python, and the environment's place, on which an installation depends."""
    facts = (sys.version, sys.base_prefix, str(environment.absolute()), lock.read_text())
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _install(environment: Path, lock: Path, pip_of: Path | None) -> None:
    try:
        venv.create(environment, clear=True, symlinks=True, with_pip=pip_of is None)
    except subprocess.CalledProcessError as error:  # pip's own installation: its words, not the command
        raise InstallationFailed(_end_of(error.stdout.decode(errors="replace"))) from error
    python = environment / "bin" / "python"
    pip = (pip_of, "-m", "pip", "--python", python) if pip_of else (python, "-m", "pip")
    if not pip_of and (pin := UV_PIN.search(lock.read_text())):
        first = environment / "uv.txt"
        first.write_text(pin[0])
        _pip_installs(pip, first)
    if not _uv_installs(python, lock, pip_of or python):
        _pip_installs(pip, lock)


def _pip_installs(pip: Sequence[str | Path], lock: Path) -> None:
    # A lock is complete: nothing is left to resolve. Most modules are never imported: none is compiled early.
    options = ("--quiet", "--no-input", "--require-hashes", "--no-deps", "--no-compile", "--requirement", lock)
    run = subprocess.run(
        (*pip, "install", *options),
        env={**os.environ, **PIP_SETTINGS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        raise InstallationFailed(_end_of(run.stdout))


def _uv_installs(python: Path, lock: Path, uv_of: Path) -> bool:
    """Whether the uv of an environment has installed what is pinned, from where the person's pip would have."""
    uv = uv_of.with_name("uv")
    if not uv.exists():
        return False
    listed = subprocess.run((uv_of, "-m", "pip", "config", "list"), capture_output=True, text=True, check=False)
    settings = uv_settings(listed.stdout)
    if listed.returncode or settings is None:
        return False
    options = ("--quiet", "--no-config", "--require-hashes", "--no-deps", "--index-strategy=unsafe-best-match")
    run = subprocess.run(
        (uv, "pip", "install", *options, "--python", python, "--requirement", lock),
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return run.returncode == 0


def uv_settings(listed: str) -> dict[str, str] | None:
    """The variables that tell uv what ``pip config list`` printed; None if it has no word for a part of it."""
    settings: dict[str, str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = UV_SETTINGS.get(key.rpartition(".")[2])
        if name is None:
            return None
        separator = "," if name == "UV_FIND_LINKS" else " "
        text = separator.join(str(ast.literal_eval(value)).split())
        if name and settings.setdefault(name, text) != text:
            return None  # which of them holds is for pip to say
    settings.pop("", None)
    return settings


def _end_of(output: str) -> str:
    return "\n".join(output.splitlines()[-SHOWN_LINES:])


def _read(mark: Path) -> str | None:
    try:
        return mark.read_text()
    except FileNotFoundError:
        return None


@contextmanager
def _alone(environment: Path) -> Iterator[None]:
    """Hold a lock beside the environment; the system lets it go when the process ends, however it ends."""
    with environment.with_name(f"{environment.name}.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another run is installing into {environment.name}: waiting for it.", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Do it for a person: 0 when the environment is ready, else what went wrong and what to do next."""
    environment, lock, *pip_of = map(Path, arguments)
    try:
        ensure(environment, lock, *pip_of)
    except (InstallationFailed, OSError) as error:
        print(
            f"{error}\n\nThe installation into {environment.name} failed for the reason above.",
            file=sys.stderr,
        )
        print(
            "Fix it (often the network, or pip's settings: pip config list) and run this again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: the next run installs anew.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
