"""The cost of the laptop run: the memory of its two processes, and the seconds of the whole story."""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Figure, show
from benchmarks.processes import resident_bytes
from infra.suite.automations import ROOT
from infra.suite.settings import load_caretaker_yaml
from local.story import cap_spending, manage_previews, prune_backups, restore_drill, rotate_secrets, scale_gpu_pools

MEBIBYTE = 1024 * 1024
MOST_MEBIBYTES = 250.0
MOST_SECONDS = 20.0
# As `python -m local` does, before anything imports Google's packages: this module does too.
PLAY = "from local.left_out import leave_out; leave_out(); import benchmarks.memory as memory; memory.play()"


def measure() -> bool:
    """Measure and print. Returns whether it could be measured."""
    environment = os.environ | {"MALLOC_ARENA_MAX": "1"}  # as deploy.sh has it
    run = partial(subprocess.run, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    play = run([sys.executable, "-c", PLAY])
    cloud, functions = (int(part) / MEBIBYTE for part in play.stdout.split()[-2:])
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "local", "--once"], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    took = time.perf_counter() - begun
    figures = [
        Figure("all functions and the local cloud", "what we allow", cloud + functions, MOST_MEBIBYTES, "MiB", 1.0),
        Figure("./deploy.sh local --once", "what we allow", took, MOST_SECONDS, "s", 1.0),
    ]
    show(
        "The laptop run",
        figures,
        [f"resident at the story's end: local cloud {cloud:.0f} MiB, functions {functions:.0f} MiB"],
    )
    return True


def play() -> None:
    """Play the whole story in this process, and print the resident bytes of it and of the functions' process."""
    from local.console import Console
    from local.story.player import Player
    from local.story.previewed_product import database_of_previews, with_database
    from local.suite import Suite
    from localcloud import LocalCloud
    from localcloud.world import load_world, seed

    story = ROOT / "local" / "story"
    owner = load_caretaker_yaml(story / "caretaker.yaml")
    with (
        tempfile.TemporaryDirectory() as folder,
        rotate_secrets.database() as database,
        database_of_previews(database) as previews,
        LocalCloud(now=cap_spending.START) as cloud,
    ):
        player = Player(cloud, Console())
        owner = with_database(owner, previews)
        with Suite(cloud, "my-product", owner, on_line=player.on_line, error_log=Path(folder) / "log") as suite:
            seed(cloud, load_world(story / "world.yaml"))
            rotate_secrets.prepare(cloud, database)
            prune_backups.prepare(suite)
            cap_spending.play(player, suite)
            scale_gpu_pools.play(player, suite)
            manage_previews.play(player, suite, previews)
            rotate_secrets.play(player, suite, database)
            prune_backups.play(player, suite)
            restore_drill.play(player, suite)
            sys.stdout.write(f"\n{resident_bytes(os.getpid())} {resident_bytes(suite.process_id)}\n")
