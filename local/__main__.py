"""The suite at work on a local cloud: `./deploy.sh local`."""

import argparse
import contextlib
import fcntl
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.suite.automations import ROOT, Entry, load_functions
from infra.suite.settings import PATH, load_caretaker_yaml, own_or_example
from local.console import OutputClosed
from local.functions_process import FunctionsProcess
from local.left_out import CLIENTS, leave_out
from shared.errors import CaretakerError, SettingsError
from shared.settings import ProjectId, convert

STORY = ROOT / "local" / "story" / "caretaker.yaml"
DIRECTORY = ROOT / ".local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Boot, play or serve; the exit code is 0 if every end state is as expected."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.what:
        from local.environment import print_environment

        return print_environment(parser, options.directory.resolve())
    if options.once and (options.settings or options.world or options.now):
        parser.error("--once plays the story, which brings its own settings, world and time")
    try:
        return _run(options)
    except (CaretakerError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot use {error.filename or options.directory}: {error.strerror}\n")
        return 2
    except OutputClosed:
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\nended\n")
        return 0


def _run(options: argparse.Namespace) -> int:
    """Start the functions' process and the database first: they take their time while the local cloud is imported."""
    is_story = not (options.serve or options.settings or options.world or options.now)
    settings = options.settings or (STORY if is_story else own_or_example(PATH))
    owner = load_caretaker_yaml(settings)
    directory: Path = options.directory.resolve()  # the functions run in another folder
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone_in(directory))
        # A program that waits for it must not be sent to an earlier run.
        (directory / "endpoints.json").unlink(missing_ok=True)
        automations = [name for name, one in load_functions().items() if name in owner and isinstance(one, Entry)]
        process = stack.enter_context(FunctionsProcess(directory / "functions.log", automations))
        started = None
        if is_story:
            from local.story.databases import databases

            started = stack.enter_context(databases())
        from local.laptop import run

        return run(options, settings, owner, process, started, is_story=is_story)


@contextlib.contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold a folder for this run. Raises ``RuntimeError`` if another run, which is still up, uses it."""
    with (directory / "lock").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise RuntimeError(
                f"process {held.read().strip()} already serves from {directory}: stop it, or give another --directory"
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh local",
        description="A demo of the suite on a local cloud: plays a story, then stays up until Ctrl-C.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("env",),
        help='env: print what a shell needs to reach the local cloud that is up: eval "$(./deploy.sh local env)"',
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="play the story and exit: 0 if all end states are right")
    how.add_argument("--serve", action="store_true", help="play no story")
    parser.add_argument("--verbose", action="store_true", help="show every event, change and reason of the story")
    parser.add_argument("--settings", type=_file, metavar="FILE", help="your caretaker.yaml (plays no story)")
    parser.add_argument("--world", type=_file, metavar="FILE", help="what exists at the start (localcloud/README.md)")
    parser.add_argument("--now", type=_time, metavar="TIME", help="where the clock starts, such as 2026-11-01T09:00Z")
    parser.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help="where endpoints.json and the functions' log go (default: .local in the checkout)",
    )
    parser.add_argument(
        "--project",
        type=_project,
        default="my-product",
        help="the project that the suite runs in (default: %(default)s)",
    )
    return parser


def _project(text: str) -> str:
    try:
        return convert(text, ProjectId, "--project")
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"cannot read {text}: no such file")
    return path


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid time {text!r}; expected one such as 2026-11-01T09:00Z") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


if __name__ == "__main__":
    leave_out(CLIENTS)
    # The functions end with it, whichever signal ends it, and even if a script has started it in the background.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)
    code = main()
    gc.freeze()  # or Python looks through all objects for cycles before it ends, for 0.3 s
    sys.exit(code)
