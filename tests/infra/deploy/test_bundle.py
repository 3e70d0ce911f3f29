"""Bundles: what is in them, that they are the same everywhere, and that they work by themselves."""

import ast
import base64
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra.deploy.bundle import bundle, main, write_bundles, zipped
from infra.suite.automations import ROOT, Entry, load_functions
from infra.tools import environment
from infra.tools.examples import every_section
from shared import settings
from shared.events import Tick, inbox_of

pytestmark = pytest.mark.one_python

FUNCTIONS = load_functions()
SECRET = b"It's a Secret to Everybody"
ALL_VARIABLE = "CARETAKER_ALL_BUNDLES"
INSTALLED = sorted(FUNCTIONS) if os.environ.get(ALL_VARIABLE) else ["cap_spending"]
NO_REGISTRY = re.compile("No matching distribution found|Failed to establish a new connection|Max retries exceeded")

# Starts a function as functions-framework's own program does, from a folder that is not the bundle's, and sends it one
# request. The last line says where its modules are from, and what it answered.
DRIVER = """
import json, sys
import functions_framework
target, source, signature = sys.argv[1:4]
request = json.loads(sys.argv[4])
application = functions_framework.create_app(target, source, signature)
answer = application.test_client().post(request["path"], data=request["body"], headers=request["headers"])
import functions, shared
print(json.dumps({"from": [functions.__file__, shared.__file__], "status": answer.status_code}))
"""


def unpacked(name: str, folder: Path) -> Path:
    """A bundle as Cloud Run unpacks it."""
    (path,) = write_bundles([name], folder / "zips").values()
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / name)
    return folder / name


def deployed_settings(name: str, folder: Path) -> str:
    """The environment that Terraform gives the function."""
    section = every_section()[name]
    if name == "receive_github":
        (folder / "secret").write_bytes(SECRET)
        section = {**section, "secret_file": str(folder / "secret")}
    return msgspec.json.encode({"mode": "observe", name: section}).decode()


def real_event(name: str) -> dict[str, object]:
    """A push of a tick that a newer one has superseded, which makes no call; for webhooks, GitHub's ping."""
    if not isinstance(FUNCTIONS[name], Entry):
        body = b"{}"
        headers = {
            "X-GitHub-Event": "ping",
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest(),
            "Content-Type": "application/json",
        }
        return {"path": "/", "body": body.decode(), "headers": headers}
    message = {
        "data": base64.b64encode(msgspec.json.encode(Tick(every_seconds=60))).decode(),
        "attributes": {},
        "messageId": "1",
        "publishTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    }
    return {
        "path": f"/projects/my-caretaker/topics/{inbox_of(name)}",
        "body": json.dumps({"message": message, "subscription": "projects/my-caretaker/subscriptions/s"}),
        "headers": {"Content-Type": "application/json"},
    }


def answers(python: Path | str, name: str, folder: Path) -> list[dict[str, object]]:
    """The JSON lines that a bundle wrote when it was started alone and triggered once."""
    home = unpacked(name, folder)
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "CARETAKER_", "COVERAGE_"))
    }
    run = subprocess.run(
        # Google's buildpack says http for whatever is deployed as HTTP.
        [python, "-P", "-c", DRIVER, name, home / "main.py", "http", json.dumps(real_event(name))],
        cwd=folder,
        env={
            **kept,
            settings.VARIABLE: deployed_settings(name, folder),
            "CARETAKER_PROJECT": "my-caretaker",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines[-1] == {"from": [f"{home}/functions/__init__.py", f"{home}/shared/__init__.py"], "status": 200}
    return lines


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_answers_a_real_event_by_itself(name: str, tmp_path: Path) -> None:
    reports = [line["report"] for line in answers(sys.executable, name, tmp_path) if "report" in line]
    if isinstance(FUNCTIONS[name], Entry):
        (report,) = reports
        assert isinstance(report, dict)
        assert (report["automation"], report["event"], report["outcome"]) == (name, "Tick", "unchanged")


@pytest.mark.parametrize("name", INSTALLED)
def test_a_bundle_needs_no_more_than_its_own_pins(name: str, tmp_path: Path) -> None:
    try:
        lock = unpacked(name, tmp_path) / "requirements.txt"
        environment.ensure(tmp_path / "environment", lock, pip_of=Path(sys.executable))
    except environment.InstallationFailed as failed:
        if NO_REGISTRY.search(str(failed)):
            pytest.skip(f"no package registry: {len(INSTALLED)} bundles are not installed anew")
        raise
    answers(tmp_path / "environment" / "bin" / "python", name, tmp_path)


def test_the_other_bundles_are_installed_anew_when_asked_for() -> None:
    if left := len(set(FUNCTIONS) - set(INSTALLED)):
        pytest.skip(f"{left} bundles are started with the project's own packages alone: {ALL_VARIABLE}=1 installs each")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_has_what_its_function_imports_and_nothing_else(name: str) -> None:
    files = bundle(name)
    assert {path for path in files if "/" not in path} == {"main.py", "requirements.txt"}
    others = {path for path in files if path.startswith("functions/") and not path.startswith(f"functions/{name}/")}
    assert others == {"functions/__init__.py"}
    assert all(path.endswith(".py") for path in files if "/" in path)
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files}
    packages = {"functions", "shared", *(module.rpartition(".")[0] for module in modules)}
    imports = [
        node
        for path, content in files.items()
        if path.endswith(".py")
        for node in ast.walk(ast.parse(content))
        if isinstance(node, ast.ImportFrom)
    ]
    imported = {each for node in imports for each in (node.module, *(f"{node.module}.{a.name}" for a in node.names))}
    unused = modules - {"main", "requirements.txt"} - imported - packages
    assert unused == set()


def test_a_bundle_depends_on_its_sources_alone(tmp_path: Path) -> None:
    names = ["receive_github"]
    (here,) = write_bundles(names, tmp_path / "here").values()
    elsewhere = tmp_path / "elsewhere"
    for part in ("functions", "shared"):
        shutil.copytree(ROOT / part, elsewhere / part, copy_function=shutil.copyfile)  # other times, other modes
    assert zipped(bundle("receive_github", elsewhere)) == here.read_bytes()
    # Nothing in it depends on the version of zlib, or on the machine.
    with zipfile.ZipFile(here) as archive:
        assert {(entry.compress_type, entry.create_system, entry.date_time[0]) for entry in archive.infolist()} == {
            (zipfile.ZIP_STORED, 3, 1980)
        }
    (elsewhere / "shared" / "errors.py").write_text("# another\n")
    assert zipped(bundle("receive_github", elsewhere)) != here.read_bytes()


def test_older_bundles_of_a_function_are_taken_away(tmp_path: Path) -> None:
    old = tmp_path / "receive_github-0123456789abcdef.zip"
    other = tmp_path / "receive_github_too-0123456789abcdef.zip"
    for path in (old, other):
        path.touch()
    (first,) = write_bundles(["receive_github"], tmp_path).values()
    written = first.stat().st_mtime_ns
    (again,) = write_bundles(["receive_github"], tmp_path).values()
    assert (again, again.stat().st_mtime_ns) == (first, written)
    assert sorted(tmp_path.iterdir()) == sorted([first, other])


def test_a_function_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mow_the_lawn"])
    assert f"there is no function 'mow_the_lawn': there are {', '.join(FUNCTIONS)}" in capsys.readouterr().err
