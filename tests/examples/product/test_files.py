"""The files beside the example's code: compose, the container, the workflow for previews' images."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.product import PRODUCT
from product_api.settings import Settings
from shared.yaml12 import read_yaml

pytestmark = pytest.mark.one_python

WORKFLOW = PRODUCT / ".github" / "workflows" / "preview-image.yaml"
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def read(path: Path) -> Any:
    return read_yaml(path.read_text(encoding="utf-8"))


def test_compose_listens_on_this_machine_alone_and_says_which_images() -> None:
    services = read(PRODUCT / "compose.yaml")["services"]
    assert set(services) == {"api", "tables", "postgres", "temporal"}
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(re.search(r":\d+(\.\d+)*$", service["image"]) for service in services.values() if "image" in service)


def test_compose_tells_the_api_what_it_reads() -> None:
    shown = read(PRODUCT / "compose.yaml")["services"]["api"]["environment"]
    assert Settings.of(shown).database_url == "postgresql://product:product@postgres/product"
    source = (PRODUCT / "product_api" / "settings.py").read_text(encoding="utf-8")
    assert [name for name in shown if f'"{name}"' not in source] == []


def test_the_container_installs_pins_alone_and_runs_as_nobody_special() -> None:
    text = (PRODUCT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in text
    assert re.search(r"^USER \d+$", text, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["python", "-m", "product_api"\]$', text, re.MULTILINE)
    assert re.search(r"^FROM python:3\.\d+-slim", text, re.MULTILINE)
    copied = re.findall(r"^COPY (?:--from=\S+ )?(\S+)", text, re.MULTILINE)
    assert all((PRODUCT / name).exists() for name in copied if not name.startswith("/"))


def test_the_workflow_never_runs_a_pull_requests_code_beside_a_credential() -> None:
    workflow = read(WORKFLOW)
    build, push = workflow["jobs"]["build"], workflow["jobs"]["push"]
    assert workflow["permissions"] == {}
    assert set(workflow["on"]) == {"pull_request", "workflow_dispatch"}
    assert build["permissions"] == {"contents": "read"}
    assert push["permissions"] == {"id-token": "write"}
    assert not any("checkout" in step.get("uses", "") for step in push["steps"])
    (checkout,) = (step for step in build["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False
    assert "github.event.pull_request.head.repo.full_name == github.repository" in push["if"]


def test_the_workflow_has_no_key_and_pins_what_it_uses() -> None:
    text, workflow = WORKFLOW.read_text(encoding="utf-8"), read(WORKFLOW)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(PINNED.fullmatch(step["uses"]) for step in steps if "uses" in step)
    assert "secrets." not in text
    assert "credentials_json" not in text
    # What others write must not become part of a script: scripts read it from variables.
    assert not any("${{" in step["run"] for step in steps if "run" in step)
    assert {"REGISTRY", "WORKLOAD_IDENTITY_PROVIDER"} == set(re.findall(r"vars\.(\w+)", text))


def test_the_workflows_scripts_are_bash() -> None:
    for job in read(WORKFLOW)["jobs"].values():
        for step in job["steps"]:
            subprocess.run(("bash", "-n"), input=step.get("run", "").encode(), check=True)


def test_the_workflow_tells_what_was_pushed_by_its_digest() -> None:
    (script,) = (step["run"] for step in read(WORKFLOW)["jobs"]["push"]["steps"] if step.get("id") == "push")
    assert 'docker push "$IMAGE:$COMMIT"' in script
    assert 'echo "digest=$digest" >> "$GITHUB_OUTPUT"' in script
