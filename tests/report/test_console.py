"""The console on a suite at work: plan, confirm, and the state in the cloud after it; and whom it refuses."""

import http.client
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from google.cloud.container_v1 import ClusterManagerClient
from google.cloud.run_v2 import ServicesClient

from infra.deploy.target import Target, on_this_machine
from infra.suite.automations import ROOT
from infra.suite.deployment import Deployment, Suite
from infra.suite.settings import load_caretaker_yaml
from local.story.messages import BUDGET, NOVEMBER
from localcloud import LocalCloud
from localcloud.world import load_world, seed
from report.console import Console
from tests.infra.deploy.stage import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.one_python

STORY = ROOT / "local" / "story"
API = "projects/my-product/locations/europe-west1/services/api"
GPU = "projects/my-product/locations/europe-west4/clusters/research/nodePools/gpu"
UNDO = "cap_spending undo --budget monthly"


class Visitor:
    """A browser, as far as the console needs one."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host = parts.netloc
        self.path = parts.path

    def __call__(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.host, timeout=90)
        usual = {"Origin": f"http://{self.host}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urlencode(form) if form else None, {**usual, **headers})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), answer.headers
        connection.close()
        return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCloud, Target]]:
    folder = tmp_path_factory.mktemp("local")
    with serving(load_caretaker_yaml(STORY / "caretaker.yaml"), folder) as suite:
        seed(suite.cloud, load_world(STORY / "world.yaml"))
        yield suite.cloud, on_this_machine(folder)


@pytest.fixture(scope="module")
def target(cloud: tuple[LocalCloud, Target]) -> Target:
    return cloud[1]


@pytest.fixture(scope="module")
def visit(target: Target) -> Iterator[Visitor]:
    suite = Suite(Deployment(project="my-product"), load_caretaker_yaml(STORY / "caretaker.yaml"))
    server = uvicorn.Server(uvicorn.Config("", log_level="warning"))
    listening = server.config.bind_socket()
    console = Console(suite, target, listening.getsockname()[1])
    server.config.app = console.app()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Visitor(console.address)
    server.should_exit = True
    thread.join()


def lines(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "\n", page))


def plan_in(page: str) -> str:
    found = re.search(r'name="plan" value="([^"]+)"', page)
    assert found
    return found[1]


def test_plan_then_confirm_and_the_state_is_what_the_plan_said(
    visit: Visitor, cloud: tuple[LocalCloud, Target]
) -> None:
    target = cloud[1]
    capped(*cloud)
    status, page, headers = visit("GET", visit.path)
    assert status == 200
    assert UNDO in page
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    status, page, _ = visit("POST", f"{visit.path}plan", {"command": f"./deploy.sh send {UNDO}"})
    assert status == 200
    assert "api at most 20, was 1, because " in lines(page)
    assert max_instances(target) == 1
    status, done, _ = visit("POST", f"{visit.path}send", {"command": UNDO, "plan": plan_in(page)})
    assert (status, max_instances(target)) == (200, 20)
    assert "Done" in lines(done)
    cloud[0].clock.advance(timedelta(minutes=1))
    _, again, _ = visit("POST", f"{visit.path}send", {"command": UNDO, "plan": "0123456789abcdef"})
    assert "the plan has changed" in lines(again)


def test_in_a_browser_by_keyboard_from_a_command_to_the_state(
    visit: Visitor, target: Target, browser: "Browser"
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def is_scaled_by_google() -> bool:
        return target.clients.of(ClusterManagerClient).get_node_pool(request={"name": GPU}).autoscaling.enabled

    page = browser.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"http://{visit.host}{visit.path}")
    violations = [axe.run(page).response["violations"]]
    waiting = "document.querySelector('form').dispatchEvent(new Event('submit', {bubbles: true, cancelable: true}))"
    assert [page.evaluate(waiting), page.evaluate(waiting)] == [True, False]  # a second one while it waits is none
    assert page.get_by_role("status").first.inner_text().startswith("Waiting for the answer of the run")
    page.reload()
    page.get_by_role("combobox", name="Command").focus()
    page.keyboard.type("scale_gpu_pools off --pool training --until 2026-11-15T18:00Z")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="This would be done").wait_for()
    assert page.get_by_text("gpu: autoscaling off, because ").is_visible()
    assert is_scaled_by_google()
    violations.append(axe.run(page).response["violations"])
    page.get_by_role("button", name="Do just this").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Back, and change nothing more").wait_for()
    assert not is_scaled_by_google()
    assert [[one["id"] for one in found] for found in violations] == [[], []]
    page.close()


def max_instances(target: Target) -> int:
    return target.clients.of(ServicesClient).get_service(name=API).scaling.max_instance_count


def capped(cloud: LocalCloud, target: Target) -> None:
    """A budget that is passed, and what follows."""
    cloud.budgets.notify(BUDGET, Decimal(410), interval_start=NOVEMBER)
    for _ in range(300):
        if max_instances(target) == 1:
            return
        time.sleep(0.1)
    pytest.fail("the cap did not come")


@pytest.mark.parametrize(
    ("request_line", "form", "headers", "expected"),
    [
        ("GET /", None, {}, 404),
        ("GET /another-token/", None, {}, 404),
        ("GET {path}plan", None, {}, 405),
        ("GET {path}", None, {"Host": "evil.example"}, 421),
        ("POST {path}plan", {"command": UNDO}, {"Origin": "http://evil.example"}, 403),
        ("POST {path}send", {"command": UNDO}, {}, 400),
        ("POST {path}plan", {"command": "x" * 5000}, {}, 413),
        ("POST {path}plan", {"command": "cap_spending explode; rm -rf /"}, {}, 422),
        ("POST {path}plan", {"command": "<script>alert(1)</script> '"}, {}, 422),
    ],
)
def test_whom_and_what_it_refuses(
    visit: Visitor,
    request_line: str,
    form: dict[str, str] | None,
    headers: dict[str, str],
    expected: int,
) -> None:
    method, _, where = request_line.partition(" ")
    status, page, _ = visit(method, where.format(path=visit.path), form, **headers)
    assert status == expected
    assert "<script>alert" not in page
