"""The local cloud without the rest of the repository, as another project uses it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
import requests

import localcloud
from localcloud.__main__ import main

ROOT = Path(localcloud.__path__[0]).parent
OF_SHARED = {
    *("shared.decoding", "shared.errors", "shared.settings", "shared.settings_errors", "shared.settings_words"),
    *("shared.supervisor", "shared.yaml12", "shared.yaml_file"),
}
WORLD = """
projects:
  demo-project:
    location: europe-west1
    services: {api: {}}
"""

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]


def test_of_shared_it_uses_what_knows_nothing_of_caretaker() -> None:
    graph = grimp.build_graph("localcloud", "shared", cache_dir=None)
    used = {one for one in graph.find_upstream_modules("localcloud", as_package=True) if one.startswith("shared.")}
    assert used == OF_SHARED
    names = ",".join(["__init__", *sorted(one.removeprefix("shared.") for one in OF_SHARED)])
    assert f"cp shared/{{{names}}}.py" in (ROOT / "localcloud/README.md").read_text()


def test_it_runs_without_the_rest(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "localcloud", tmp_path / "localcloud", ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("shared.__init__", *OF_SHARED):
        path = Path(*module.split(".")).with_suffix(".py")
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "world.yaml").write_text(WORLD)
    command = [sys.executable, "-m", "localcloud", "--world", "world.yaml", "--port", "0", "--http-port", "0"]
    command += ["--env", "shell"]
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = {line.split()[0]: line.split()[1] for line in (process.stdout.readline() for _ in range(4))}
            services = f"{lines['HTTP']}/run.googleapis.com/v2/projects/demo-project/locations/europe-west1/services"
            assert "europe-west1/services/api" in requests.get(services, timeout=30).text
            # Its files are named in full, so that a shell that sourced it can change folders.
            variables = (tmp_path / "shell/env.sh").read_text()
            assert f"export NODE_EXTRA_CA_CERTS={tmp_path / 'shell/certificate.pem'}" in variables.splitlines()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_world_that_is_wrong_names_the_file_and_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = tmp_path / "world.yaml"
    world.write_text("projects: {p: {servicez: {}}}")
    assert main(["--port", "0", "--http-port", "0", "--world", str(world)]) == 2
    assert "unknown key projects.p.servicez" in (error := capsys.readouterr().err)
    assert "did you mean services?" in error
