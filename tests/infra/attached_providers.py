"""Runs Terraform with each provider started once: `terraform test` alone starts them anew for each step of a run.

    python -I attached_providers.py /usr/bin/terraform test -no-color

Twenty-two runs start them 131 times, which takes more than the runs themselves. What `terraform init` has installed is
started here instead, with the handshake of https://github.com/hashicorp/go-plugin, and handed over by the variable that
is there for debugging a provider: https://developer.hashicorp.com/terraform/plugin/debugging. Terraform asks the same
questions of it. The configurations of a provider share that process, so one with several must be a mock.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

USE_PROVIDERS = ("validate", "test")
INSTALLED = ".terraform/providers"
PROGRAMS = "*/*/*/*/*/terraform-provider-*"
"""Its folders: registry, namespace, name, version, platform, program."""
HANDSHAKE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "5,6",
}


def attached(process: "subprocess.Popen[str]") -> dict[str, object]:
    """The way to a provider that runs, as Terraform takes it, from the line that it prints when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        _, version, network, address, protocol = line.split("|")[:5]
    except ValueError:
        sys.exit(f"{process.args!r} printed no handshake of a Terraform provider: {line!r}")
    return {
        "Protocol": protocol,
        "ProtocolVersion": int(version),
        "Pid": process.pid,
        "Test": True,  # Terraform is not to end it
        "Addr": {"Network": network, "String": address},
    }


@contextmanager
def providers(installed: Path) -> Iterator[dict[str, object]]:
    """Every provider that is installed, running, by its address."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for program in installed.glob(PROGRAMS):
            name = "/".join(program.relative_to(installed).parts[:3])
            processes[name] = subprocess.Popen(program, env=os.environ | HANDSHAKE, stdout=subprocess.PIPE, text=True)
        yield {name: attached(process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.communicate()


def main(command: Sequence[str]) -> int:
    """Run a command of Terraform; returns its exit code."""
    if command[1] not in USE_PROVIDERS:
        return subprocess.run(command, check=False).returncode
    with providers(Path(INSTALLED)) as running:
        environment = os.environ | {"TF_REATTACH_PROVIDERS": json.dumps(running)}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
