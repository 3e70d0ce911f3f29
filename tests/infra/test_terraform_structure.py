"""Terraform's files as they are written: parsed, and held against the map of the suite and the rules of the house."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import msgspec
import pytest

from infra.costs.suite import CONDITIONS, CONDITIONS_OF_ALL
from infra.suite.automations import ROOT, Entry, Webhook, load_functions
from infra.suite.scope import Scope
from tests.infra.terraform import TERRAFORM, folders

pytestmark = pytest.mark.one_python

SUITE = [
    ".",
    "modules/automation",
    "modules/billing_export",
    "modules/budget",
    "modules/observability",
    "modules/report",
    "modules/secret",
]
AUTHORITATIVE = re.compile(
    r"^google_(project|folder|organization|billing_account|storage_bucket)_iam_(binding|policy)$"
)


@cache
def parsed(folder: str) -> tuple[tuple[Path, dict[str, Any]], ...]:
    """Each file of a folder, as python-hcl2 reads it: slowly, so once."""
    paths = sorted((TERRAFORM / folder).glob("*.tf"))
    return tuple((path, hcl2.loads(path.read_text(encoding="utf-8"))) for path in paths)


def blocks(folder: str, kind: str) -> dict[str, Any]:
    """The blocks of a kind with one label, such as variables, by that label."""
    return {
        label.strip('"'): body
        for _, file in parsed(folder)
        for block in file.get(kind, [])
        for label, body in block.items()
        if not label.startswith("__")
    }


def resources(folder: str) -> Iterator[tuple[str, str, Any]]:
    """Every resource: type, name and body."""
    for _, file in parsed(folder):
        for block in file.get("resource", []):
            for kind, named in block.items():
                if not kind.startswith("__"):
                    yield from ((kind.strip('"'), name.strip('"'), body) for name, body in named.items())


def test_what_is_looked_at_is_there() -> None:
    assert set(SUITE) <= set(folders())
    assert len(list(resources("modules/automation"))) > 20


@pytest.mark.parametrize("folder", folders())
def test_a_readme_tells_of_every_variable_and_output(folder: str) -> None:
    readme = (TERRAFORM / folder / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`([a-z_]+)`", readme))
    assert set(blocks(folder, "variable")) - shown == set()
    assert set(blocks(folder, "output")) - shown == set()


@pytest.mark.parametrize("folder", folders())
def test_variables_have_types_and_all_is_described(folder: str) -> None:
    variables = blocks(folder, "variable")
    assert [name for name, body in variables.items() if "type" not in body] == []
    both = variables | blocks(folder, "output")
    assert [name for name, body in both.items() if "description" not in body] == []


@pytest.mark.parametrize("folder", folders())
def test_versions_are_pinned_and_modules_are_local(folder: str) -> None:
    pins = [file["terraform"][0] for _, file in parsed(folder) if "required_version" in file.get("terraform", [{}])[0]]
    (pin,) = pins
    assert pin["required_version"] == '">= 1.11"'
    if list(resources(folder)) or "required_providers" in pin:
        assert pin["required_providers"][0]["google"]["version"] == '"~> 8.0"'
    sources = [body["source"].strip('"') for body in blocks(folder, "module").values()]
    assert [source for source in sources if not source.startswith("./") and not source.startswith("../")] == []


@pytest.mark.parametrize("folder", folders())
def test_nobodys_grants_are_overwritten(folder: str) -> None:
    assert [f"{kind}.{name}" for kind, name, _ in resources(folder) if AUTHORITATIVE.match(kind)] == []


@pytest.mark.parametrize("folder", SUITE)
def test_only_webhooks_are_public_and_no_secret_is_in_the_state(folder: str) -> None:
    for kind, name, body in resources(folder):
        text = str(body)
        public = "allUsers" in text or "allAuthenticatedUsers" in text
        assert not public or (folder, kind, name) == (
            "modules/automation",
            "google_cloud_run_v2_service_iam_binding",
            "invoker",
        )
        assert "secret_data" not in body, f"{kind}.{name}: its value would be in the state"
        assert "roles/owner" not in text
        assert "roles/editor" not in text


def attributes(text: str) -> dict[str, str]:
    """The attributes of an object type, each with its type, as text."""
    inner = text[text.index("object({") + len("object({") : text.rindex("})")]
    found: dict[str, str] = {}
    depth, start = 0, 0
    for place, letter in enumerate(inner + ","):
        depth += (letter in "({[") - (letter in ")}]")
        if letter == "," and depth == 0 and inner[start:place].strip():
            name, _, kind = inner[start:place].partition("=")
            found[name.strip()] = kind.strip()
            start = place + 1
    return found


def test_terraform_knows_an_entry_as_python_does() -> None:
    known = attributes(blocks("modules/automation", "variable")["entry"]["type"])
    fields = {field.name: field for kind in (Entry, Webhook) for field in msgspec.structs.fields(kind)}
    # What Terraform reads elsewhere, or has no use for.
    elsewhere = {"topics", "obeys", "publishes", "laws_that_do_not_apply", "github_permissions", "granted_when"}
    assert set(known) == {"trigger", *fields} - elsewhere
    always = {field.name for field in msgspec.structs.fields(Entry) if field.required} - {"retry", "dead_letter_after"}
    assert {name for name, kind in known.items() if not kind.startswith("optional(")} == {"trigger", *always}


def test_terraform_knows_a_scope_as_python_does() -> None:
    for folder, variable in ((".", "scopes"), ("modules/automation", "scope")):
        known = attributes(blocks(folder, "variable")[variable]["type"])
        assert set(known) == {field.name for field in msgspec.structs.fields(Scope)}


def test_dead_letters_and_deadlines_are_within_what_pubsub_allows() -> None:
    for name, entry in load_functions().items():
        if isinstance(entry, Entry):
            assert entry.time_limit_seconds + 30 <= 600, name
            assert 5 <= entry.dead_letter_after <= 100, name


def test_the_alerts_that_cost_are_those_that_the_cost_table_counts() -> None:
    """Matching log lines is free; conditions on metrics are counted, most for each automation that Pub/Sub wakes."""
    policies = [
        body for kind, _, body in resources("modules/observability") if kind == "google_monitoring_alert_policy"
    ]
    on_metrics = [body for body in policies if "condition_matched_log" not in body["conditions"][0]]
    of_each = [body for body in on_metrics if "for_each" in body]
    assert all(len(body["conditions"]) == 1 for body in policies)
    assert (len(policies), len(on_metrics)) == (CONDITIONS + CONDITIONS_OF_ALL + 1, CONDITIONS + CONDITIONS_OF_ALL)
    assert len(of_each) == CONDITIONS


def test_the_module_in_the_docs_has_arguments_that_there_are() -> None:
    (written,) = re.findall(r"```hcl\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"), re.DOTALL)
    (module,) = hcl2.loads(written)["module"]
    given = {name.strip('"'): value for name, value in module['"backups"'].items() if not name.startswith("__")}
    folder = given.pop("source").strip('"').removeprefix("./caretaker/infra/terraform/")
    variables = blocks(folder, "variable")
    assert set(given) - set(variables) == set()
    assert {name for name, body in variables.items() if "default" not in body} - set(given) == set()
    for job in ("back_up", "prove"):
        assert {name.strip('"') for name in given[job]} <= set(attributes(variables[job]["type"]))


def test_git_does_not_hide_the_lock_file_that_the_owner_commits() -> None:
    patterns = [line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line]
    assert ".terraform/" in patterns
    assert [pattern for pattern in patterns if fnmatch(".terraform.lock.hcl", pattern)] == []


def test_each_exception_from_a_check_says_why() -> None:
    texts = [path.read_text(encoding="utf-8") for folder in SUITE for path in (TERRAFORM / folder).glob("*.tf")]
    exceptions = [found for text in texts for found in re.findall(r"#checkov:skip=(\w+)(?::(.*))?", text)]
    assert len(exceptions) > 10
    assert [identifier for identifier, reason in exceptions if len(reason.split()) < 2] == []
