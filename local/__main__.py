"""The suite at work on a local cloud: `./deploy.sh local`."""

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES, PATH, load_caretaker_yaml, own_or_example, refuse_another_kind
from local.console import Console, OutputClosed
from local.endpoints import write_endpoints
from local.environment import print_environment
from local.story import (
    cap_spending,
    manage_previews,
    notify_chat,
    prune_backups,
    restore_drill,
    rotate_secrets,
    scale_gpu_pools,
)
from local.story.player import Player
from local.story.previewed_product import Variables, database_of_previews, with_database
from local.story.summary import reading, summary
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.shell import export_lines, write_environment
from localcloud.world import World, read_world, seed
from report.writing import write
from shared.errors import CaretakerError, SettingsError
from shared.postgres_server import PostgresServer
from shared.settings import ProjectId, convert
from shared.yaml_file import YamlFile, located_in, read_yaml_file

HERE = ROOT / "local" / "story"
DIRECTORY = ROOT / ".local"
PATIENCE_SECONDS = 30.0
"""For a call to the local cloud: it may take some seconds until a preview has started."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Boot, play or serve; the exit code is 0 if every end state is as expected."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.what:
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
    is_story = not (options.serve or options.settings or options.world or options.now)
    console = Console(is_verbose=options.verbose or not is_story)
    settings = options.settings or (HERE / "caretaker.yaml" if is_story else own_or_example(PATH))
    owner = load_caretaker_yaml(settings)
    world = read_world_file(options.world or HERE / "world.yaml") if is_story or options.world else None
    directory: Path = options.directory.resolve()  # the functions run in another folder
    directory.mkdir(parents=True, exist_ok=True)
    start = options.now or (cap_spending.START if is_story else datetime.now(UTC))
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone_in(directory))
        endpoints = directory / "endpoints.json"
        endpoints.unlink(missing_ok=True)  # a program that waits for it must not be sent to an earlier run
        database = stack.enter_context(rotate_secrets.database()) if is_story else None
        previews = stack.enter_context(database_of_previews(database))
        if previews:
            owner = with_database(owner, previews)
            settings = _written(owner, directory)
        cloud = stack.enter_context(LocalCloud(now=start, running=not is_story))
        player = Player(cloud, console)
        suite = stack.enter_context(
            Suite(
                cloud,
                options.project,
                owner,
                on_line=player.on_line,
                error_log=directory / "functions.log",
                retry_seconds=PATIENCE_SECONDS,
            )
        )
        if world:
            with located_in(world[0]):
                seed(cloud, world[1])
        if is_story:
            rotate_secrets.prepare(cloud, database)
            prune_backups.prepare(suite)
        write_endpoints(endpoints, suite, settings, EXAMPLES / "deployment.yaml" if is_story else None)
        console.say("ready", f"local cloud at {cloud.address}, functions at {suite.address} ({endpoints})")
        if is_story:
            _play(player, suite, database, previews)
            page = write(suite.deployed, suite.target, directory / "report.html")
            console.say("report", f"{page.as_uri()} (./deploy.sh report --local)")
            if options.once:
                return 1 if player.wrong else 0
            cloud.clock.start_running()
        if not is_story:
            console.say("shell", 'for gcloud, curl, Node and others: eval "$(./deploy.sh local env)", or paste:')
            console.paste(export_lines(write_environment(cloud.http_address, directory, options.project)))
        player.follow()
        console.say("serving", "until Ctrl-C")
        return _serve(suite, console)


def read_world_file(path: Path) -> tuple[YamlFile, World]:
    """A world, and the lines of its keys. Raises ``SettingsError``, which names another kind of file as such."""
    try:
        return read_world(path)
    except SettingsError:
        refuse_another_kind(read_yaml_file(path), "world", "a world")
        raise


def _written(owner: Mapping[str, object], directory: Path) -> Path:
    """The story's settings as they are deployed, in a file for `./deploy.sh --local`: YAML reads JSON."""
    path = directory / "caretaker.yaml"
    path.write_bytes(msgspec.json.encode(owner))
    return path


def _play(player: Player, suite: Suite, database: PostgresServer | None, previews: Variables) -> None:
    """Play the whole story, and end with its summary."""
    cap_spending.play(player, suite)
    scale_gpu_pools.play(player, suite)
    manage_previews.play(player, suite, previews)
    rotate_secrets.play(player, suite, database)
    prune_backups.play(player, suite)
    restore_drill.play(player, suite)
    notify_chat.play(player)
    console = player.console
    console.heading(player.cloud.clock.now(), "Summary")
    for label, words in summary(player.reports, checks=player.checks, wrong=player.wrong):
        console.paragraph(f"  {label:<10} {words}")
    console.paragraph("Next:")
    for line in reading(is_verbose=console.is_verbose):
        console.paragraph(f"  {line}")


def _serve(suite: Suite, console: Console) -> int:
    """Stay up until Ctrl-C, or until the functions end by themselves: then 1, with the end of what they wrote."""
    while True:
        time.sleep(1)
        if console.is_closed:
            raise OutputClosed
        if failure := suite.failure():
            sys.stderr.write(f"{failure}\n")
            return 1


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
    # The functions end with it, whichever signal ends it, and even if a script has started it in the background.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)
    sys.exit(main())
