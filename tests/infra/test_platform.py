"""The platform's modules as they are written: what they leave to the automations, and what they must not hold."""

import re

import msgspec
import pytest

from functions.rotate_secrets.parse import NOTIFICATIONS
from functions.rotate_secrets.rotation_state import ANNOTATION, RotationState
from jobs.prove_backup.__main__ import Proved
from localcloud.logging.filter import all_hold, parse_filter
from tests.infra.terraform import TERRAFORM

pytestmark = pytest.mark.one_python

PLATFORM = TERRAFORM / "modules" / "platform"
FILES = sorted([*PLATFORM.rglob("*.tf"), *(TERRAFORM / "examples").rglob("*.tf")])
EXCEPTION = re.compile(r"#checkov:skip=(CKV2?_GCP_\d+)(?::(.*))?")


def block(module: str, kind: str, name: str) -> str:
    """A resource as it is written, from its first line to the brace that closes it."""
    heading = f'resource "{kind}" "{name}" {{'
    (text,) = (text for path in (PLATFORM / module).glob("*.tf") if heading in (text := path.read_text()))
    return text[text.index(heading) :].partition("\n}\n")[0]


def ignored(module: str, kind: str, name: str) -> set[str]:
    """The fields that a resource's lifecycle ignores."""
    found = re.search(r"ignore_changes\s*=\s*\[(.*?)\n?\s*\]\s*(?:#.*)?\n", block(module, kind, name), re.DOTALL)
    assert found, f"{kind}.{name} leaves nothing alone"
    listed = re.sub(r"#.*", "", found[1])
    return {item.strip() for item in re.split(r"[,\n]", listed) if item.strip()}


@pytest.mark.parametrize(
    ("module", "kind", "name", "attributes"),
    [
        # cap_spending and scale_gpu_pools change the service's scaling; continuous integration deploys
        ("service", "google_cloud_run_v2_service", "service", {"scaling", "template[0].containers[0].image"}),
        # scale_gpu_pools: sizes, and the whole autoscaling
        ("workers", "google_container_node_pool", "gpu", {"initial_node_count", "node_count", "autoscaling"}),
        ("workers", "google_container_node_pool", "pool", {"initial_node_count", "node_count"}),
        # rotate_secrets: its state, its aliases, and the versions that it retires
        ("database", "google_secret_manager_secret", "login", {"annotations", "version_aliases"}),
        ("database", "google_secret_manager_secret_version", "first", {"enabled"}),
        # cap_spending pauses schedules
        ("backups", "google_cloud_scheduler_job", "job", {"paused"}),
        ("backups", "google_cloud_run_v2_job", "job", {"template[0].template[0].containers[0].image"}),
    ],
)
def test_what_the_automations_change_is_left_alone(module: str, kind: str, name: str, attributes: set[str]) -> None:
    assert attributes <= ignored(module, kind, name)


def test_each_exception_from_a_check_says_why() -> None:
    exceptions = [found for path in FILES for found in EXCEPTION.findall(path.read_text())]
    assert len(exceptions) > 10
    assert [identifier for identifier, reason in exceptions if len(reason.split()) < 2] == []


@pytest.mark.parametrize(
    ("unwanted", "why"),
    [
        (r'"google_service_account_key"', "no account has a key"),
        (r"\bsecret_data\s*=", "a secret's value would be in the state"),
        (r"\bpassword\s*=", "a password would be in the state"),
        (r"roles/(owner|editor)\b", "least privilege"),
        (r"\ballUsers\b", "organisations forbid it; invoker_iam_disabled does without"),
        (r'"google_project_iam_(binding|policy)"', "it would take away the grants of others"),
    ],
)
def test_what_no_module_holds(unwanted: str, why: str) -> None:
    assert [path.name for path in FILES if re.search(unwanted, path.read_text())] == [], why


def test_the_preview_account_is_granted_nothing() -> None:
    """It is only ever the account that something is granted *on*."""
    text = (PLATFORM / "previews" / "main.tf").read_text()
    assert re.findall(r"member\s*=\s*google_service_account\.preview", text) == []
    assert text.count("google_service_account.preview") == 1


def test_the_database_reads_what_rotate_secrets_writes() -> None:
    text = (PLATFORM / "database" / "users.tf").read_text()
    (annotation, field), *others = re.findall(r'effective_annotations\["([\w-]+)"\]\)\.(\w+)', text)
    assert not others
    assert annotation == ANNOTATION
    assert field in {each.name for each in msgspec.structs.fields(RotationState)}
    assert f"`{NOTIFICATIONS}`" in (PLATFORM / "database" / "variables.tf").read_text()


def test_recovery_is_measured_by_what_prove_backup_writes() -> None:
    text = (PLATFORM / "observability" / "measured.tf").read_text()
    (written,) = re.findall(r'filter\s+= "(.*restore_seconds>0)"', text)
    asked = parse_filter(written.replace(r"\"", '"'))
    proved = Proved("gs://my-backups/shop/1", 10**9, "18.1", age_hours=1.5, restore_seconds=41.5)
    line = {"resource": {"type": "cloud_run_job"}, "jsonPayload": {"job": {"details": msgspec.to_builtins(proved)}}}
    assert all_hold(asked, line)
    assert not all_hold(asked, line | {"jsonPayload": {"job": {"exit_code": 4}}})


def test_dashboards_ask_for_metrics_of_caretaker_that_there_are() -> None:
    suite = TERRAFORM / "modules" / "observability"
    made = set(re.findall(r"^    (\w+) = \{$", (suite / "metrics.tf").read_text(), re.MULTILINE))
    texts = [(suite / "dashboard.tf").read_text(), (PLATFORM / "observability" / "variables.tf").read_text()]
    asked = [name for text in texts for name in re.findall(r"user/caretaker/(\w+?)(?:_sum|_count)\\?\"", text)]
    asked += re.findall(r'"(\w+?)_(?:sum|count)"', texts[0])
    assert {"cost", "savings"} <= set(asked) <= made
