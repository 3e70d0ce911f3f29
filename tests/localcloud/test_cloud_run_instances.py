"""Services of the local Cloud Run that really run: a process behind each image of which it is said what is in it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

from local.product import until
from localcloud import LocalCloud
from localcloud.run.instance import Program
from localcloud.world import seed, world_from
from shared.clients import Clients

pytestmark = pytest.mark.one_python

PARENT = "projects/demo-project/locations/europe-west1"
API = f"{PARENT}/services/api"
IMAGE = "example.com/api@sha256:1"
BROKEN = "example.com/api@sha256:2"
ECHO = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        request = {"path": self.path, "host": self.headers["Host"], "body": body}
        said = {**request, "environment": dict(os.environ), "folder": os.getcwd()}
        answer = json.dumps(said).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

print("up", flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PROGRAM = Program((sys.executable, "-I", "-c", ECHO), {"BAKED": "in", "TOLD": "by the image"})
WORLD: dict[str, object] = {"projects": {"demo-project": {"secrets": {"db": {"versions": ["one", "two"]}}}}}


@contextmanager
def a_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        seed(cloud, world_from(WORLD))
        cloud.run.instances.know(IMAGE, PROGRAM)
        cloud.run.instances.know(
            BROKEN, Program((sys.executable, "-I", "-c", "import os; raise SystemExit(os.getcwd())"))
        )
        yield cloud


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with a_cloud() as cloud:
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    clients = Clients("demo-project", endpoint=cloud.address, http_endpoint=cloud.http_address)
    yield clients
    clients.close()


def a_service(image: str, **env: object) -> run_v2.Service:
    container = {"image": image, "env": [{"name": name, **_valued(value)} for name, value in env.items()]}
    return run_v2.Service(name=API, template={"containers": [container]})


def _valued(value: object) -> dict[str, object]:
    return {"value": value} if isinstance(value, str) else {"value_source": {"secret_key_ref": value}}


def create(clients: Clients, image: str, **env: object) -> run_v2.Service:
    services = clients.of(run_v2.ServicesClient)
    made = services.create_service(parent=PARENT, service=a_service(image, **env), service_id="api", retry=None)
    return run_v2.Service(made.result(timeout=10))


def update(clients: Clients, image: str, **env: object) -> run_v2.Service:
    services = clients.of(run_v2.ServicesClient)
    return run_v2.Service(services.update_service(service=a_service(image, **env), retry=None).result(timeout=10))


def ask(clients: Clients, uri: str, path: str = "/") -> Any:
    """A service's answer to a POST; the status alone, unless it is 201."""
    answer = clients.public_session.post(clients.url(f"{uri}{path}"), data=b"tea", timeout=30)
    return answer.json() if answer.status_code == 201 else answer.status_code


def test_it_runs_with_what_cloud_run_tells_it(clients: Clients) -> None:
    made = create(clients, IMAGE, TOLD="by the service", DB={"secret": "db", "version": "2"})
    said = ask(clients, made.uri, "/orders?item=tea&size=2")
    variables, _ = said.pop("environment"), said.pop("folder")
    assert said == {"path": "/orders?item=tea&size=2", "host": made.uri.removeprefix("https://"), "body": "tea"}
    assert (variables["K_SERVICE"], variables["K_CONFIGURATION"]) == ("api", "api")
    assert f"{API}/revisions/{variables['K_REVISION']}" == made.latest_ready_revision
    assert (variables["BAKED"], variables["TOLD"], variables["DB"]) == ("in", "by the service", "two")
    # Nothing of our own environment: names of folders, endpoints, credentials.
    assert set(variables) - {"LC_CTYPE"} == {
        "PATH",
        "PORT",
        "BAKED",
        "TOLD",
        "DB",
        "K_SERVICE",
        "K_CONFIGURATION",
        "K_REVISION",
    }


def test_a_revision_that_does_not_start_fails_and_the_one_before_goes_on(clients: Clients) -> None:
    made = create(clients, IMAGE)
    with pytest.raises(exceptions.FailedPrecondition, match="failed to start and listen on the port"):
        update(clients, BROKEN)
    found = clients.of(run_v2.ServicesClient).get_service(name=API)
    assert found.latest_ready_revision == made.latest_ready_revision != found.latest_created_revision
    assert ask(clients, made.uri)["environment"]["K_REVISION"] in made.latest_ready_revision
    (revision,) = {entry.resource.labels["revision_name"] for entry in entries(clients)} - {
        made.latest_ready_revision.rpartition("/")[2]
    }
    assert revision == found.latest_created_revision.rpartition("/")[2]
    folders = {Path(entry.text_payload) for entry in entries(clients) if entry.text_payload.startswith("/")}
    assert folders
    assert not any(folder.exists() for folder in folders)


IN_THE_LOG = 'resource.labels.service_name="api" AND resource.labels.location="europe-west1"'


def entries(clients: Clients) -> list[Any]:
    request = {"resource_names": ["projects/demo-project"], "filter": IN_THE_LOG}
    return list(clients.of(LoggingServiceV2Client).list_log_entries(request=request))


def test_it_ends_when_another_takes_its_place_and_with_the_service(clients: Clients) -> None:
    first = ask(clients, create(clients, IMAGE).uri)
    made = update(clients, IMAGE, TOLD="anew")
    second = ask(clients, made.uri)
    assert second["environment"]["TOLD"] == "anew"
    until(lambda: not Path(first["folder"]).exists(), "it does not end")
    assert Path(second["folder"]).exists()
    clients.of(run_v2.ServicesClient).delete_service(name=API, retry=None).result(timeout=10)
    until(lambda: not Path(second["folder"]).exists(), "it does not end")
    assert ask(clients, made.uri) == 404


def test_a_program_that_waits_is_started_before_a_revision_needs_it(tmp_path: Path) -> None:
    program = (
        f"import os, json; open(f'{tmp_path}/{{os.getpid()}}', 'x'); os.environ.update(json.loads(input())); {ECHO}"
    )
    waiting = Program((sys.executable, "-I", "-c", program), PROGRAM.environment, waits=True)
    with a_cloud() as cloud:
        for image in (IMAGE, BROKEN):
            cloud.run.instances.know(image, waiting)
        until(lambda: len(list(tmp_path.iterdir())) == 2, "no process waits for each image")
        clients = Clients("demo-project", endpoint=cloud.address, http_endpoint=cloud.http_address)
        asked = ask(clients, create(clients, IMAGE, TOLD="in time").uri)
        anew = ask(clients, update(clients, IMAGE, TOLD="anew").uri)
        clients.close()
    assert [said["environment"]["TOLD"] for said in (asked, anew)] == ["in time", "anew"]
    # For the second revision of its image one was started anew; what waited for the other is gone with the cloud.
    assert len(list(tmp_path.iterdir())) == 3
    assert not any(Path(said["folder"]).exists() for said in (asked, anew))


def test_behind_an_image_that_is_not_known_nothing_runs(clients: Clients) -> None:
    folder = Path(ask(clients, create(clients, IMAGE).uri)["folder"])
    assert ask(clients, update(clients, "example.com/api@sha256:3").uri) == 501
    until(lambda: not folder.exists(), "it does not end")


def test_it_ends_with_the_cloud() -> None:
    with a_cloud() as cloud:
        clients = Clients("demo-project", endpoint=cloud.address, http_endpoint=cloud.http_address)
        folder = Path(ask(clients, create(clients, IMAGE).uri)["folder"])
        clients.close()
    assert not folder.exists()
