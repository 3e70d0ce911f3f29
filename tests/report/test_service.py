"""The report behind Identity-Aware Proxy: whom it answers, with what, and that it can do nothing else."""

import ast
import asyncio
import base64
import hmac
import http.server
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import jwt
from google.auth.crypt import ES256Signer
from packaging.utils import canonicalize_name
from starlette.applications import Starlette
from starlette.routing import Route

from functions.cap_spending.records import Records
from infra.deploy.target import Target
from infra.suite.automations import ROOT, load_automations
from infra.suite.deployment import Deployment, Suite
from infra.suite.settings import load_caretaker_yaml
from infra.tools.rules import read_lock
from localcloud import LocalCloud
from report.service.__main__ import application
from report.service.app import app
from report.service.assertions import HEADER, ISSUER, Assertions
from report.writing import write
from shared.clients import Clients
from shared.errors import SettingsError
from shared.state import State
from tests.infra.deploy.stage import NOON
from tests.report.examples import SPENT, settings, spent

pytestmark = pytest.mark.one_python

AUDIENCE = "/projects/123456789012/locations/europe-west1/services/caretaker-report"
SERVICE = ROOT / "report" / "service"
STORY = ROOT / "local" / "story" / "caretaker.yaml"
ENVIRONMENT = {
    "CARETAKER_PROJECT": "my-product",
    "CARETAKER_AUDIENCE": AUDIENCE,
    "CARETAKER_SETTINGS": '{"mode": "observe", "cap_spending": {}}',
}


class Issuer:
    """Signs assertions as Identity-Aware Proxy does: with an elliptic curve's key that has a public id."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def assertion(self, **claims: object) -> str:
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "email": "ada@example.com", "sub": "1"}
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        signer = ES256Signer.from_string(pem, self.key_id)
        encoded: bytes = jwt.encode(signer, usual | claims)
        return encoded.decode()


IAP, STRANGER, FORGER = Issuer("of-iap"), Issuer("unknown"), Issuer("of-iap")


@pytest.fixture(scope="module")
def certificates() -> Iterator[str]:
    """The address of the public keys."""

    class Keys(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/keys" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({IAP.key_id: IAP.public}).encode())

        def log_message(self, *_: object) -> None:
            """A test is silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()


@pytest.fixture(scope="module")
def suite() -> Suite:
    return Suite(Deployment(project="my-product"), load_caretaker_yaml(STORY))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with LocalCloud(now=NOON) as cloud:
        clients = Clients("my-product", endpoint=cloud.address, http_endpoint=cloud.http_address)
        state = State(clients)
        records, moments = spent(SPENT[:14], settings())
        state.write(state.read("records/cap_spending")[0], records, moments)
        assert state.read("records/cap_spending")[0].as_type(Records) == records
        yield Target("my-product", clients, cloud.now_address)


def ask(
    application: Starlette, method: str = "GET", query: str = "", **headers: str
) -> tuple[int, str, dict[str, str]]:
    """One request, as an ASGI server hands it on."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"command=undo", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "query_string": query.encode(), "headers": given}
    asyncio.run(application(scope, receive, send))  # type: ignore[arg-type] # ASGI's own types say less
    start, *bodies = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}  # type: ignore[attr-defined]
    return int(str(start["status"])), b"".join(one["body"] for one in bodies).decode(), found  # type: ignore[misc]


def signed_in(assertion: str) -> dict[str, str]:
    return {HEADER: assertion}


def forged(algorithm: str, signature: Callable[[bytes], bytes]) -> str:
    """An assertion by another algorithm."""
    header = json.dumps({"alg": algorithm, "kid": IAP.key_id, "typ": "JWT"}).encode()
    _, claims, _ = IAP.assertion().split(".")
    content = f"{_encoded(header)}.{claims}"
    return f"{content}.{_encoded(signature(content.encode()))}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


ASSERTIONS: dict[str, tuple[Callable[[], str], int]] = {
    "none": (lambda: "", 401),
    "no token at all": (lambda: "a.b.c", 403),
    "signed with another key": (FORGER.assertion, 403),
    "signed with a key that no one knows": (STRANGER.assertion, 403),
    "not signed": (lambda: forged("none", lambda _: b""), 403),
    "signed with the public key": (
        lambda: forged("HS256", lambda text: hmac.digest(IAP.public.encode(), text, "sha256")),
        403,
    ),
    "expired": (lambda: IAP.assertion(iat=int(time.time()) - 900, exp=int(time.time()) - 300), 403),
    "for another service": (lambda: IAP.assertion(aud=AUDIENCE.replace("caretaker-report", "other")), 403),
    "from another issuer": (lambda: IAP.assertion(iss="https://accounts.google.com"), 403),
    "tampered with": (lambda: re.sub(r"\.(..)", lambda found: f".{found[1][::-1]}", IAP.assertion(), count=1), 403),
    "as it should be": (IAP.assertion, 200),
}
"""By name, an assertion that is made when its test runs, as it expires; and the status that answers it."""


@pytest.mark.parametrize("what", ASSERTIONS)
def test_it_answers_only_requests_that_iap_has_signed_for_it(
    what: str, suite: Suite, target: Target, certificates: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, expected = ASSERTIONS[what]
    assertion = make()
    served = app(suite, target, Assertions(AUDIENCE, certificates=certificates))
    status, page, _ = ask(served, **(signed_in(assertion) if assertion else {}))
    assert status == expected
    assert ("my-product" in page) == (expected == 200)
    logged = capsys.readouterr().out
    assert ("request refused" in logged) == (expected != 200)
    assert not assertion or assertion not in logged + page


def test_without_googles_keys_no_one_is_let_in(suite: Suite, target: Target, certificates: str) -> None:
    served = app(suite, target, Assertions(AUDIENCE, certificates=f"{certificates}/elsewhere"))
    assert ask(served, **signed_in(IAP.assertion()))[0] == 503


def test_the_page_is_that_of_the_report_and_can_only_be_read(
    suite: Suite, target: Target, certificates: str, tmp_path: Path
) -> None:
    served = app(suite, target, Assertions(AUDIENCE, certificates=certificates))
    status, page, headers = ask(served, **signed_in(IAP.assertion()))
    assert (status, page) == (200, write(suite, target, tmp_path / "report.html").read_text())
    assert "204 of 400" in page
    assert 'method="post"' not in page
    assert "form-action 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "What happened in October" in ask(served, query="month=2026-10", **signed_in(IAP.assertion()))[1]
    assert ask(served, query="month=13", **signed_in(IAP.assertion()))[0] == 400
    assert [(route.path, route.methods) for route in served.routes if isinstance(route, Route)] == [
        ("/", {"GET", "HEAD"})
    ]
    assert {ask(served, method, **signed_in(IAP.assertion()))[0] for method in ("POST", "PUT", "DELETE")} == {405}


@pytest.mark.parametrize("missing", ENVIRONMENT)
def test_an_environment_that_lacks_something_is_refused_by_its_name(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        application(ENVIRONMENT | {missing: ""})


LISTING = """
import sys
from report.service.__main__ import application
import google.cloud.logging_v2.services.logging_service_v2
application(dict(line.split("=", 1) for line in sys.argv[2:]))
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None) or ""
    print(module.__name__, path.removeprefix(sys.argv[1] + "/"), sep="\\t")
"""


def test_the_image_has_what_the_service_imports() -> None:
    owner = json.dumps({"mode": "observe"} | {name: {} for name in load_automations()})
    given = [f"{name}={value}" for name, value in (ENVIRONMENT | {"CARETAKER_SETTINGS": owner}).items()]
    command = [sys.executable, "-c", LISTING, str(ROOT), *given]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    modules = dict(line.split("\t", 1) for line in listed)
    copied = re.findall(r"^COPY (.+) \S+$", (SERVICE / "Dockerfile").read_text(), re.MULTILINE)
    in_image = {path for patterns in copied for one in patterns.split() for path in _files(one)}
    ours = {ROOT / path for path in modules.values() if not path.startswith(("/", ".venv")) and path.endswith(".py")}
    assert sorted(ours - in_image) == []
    assert {SERVICE / "requirements.txt", *(ROOT / "report" / "templates").iterdir()} <= in_image
    statements = [one for path in ours for one in ast.parse(path.read_bytes()).body]
    packages = {one.module.partition(".")[0] for one in statements if isinstance(one, ast.ImportFrom) and one.module}
    packages |= {name.name.partition(".")[0] for one in statements if isinstance(one, ast.Import) for name in one.names}
    distributions = packages_distributions()
    needed = {distributions[one][0] for one in packages - {"google"} if one in distributions}
    assert {"PyYAML", "starlette", "msgspec"} <= needed
    assert sorted({canonicalize_name(one) for one in needed} - set(read_lock(SERVICE / "requirements.txt"))) == []


def _files(pattern: str) -> set[Path]:
    """The files of a COPY's pattern: files, or a folder with all that is in it."""
    return {path for path in ROOT.glob(pattern) if path.is_file()} | set((ROOT / pattern).rglob("*"))
