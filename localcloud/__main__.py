"""A local cloud as a process of its own: ``python -m localcloud --world world.yaml``."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from localcloud import LocalCloud
from localcloud.shell import export_lines, write_environment
from localcloud.world import read_world, seed, world_from
from shared.errors import SettingsError
from shared.yaml_file import located_in

GRPC_PORT, HTTP_PORT = 8085, 8086


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; 2 if the world is not valid, or a port is taken."""
    options = _parser().parse_args(arguments)
    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    try:
        with contextlib.ExitStack() as stack:
            cloud = LocalCloud(now=options.now or datetime.now(UTC), running=options.now is None)
            stack.callback(cloud.stop)
            cloud.start(options.port)
            _create(cloud, options.world)
            cloud.http.listen(options.http_port)
            sys.stdout.write(_addresses(cloud))
            if options.env:
                variables = write_environment(cloud.http_address, options.env, options.project)
                (options.env / "env.sh").write_text(export_lines(variables), encoding="utf-8")
                sys.stdout.write(f"shell  source {options.env / 'env.sh'}\n")
            sys.stdout.flush()
            ended.wait()
    except (SettingsError, RuntimeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _create(cloud: LocalCloud, path: Path | None) -> None:
    if path is None:
        seed(cloud, world_from(None))
        return
    file, world = read_world(path)
    with located_in(file):
        seed(cloud, world)


def _addresses(cloud: LocalCloud) -> str:
    now = cloud.clock.now().isoformat(timespec="seconds")
    return (
        f"gRPC   {cloud.address}   for official clients, without TLS\n"
        f"HTTP   {cloud.http_address}   REST APIs, each under its host: /run.googleapis.com/v2/...\n"
        f"clock  {cloud.http_address}/localcloud/now   {now}; beside it: faults, calls\n"
    )


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in ISO 8601, such as 2026-11-01T09:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="Google Cloud's APIs on 127.0.0.1.")
    parser.add_argument("--world", type=Path, metavar="FILE", help="what exists at the start; nothing if left out")
    parser.add_argument("--now", type=_time, metavar="TIME", help="stop the clock at this time; it runs if left out")
    parser.add_argument("--port", type=int, default=GRPC_PORT, help="of gRPC (%(default)s); 0 is any free one")
    parser.add_argument("--env", type=Path, metavar="FOLDER", help="where to write what a shell needs, as env.sh")
    parser.add_argument("--project", default="demo-project", help="of that shell (%(default)s)")
    parser.add_argument("--http-port", type=int, default=HTTP_PORT, help="of HTTP (%(default)s); 0 is any free one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
