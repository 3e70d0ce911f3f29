"""`./deploy.sh init`: settings of one's own, in a folder that git ignores, copied or read from a project."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from google.cloud.billing.budgets_v1 import BudgetServiceClient
from google.cloud.run_v2 import Container, CreateServiceRequest, RevisionTemplate, Service
from google.pubsub_v1 import PublisherClient
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.scale_gpu_pools.settings import NodePool
from functions.scale_gpu_pools.settings import Settings as GpuPools
from infra.deploy.check import main as check
from infra.deploy.doctor.examine import findings
from infra.deploy.doctor.findings import CheckContext, Status
from infra.deploy.init.__main__ import main
from infra.deploy.init.backup_names import sets_of
from infra.deploy.init.caretaker_yaml import caretaker_yaml
from infra.deploy.init.contents import Answers, FoundBudget, FoundJob, FoundService, ProjectContents
from infra.deploy.init.deployment_yaml import deployment_yaml
from infra.deploy.init.files import write
from infra.deploy.init.reading import read_project
from infra.deploy.target import Target
from infra.suite.automations import ROOT
from infra.suite.deployment import NewBudget, Suite, load_deployment, load_suite
from infra.suite.settings import EXAMPLES, SETTINGS, load_caretaker_yaml, refuse_missing
from localcloud.world import load_world, seed
from shared.errors import SettingsError
from shared.settings import parse
from tests.infra.deploy.stage import ACCOUNT, BUDGET, all_is_well, serving


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login, though no call is made with it."""
    monkeypatch.setattr("infra.deploy.doctor.machine.is_logged_in", lambda: True)


def test_it_copies_the_examples_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    assert main(["--folder", str(folder)]) == 0
    assert load_suite(folder / "deployment.yaml", folder / "caretaker.yaml").automations
    (schema, *_) = (folder / "caretaker.yaml").read_text().splitlines()
    assert Path(schema.partition("$schema=")[2]) == ROOT / "caretaker.schema.json"
    (folder / "caretaker.yaml").write_text("mode: act\n")
    (folder / "deployment.yaml").unlink()
    capsys.readouterr()
    assert main(["--folder", str(folder)]) == 0
    assert (folder / "caretaker.yaml").read_text() == "mode: act\n"
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{folder / 'caretaker.yaml'} exists: not changed",
        f"created {folder / 'deployment.yaml'}",
    ]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--folder", str(tmp_path / "file" / "mine")]) == 2
    assert capsys.readouterr().err.startswith(f"cannot write to {tmp_path / 'file' / 'mine'}: ")


def test_git_ignores_the_folder() -> None:
    ignored = subprocess.run(("git", "check-ignore", "-q", SETTINGS / "caretaker.yaml"), cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_before_it_every_command_says_to_run_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("infra.suite.settings.SETTINGS", tmp_path)
    with pytest.raises(SettingsError) as error:
        refuse_missing(tmp_path / "caretaker.yaml")
    assert (
        str(error.value) == f"cannot read {tmp_path / 'caretaker.yaml'}: no such file; create it with ./deploy.sh init"
    )
    refuse_missing(tmp_path / "elsewhere" / "caretaker.yaml")


BUDGETS = "projects/my-product/topics/caretaker-budget-notifications"
BACKUPS = {
    "shop/20261101T023000Z.dump": ("shop/", "{time:%Y%m%dT%H%M%S%z}.dump"),
    "db-2026-11-01.sql.gz": ("db-", "{time:%Y-%m-%d}.sql.gz"),
    "pg/2026-11-01_02-30-00.tar": ("pg/", "{time:%Y-%m-%d_%H-%M-%S}.tar"),
    "orders_20261101-0230.csv": ("orders_", "{time:%Y%m%d-%H%M}.csv"),
    "2026-11-01/base.tar": ("", "{time:%Y-%m-%d}/base.tar"),
}


@pytest.mark.parametrize(("name", "expected"), BACKUPS.items())
def test_the_names_of_backups_become_a_pattern(name: str, expected: tuple[str, str]) -> None:
    days = [name.replace("1101", f"11{day:02}").replace("11-01", f"11-{day:02}") for day in range(1, 5)]
    assert [(one.prefix, one.pattern, one.count) for one in sets_of(days)] == [(*expected, 4)]
    assert sets_of(days[:2]) == ()
    assert sets_of(["logo.png", "2026-11-01{b}", "2026-11-01Z"] * 3) == ()


def test_no_prefix_begins_with_another() -> None:
    names = [f"{prefix}2026-11-{day:02}" for prefix in ("", "db/", "db/old-", "shop/") for day in range(1, 5)]
    assert [one.prefix for one in sets_of(names)] == [""]
    assert [one.prefix for one in sets_of(names[4:])] == ["db/", "shop/"]


def test_it_reads_a_project_and_what_it_writes_is_what_doctor_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The story's product, with a service of Caretaker's own, which no automation may touch."""
    with serving({}, tmp_path) as suite:
        suite.clients.of(PublisherClient).create_topic(request={"name": BUDGETS})
        seed(suite.cloud, load_world(ROOT / "local" / "story" / "world.yaml"))
        own = Service(template=RevisionTemplate(containers=[Container(image="own")]))
        parent = "projects/my-product/locations/europe-west1"
        suite.cloud.run.create_service(
            CreateServiceRequest(parent=parent, service=own, service_id="caretaker-cap-spending")
        )
        suite.cloud.storage.add_bucket("my-product", "my-product-backups")
        for day in range(1, 5):
            suite.cloud.storage.write("my-product-backups", f"shop/202611{day:02}T023000Z.dump", 1000)
        regions = ["--region", "europe-west1", "--region", "europe-west3"]
        where = ["--local", "--directory", str(tmp_path), "--folder", str(tmp_path / "mine"), *regions]
        assert main([*where, "--email", "me@example.com", "--time-zone", "Europe/Berlin"]) == 0
        out = capsys.readouterr().out
        written = load_suite(tmp_path / "mine" / "deployment.yaml", tmp_path / "mine" / "caretaker.yaml")
        target = Target("my-product", suite.clients, suite.cloud.now_address)
        found = list(findings(CheckContext(written, target)))
    assert "1 x budget\n    5 x Cloud Run service\n    3 x Cloud Scheduler job\n" in out
    assert written.owner["mode"] == "observe"
    assert written.automations == ["cap_spending", "prune_backups"]
    text = (tmp_path / "mine" / "caretaker.yaml").read_text()
    assert "caretaker-cap-spending" not in text
    assert "job_prefix: batch-" in text
    assert "#     session-key:" in text
    assert "# admin, api, checkout, shop, worker\n" in (tmp_path / "mine" / "deployment.yaml").read_text()
    named = [one for one in found if "may_touch" in one.what or one.what.startswith("budget ")]
    assert named
    assert {one.status for one in named} == {Status.OK}


def test_at_a_terminal_it_asks_what_the_options_do_not_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    given = {"Email addresses for alerts, separated by spaces [none]: ": "me@example.com you@example.com"}
    asked: list[str] = []

    def answered(question: str) -> str:
        asked.append(question)
        return given.get(question, "")

    with serving({}, tmp_path):
        where = ["--local", "--directory", str(tmp_path), "--folder", str(tmp_path / "mine")]
        assert main([*where, "--region", "europe-west3"], answered) == 0
    assert asked == [
        "Project to run Caretaker in [my-product]: ",
        "Time zone of working hours and schedules [Europe/Berlin]: ",
        *given,
        "GitHub repository for previews, as owner/name [none]: ",
    ]
    assert capsys.readouterr().out.startswith("Reading my-product. Press Enter to accept what is in brackets.\n")
    written = load_deployment(tmp_path / "mine" / "deployment.yaml")
    assert written.alerts
    assert written.alerts.emails == ("me@example.com", "you@example.com")


@pytest.mark.parametrize(
    ("command", "options"),
    [(main, ["--folder"]), (check, [str(EXAMPLES / "caretaker.yaml")])],
    ids=["init", "check"],
)
def test_without_a_login_it_says_so_once_and_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[[Sequence[str]], int],
    options: list[str],
) -> None:
    monkeypatch.setattr("infra.deploy.doctor.machine.is_logged_in", lambda: False)
    folder = [str(tmp_path / "mine")] if command is main else []
    assert command(["--project", "my-product", *options, *folder]) == 2
    assert capsys.readouterr() == ("", "not logged in; run: gcloud auth application-default login\n")
    assert not (tmp_path / "mine").exists()


def test_it_finds_gpu_pools_and_creates_a_budget_that_is_asked_for(tmp_path: Path) -> None:
    with all_is_well() as stage:
        budget = {"name": f"billingAccounts/{ACCOUNT}/budgets/{BUDGET}"}
        stage.target.clients.of(BudgetServiceClient).delete_budget(request=budget)
        answers = Answers(
            project="my-product",
            suite_project="my-caretaker",
            regions=("europe-west1",),
            time_zone="Etc/UTC",
            amount=100.0,
        )
        found = read_project(answers, stage.target.clients)
    written = written_suite(tmp_path, answers, found)
    pools = parse(written.owner, "scale_gpu_pools", GpuPools).section.pools
    assert pools["gpu"].node_pool == NodePool(
        project="my-product", location="europe-west4", cluster="research", name="gpu"
    )
    assert pools["embeddings"].worker_pool
    assert written.deployment.budgets["monthly"] == NewBudget(amount=100.0, projects=("my-product",))


texts = st.text(max_size=20)
ids = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)
services = st.builds(
    FoundService,
    name=ids,
    region=st.sampled_from(["europe-west1", "us-central1"]),
    account=texts,
    maximum=st.integers(0),
)


@pytest.mark.no_cover
@settings(max_examples=30)
@given(
    st.builds(
        ProjectContents,
        billing_account=st.just(ACCOUNT),
        budgets=st.lists(
            st.builds(FoundBudget, name=texts, id=st.uuids().map(str), currency=st.sampled_from(["", "EUR"])),
            max_size=3,
        ).map(tuple),
        services=st.lists(services, max_size=3).map(tuple),
        worker_pools=st.lists(services, max_size=3, unique_by=lambda one: (one.name, one.region)).map(tuple),
        jobs=st.lists(st.builds(FoundJob, ids, st.just("europe-west1")), max_size=3).map(tuple),
        secrets=st.lists(ids.map("projects/my-product/secrets/{}".format), unique=True).map(tuple),
    )
)
def test_whatever_a_project_contains_the_files_are_valid(
    tmp_path_factory: pytest.TempPathFactory, found: ProjectContents
) -> None:
    answers = Answers(
        project="my-product", suite_project="my-product", regions=("europe-west1",), time_zone="Etc/UTC", amount=9.5
    )
    assert written_suite(tmp_path_factory.mktemp("init"), answers, found).owner["mode"] == "observe"


def written_suite(folder: Path, answers: Answers, found: ProjectContents) -> Suite:
    """The settings that are written of a project, as they are read again."""
    write(
        folder,
        {
            "caretaker.yaml": "\n".join(caretaker_yaml(answers, found)),
            "deployment.yaml": "\n".join(deployment_yaml(answers, found)),
        },
    )
    return load_suite(folder / "deployment.yaml", folder / "caretaker.yaml")


def test_what_cannot_be_listed_is_reported_and_the_rest_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({}, tmp_path):
        where = ["--local", "--directory", str(tmp_path), "--folder", str(tmp_path / "mine")]
        assert main([*where, "--project", "no-such-project", "--time-zone", "Europe/Berlin"]) == 0, (
            capsys.readouterr().err
        )
    out = capsys.readouterr().out
    assert "could not read" in out
    assert load_caretaker_yaml(tmp_path / "mine" / "caretaker.yaml") == {"mode": "observe"}


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("--region", "Berlin", "regions[0]"), ("--time-zone", "CET+1", "time_zone"), ("--email", "me", "emails[0]")],
)
@pytest.mark.usefixtures("logged_in")
def test_a_wrong_answer_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, key: str
) -> None:
    assert main(["--project", "my-product", "--folder", str(tmp_path / "mine"), option, value]) == 2
    assert capsys.readouterr().err.startswith(f"invalid value {value!r} for {key}; expected ")
    assert not (tmp_path / "mine").exists()
