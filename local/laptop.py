"""The run of a suite on a local cloud: its story, or what a person brings, until the end."""

import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES, refuse_another_kind
from local.console import Console, OutputClosed
from local.endpoints import write_endpoints
from local.functions_process import FunctionsProcess
from local.story import (
    cap_spending,
    manage_previews,
    notify_chat,
    prune_backups,
    restore_drill,
    rotate_secrets,
    scale_gpu_pools,
)
from local.story.databases import Databases
from local.story.player import Player
from local.story.previewed_product import with_database
from local.story.summary import reading, summary
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.shell import export_lines, write_environment
from localcloud.world import World, read_world, seed
from shared.errors import SettingsError
from shared.yaml_file import YamlFile, located_in, read_yaml_file

HERE = ROOT / "local" / "story"
PATIENCE_SECONDS = 30.0
"""For a call to the local cloud: it may take some seconds until a preview has started."""


def run(
    options: Namespace,
    settings: Path,
    owner: Mapping[str, object],
    process: FunctionsProcess,
    databases: Databases | None,
    *,
    is_story: bool,
) -> int:
    """Boot, play or serve; the exit code is 0 if every end state is as expected."""
    console = Console(is_verbose=options.verbose or not is_story)
    world = read_world_file(options.world or HERE / "world.yaml") if is_story or options.world else None
    directory: Path = options.directory.resolve()
    start = options.now or (cap_spending.START if is_story else datetime.now(UTC))
    with LocalCloud(now=start, running=not is_story) as cloud:
        if databases:
            owner = with_database(owner, databases.previews)
            settings = _written(owner, directory)
        player = Player(cloud, console)
        with Suite(
            cloud,
            options.project,
            owner,
            on_line=player.on_line,
            error_log=process.error_log,
            retry_seconds=PATIENCE_SECONDS,
            process=process,
        ) as suite:
            if world:
                with located_in(world[0]):
                    seed(cloud, world[1])
            if is_story:
                manage_previews.prepare(cloud, databases)
                rotate_secrets.prepare(cloud, databases)
                prune_backups.prepare(suite)
            endpoints = directory / "endpoints.json"
            write_endpoints(endpoints, suite, settings, EXAMPLES / "deployment.yaml" if is_story else None)
            console.say("ready", f"local cloud at {cloud.address}, functions at {suite.address} ({endpoints})")
            if is_story:
                with restore_drill.drill(databases) as drill:
                    _play(player, suite, databases, drill)
                if options.once:
                    cloud.clock.settle()  # what has been pushed is answered
                    _end_soon(process, databases)
                _write_report(suite, console, directory)
                if options.once:
                    return 1 if player.wrong else 0
                cloud.clock.start_running()
            else:
                console.say("shell", 'for gcloud, curl, Node and others: eval "$(./deploy.sh local env)", or paste:')
                console.paste(export_lines(write_environment(cloud.http_address, directory, options.project)))
            player.follow()
            console.say("serving", "until Ctrl-C")
            return _serve(suite, console)


def _end_soon(process: FunctionsProcess, databases: Databases | None) -> None:
    """Let the functions and the database end while the report is written, which needs neither."""
    process.end_soon()
    if databases:
        databases.stop_soon()


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


def _play(player: Player, suite: Suite, databases: Databases | None, drill: restore_drill.Drill | None) -> None:
    """Play the whole story, and end with its summary."""
    cap_spending.play(player, suite)
    scale_gpu_pools.play(player, suite)
    manage_previews.play(player, suite, databases)
    rotate_secrets.play(player, suite, databases)
    prune_backups.play(player, suite)
    restore_drill.play(player, suite, drill)
    notify_chat.play(player)
    console = player.console
    console.heading(player.cloud.clock.now(), "Summary")
    for label, words in summary(player.reports, checks=player.checks, wrong=player.wrong):
        console.paragraph(f"  {label:<10} {words}")
    console.paragraph("Next:")
    for line in reading(is_verbose=console.is_verbose):
        console.paragraph(f"  {line}")


def _write_report(suite: Suite, console: Console, directory: Path) -> None:
    from report.writing import write

    page = write(suite.deployed, suite.target, directory / "report.html")
    console.say("report", f"{page.as_uri()} (./deploy.sh report --local)")


def _serve(suite: Suite, console: Console) -> int:
    """Stay up until Ctrl-C, or until the functions end by themselves: then 1, with the end of what they wrote."""
    while True:
        time.sleep(1)
        if console.is_closed:
            raise OutputClosed
        if failure := suite.failure():
            sys.stderr.write(f"{failure}\n")
            return 1
