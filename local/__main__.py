"""The suite at work on a local cloud: `./deploy.sh local`."""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.suite.automations import ROOT
from infra.suite.settings import PATH, load_caretaker_yaml, own_or_example
from local.console import Console
from local.endpoints import write_endpoints
from local.story import cap_spending, manage_previews, prune_backups, restore_drill, rotate_secrets, scale_gpu_pools
from local.story.player import Player
from local.story.previewed_product import database_of_previews, with_database
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.core.world import load_world, seed
from shared.errors import CaretakerError

HERE = ROOT / "local" / "story"
DIRECTORY = ROOT / ".local"
PATIENCE_SECONDS = 30.0
"""For a call to the local cloud: it may take some seconds until a preview has started."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Boot, play or serve; the exit code is 0 if every end state was as it should be."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.once and (options.settings or options.world or options.now):
        parser.error("--once plays the story, which brings its own settings, world and time")
    try:
        return _run(options)
    except (CaretakerError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nended\n")
        return 0


def _run(options: argparse.Namespace) -> int:
    console = Console()
    is_story = not (options.serve or options.settings or options.world or options.now)
    owner = load_caretaker_yaml(options.settings or (HERE / "caretaker.yaml" if is_story else own_or_example(PATH)))
    world = load_world(options.world or HERE / "world.yaml") if is_story or options.world else None
    options.directory.mkdir(parents=True, exist_ok=True)
    endpoints: Path = options.directory / "endpoints.json"
    endpoints.unlink(missing_ok=True)  # whoever waits for it must not be sent where an earlier run was
    start = options.now or (cap_spending.START if is_story else datetime.now(UTC))
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(rotate_secrets.database()) if is_story else None
        previews = stack.enter_context(database_of_previews(database))
        owner = with_database(owner, previews) if is_story else owner
        cloud = stack.enter_context(LocalCloud(now=start, running=not is_story))
        player = Player(cloud, console)
        suite = stack.enter_context(
            Suite(
                cloud,
                options.project,
                owner,
                on_line=player.on_line,
                error_log=options.directory / "functions.log",
                retry_seconds=PATIENCE_SECONDS,
            )
        )
        if world:
            seed(cloud, world)
        if is_story:
            rotate_secrets.prepare(cloud, database)
            prune_backups.prepare(suite)
        write_endpoints(endpoints, suite)
        console.say("ready", f"local cloud at {cloud.address}, functions at {suite.address} ({endpoints})")
        if is_story:
            cap_spending.play(player, suite)
            scale_gpu_pools.play(player, suite)
            manage_previews.play(player, suite, previews)
            rotate_secrets.play(player, suite, database)
            prune_backups.play(player, suite)
            restore_drill.play(player, suite)
            console.say(
                "story",
                f"{player.wrong} end states are not as they should be"
                if player.wrong
                else "all end states are as they should be",
            )
            if options.once:
                return 1 if player.wrong else 0
            cloud.clock.start_running()
        player.follow()
        console.say("serving", "until Ctrl-C")
        while True:
            time.sleep(3600)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh local",
        description="The suite at work on a local cloud: plays a story, then stays up until Ctrl-C.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="play the story and exit: 0 if all end states are right")
    how.add_argument("--serve", action="store_true", help="play no story")
    parser.add_argument("--settings", type=_file, metavar="FILE", help="your caretaker.yaml (plays no story)")
    parser.add_argument("--world", type=_file, metavar="FILE", help="what exists at the start (docs/local-cloud.md)")
    parser.add_argument("--now", type=_time, metavar="TIME", help="where the clock starts, such as 2026-11-01T09:00Z")
    parser.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help="where endpoints.json and the functions' log go (default: .local in the checkout)",
    )
    parser.add_argument(
        "--project", default="my-product", help="the project that the suite runs in (default: %(default)s)"
    )
    return parser


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return path


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: say it like 2026-11-01T09:00Z") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


if __name__ == "__main__":
    # However it is told to end, and even if a script has started it in the background, it takes the functions with it.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.default_int_handler)
    sys.exit(main())
