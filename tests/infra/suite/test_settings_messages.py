"""Each kind of mistake in the files that a person writes, and the message for it: file, line, key, value, remedy."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.suite.automations import ROOT
from infra.suite.deployment import load_suite
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from local.laptop import read_world_file
from localcloud.world import load_world
from shared.errors import SettingsError
from shared.yaml12 import MOST_NODES
from shared.yaml_file import MOST_BYTES

SETTINGS = (EXAMPLES / "caretaker.yaml").read_text(encoding="utf-8")
DEPLOYMENT = (EXAMPLES / "deployment.yaml").read_text(encoding="utf-8")
WORLD = (ROOT / "local" / "example_world.yaml").read_text(encoding="utf-8")
MONTHLY = "cap_spending.budgets.monthly"
LIMIT = f"{MONTHLY}.may_touch.limit_cloud_run"
TRAINING = "scale_gpu_pools.pools.training"
SHOP = "prune_backups.sets.shop"
PREVIEWS = "manage_previews.repositories.my-team/my-product"
PROJECT = r"text such as my-product matching ^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
Loader = Callable[[Path], object]
Mistake = tuple[str, str, str, object, str]
"""The replaced text and its replacement, then the key, its value (... for any) and the remedy."""

PYTHONS_WORDS = re.compile(
    r"`(str|int|float|array|object|null)`|Expected|regex|Traceback|msgspec|NoneType|<class|datetime\.|yaml\.|codec"
)


def errors_of(load: Loader, path: Path) -> tuple[SettingsError, ...]:
    """All that is wrong with a file, each naming it in words of ours."""
    with pytest.raises(SettingsError) as raised:
        load(path)
    errors = raised.value.errors
    assert str(raised.value).splitlines() == [str(error) for error in errors]
    for error in errors:
        assert str(path) in str(error)
        assert str(error).endswith(f"; {error.remedy}")
        assert not PYTHONS_WORDS.search(str(error))
    return errors


def edited(text: str, old: str, new: str, folder: Path) -> tuple[Path, int]:
    """A file with one edit, and the line of the edit."""
    assert text.count(old) >= 1, old
    path = folder / "mine.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path, text[: text.index(old)].count("\n") + 1


IN_SETTINGS: list[Mistake] = [
    # A typo in a key, at each depth, and keys of another program or case.
    ("mode: observe", "mdoe: observe", "mdoe", "observe", "did you mean mode?"),
    ("cap_spending:", "cap-spending:", "cap-spending", ..., "did you mean cap_spending?"),
    ("scale_gpu_pools:", "Scale_GPU_Pools:", "Scale_GPU_Pools", ..., "did you mean scale_gpu_pools?"),
    ("budgets:", "budget:", "cap_spending.budget", ..., "did you mean budgets?"),
    ("ladder:", "laddr:", f"{MONTHLY}.laddr", ..., "did you mean ladder?"),
    ("{at: 0.5,", "{att: 0.5,", f"{MONTHLY}.ladder[0].att", 0.5, "did you mean at?"),
    ("max_instances: 1", "maxInstances: 1", f"{LIMIT}.maxInstances", 1, "max_instances?"),
    ("keep_daily", "keep_dayly", f"{SHOP}.retention.keep_dayly", 7, "did you mean keep_daily?"),
    ("holidays:", "holiday:", f"{TRAINING}.hours.holiday", ..., "did you mean holidays?"),
    ("time_to_live_hours:", "ttl:", "manage_previews.ttl", 72, "expected one of mode, "),
    # A typo in a value that is one of a few, or its case.
    ("mode: observe", "mode: obsrve", "mode", "obsrve", "expected observe or act (did you mean observe?)"),
    ("mode: observe", "mode: Act", "mode", "Act", "expected observe or act (did you mean act?)"),
    ("mode: observe", "mode: on", "mode", "on", "expected observe or act"),
    ("1.0, on: forecast", "1.0, on: forcast", f"{MONTHLY}.ladder[1].on", "forcast", "(did you mean forecast?)"),
    ("do: [notify]", "do: [notfy]", f"{MONTHLY}.ladder[0].do[0]", "notfy", "(did you mean notify?)"),
    ("on_drift: respect", "on_drift: ignore", f"{TRAINING}.on_drift", "ignore", "expected enforce or respect"),
    ("proof: verified", "proof: yes", f"{SHOP}.proof", "yes", "expected none, complete or verified"),
    (
        "kind: gpu_duty_cycle",
        "kind: gpu_dutycycle",
        f"{TRAINING}.idle.signals[0].kind",
        "gpu_dutycycle",
        "(did you mean gpu_duty_cycle?)",
    ),
    # A value of the wrong type.
    ("at: 0.5", 'at: "0.5"', f"{MONTHLY}.ladder[0].at", "0.5", "a number greater than 0 (did you mean 0.5, without"),
    ("at: 0.5", "at: 50 %", f"{MONTHLY}.ladder[0].at", "50 %", "expected a number greater than 0"),
    ("at: 0.5", "at: 1:12", f"{MONTHLY}.ladder[0].at", "1:12", "expected a number greater than 0"),
    ("do: [notify]", "do: notify", f"{MONTHLY}.ladder[0].do", "notify", "a list of at least 1 entry (did you mean [n"),
    ("services: [api, worker]", "services: api", f"{LIMIT}.services", "api", "[api]?)"),
    ("size: 1", "size: one", f"{TRAINING}.size", "one", "expected a whole number from 1 to 1000"),
    ("size: 1", "size: 1.5", f"{TRAINING}.size", 1.5, "expected a whole number from 1 to 1000"),
    ("size: 1", "size: true", f"{TRAINING}.size", True, "expected a whole number from 1 to 1000"),
    ("floor: 7", "floor:", f"{SHOP}.floor", None, "expected a whole number of at least 1"),
    ("for_minutes: 30", "for_minutes: 30m", f"{TRAINING}.idle.for_minutes", "30m", "a whole number from 5 to 1440"),
    ("holidays: [2026-12-25]", "holidays: [25.12.2026]", f"{TRAINING}.hours.holidays[0]", "25.12.2026", "2026-12-25"),
    ("prune_backups:", "prune_backups: yes\nx:", "prune_backups", "yes", "expected a mapping with sets"),
    ("github: {token_secret:", "github: token #", "rotate_secrets.secrets.webhook.value.github", "token", "a mapping"),
    # A value out of its bounds, or not of its form.
    ("at: 0.5", "at: -1", f"{MONTHLY}.ladder[0].at", -1, "expected a number greater than 0"),
    ("at: 0.5", "at: .nan", f"{MONTHLY}.ladder[0].at", ..., "expected a number greater than 0"),
    ("floor: 7", "floor: 0", f"{SHOP}.floor", 0, "expected a whole number of at least 1"),
    ("max_delete_fraction: 0.5", "max_delete_fraction: 50", f"{SHOP}.max_delete_fraction", 50, "a number from 0 to 1"),
    ("projects: [my-product]", "projects: [My_Product]", f"{LIMIT}.projects[0]", "My_Product", f"expected {PROJECT}"),
    ("projects: [my-product]", "projects: []", f"{LIMIT}.projects", [], "expected a list of at least 1 entry"),
    (
        "regions: [europe-west1]",
        "regions: [europe]",
        f"{LIMIT}.regions[0]",
        "europe",
        "expected text such as europe-west1 matching ",
    ),
    ("currency: USD", "currency: dollars", f"{MONTHLY}.currency", "dollars", "expected text "),
    (
        "time_zone: Europe/Berlin",
        "time_zone: Europe/Berln",
        f"{TRAINING}.hours.time_zone",
        "Europe/Berln",
        "(did you mean Europe/Berlin?)",
    ),
    ("mon-fri 08:00-19:00", "mon-fri 8-19", f"{TRAINING}.hours.windows[0]", "mon-fri 8-19", "expected days and times"),
    ("monthly:", "My Budget:", "cap_spending.budgets.My Budget", "My Budget", "expected text "),
    # What is missing, and what contradicts something else.
    ("billing_account: 0A1B2C-3D4E5F-6A7B8C", "", f"{MONTHLY}.billing_account", None, "expected text "),
    ("job_prefix: batch-", "", f"{MONTHLY}.may_touch.pause_schedules.job_prefix", None, "at least 1 character"),
    ("repositories: [my-team/my-product]", "", "receive_github", None, "expected a mapping with repositories"),
    ("services: [api, worker]", "", f"{LIMIT}.services", [], "either the names of "),
]


@pytest.mark.parametrize("mistake", IN_SETTINGS, ids=lambda mistake: mistake[1] or f"no {mistake[0]}")
def test_a_mistake_in_the_settings(tmp_path: Path, mistake: Mistake) -> None:
    old, new, key, value, remedy = mistake
    path, line = edited(SETTINGS, old, new, tmp_path)
    (error,) = [one for one in errors_of(load_caretaker_yaml, path) if one.key == key]
    assert error.file == str(path)
    assert remedy in error.remedy or error.remedy.startswith("expected one of")
    if value is not ...:
        assert error.value == value
    # A key that is missing is reported where it belongs: on the line of what should contain it.
    assert error.line == line if new else error.line <= line
    assert error.key.rpartition(".")[2] in str(error)


def test_all_mistakes_of_a_file_are_reported_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = SETTINGS
    for old, new in (("mode: observe", "mode: Act"), ("currency: USD", "currency: 7"), ("floor: 7", "flor: 7")):
        text = text.replace(old, new, 1)
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert [str(error).replace(f"{path} ", "") for error in errors_of(load_caretaker_yaml, path)] == [
        "invalid value 'Act' for mode in line 5; expected observe or act (did you mean act?)",
        f"invalid value 7 for {MONTHLY}.currency in line 13; expected text such as USD matching ^[A-Z]{{3}}$",
        f"unknown key {SHOP}.flor in line 82; did you mean floor?",
    ]


def test_a_key_that_is_no_text_is_named_as_yaml_spells_it(tmp_path: Path) -> None:
    path, line = edited(SETTINGS, "on: actual, do: [notify]}", "true: actual, do: [notify]}", tmp_path)
    (error,) = errors_of(load_caretaker_yaml, path)
    assert f"unknown key {MONTHLY}.ladder[0].true in {path} line {line}; did you mean on?" in str(error)
    assert "YAML 1.1" in str(error)


SYNTAX = [
    ("a tab", b"cap_spending:\n\tbudgets: {}\n", 2, "tab in the indentation", "indent with spaces"),
    ("a tab later", b"mode: act\ncap_spending:\n  budgets:\n\t x: 1\n", 4, "tab in the indentation", "spaces"),
    ("an open bracket", b"mode: [act\n", 1, "bracket or quote of line 1 is not closed", "close it"),
    ("an open quote", b'mode: "act\n\nx: 1\n', 1, "bracket or quote of line 1 is not closed", "close it"),
    ("a colon too many", b"mode: act: now\n", 1, "unexpected colon in 'mode: act: now'", "quote text"),
    ("bad indentation", b"mode: act\n  x: 1\n", 2, "unexpected colon", "indent"),
    ("a word alone", b"mode: act\nword\nx: 1\n", 3, "cannot parse", "check the indentation"),
    ("an unknown alias", b"mode: *m\n", 1, "undefined alias 'm'", "define it with &"),
    ("a Python tag", b"!!python/object:os.system {}\n", 1, "tag in ", "remove the tag"),
    ("two documents", b"mode: act\n---\nmode: act\n", 2, "second document", "delete the `---`"),
    ("a zero byte", b"mode: act\nx: \0\n", 2, "character U+0000 is not allowed", "delete it"),
    ("Latin-1", b"mode: act\n# caf\xe9\n", 2, "byte 0xE9 is not UTF-8", "save the file as UTF-8"),
    ("UTF-16", b"\xff\xfem\0", 1, "byte 0xFF is not UTF-8", "save the file as UTF-8"),
    ("an image", b"\x89PNG\r\n\x1a\n", 1, "byte 0x89 is not UTF-8", "save the file as UTF-8"),
    ("nothing", b"", 1, "found an empty file", "expected `mode` and a section for each automation"),
    ("comments alone", b"# mode: act\n", 1, "found an empty file", "expected `mode`"),
    ("a list", b"- mode\n", 1, "found a list", "expected `mode`"),
    ("a text", b"act\n", 1, "found a text", "expected `mode`"),
    ("a file that contains itself", b"a: &a [*a]\n", 0, "contains itself through an alias", "write it without"),
    ("too deep", b"[\n" * 4000 + b"]" * 4000, 0, "nested too deeply", "write it without"),
    ("a large file", b"#" * (MOST_BYTES + 1), 0, "the file has 1.0 MB", "expected at most 1 MB"),
]


@pytest.mark.parametrize("case", SYNTAX, ids=lambda case: case[0])
@pytest.mark.parametrize("load", [load_caretaker_yaml, load_world], ids=["settings", "a world"])
def test_a_file_that_cannot_be_parsed(tmp_path: Path, load: Loader, case: tuple[str, bytes, int, str, str]) -> None:
    _, content, line, problem, remedy = case
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    if load is load_world and "empty" in problem:
        load(path)  # an empty world is a world
        return
    (error,) = errors_of(load, path)
    assert (error.file, error.line) == (str(path), line)
    assert problem in error.problem
    assert remedy in error.remedy or load is load_world


@pytest.mark.parametrize("load", [load_caretaker_yaml, load_world], ids=["settings", "a world"])
def test_duplicate_keys_are_all_reported_with_the_line_of_the_first(tmp_path: Path, load: Loader) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mode: act\nx:\n  a: 1\n  b: {c: 1, c: 2}\n  a: 2\nmode: observe\n")
    assert [(error.key, error.line, error.remedy) for error in errors_of(load, path)] == [
        ("x.b.c", 4, "delete one (the first is on line 4)"),
        ("x.a", 5, "delete one (the first is on line 3)"),
        ("mode", 6, "delete one (the first is on line 1)"),
    ]


def test_an_alias_bomb_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6)]  # a million, if it were expanded
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(levels))
    (error,) = errors_of(load_caretaker_yaml, path)
    assert error.problem == f"more than {MOST_NODES} values once its aliases are expanded"


@pytest.mark.parametrize("load", [load_caretaker_yaml, load_world], ids=["settings", "a world"])
def test_a_file_that_cannot_be_read(tmp_path: Path, load: Loader) -> None:
    (tmp_path / "caretaker.yaml").write_text("")
    (error,) = errors_of(load, tmp_path / "caretakr.yaml")
    assert error.problem == f"cannot read {tmp_path / 'caretakr.yaml'}: no such file"
    assert error.remedy == f"did you mean {tmp_path / 'caretaker.yaml'}?"
    (error,) = errors_of(load, tmp_path)
    assert error.problem == f"cannot read {tmp_path}: it is a folder"
    (error,) = errors_of(load, tmp_path / "caretaker.yaml" / "x")
    assert error.problem.endswith("no such folder")


IN_THE_DEPLOYMENT = [
    ("project: my-caretaker", "", "project", "such as my-product"),
    ("project: my-caretaker", "project: My Caretaker", "project", "such as my-product"),
    ("region: europe-west1", "region: europe-west1-b", "region", "such as europe-west1"),
    ("region: europe-west1", "regon: europe-west1", "regon", "did you mean region?"),
    ("my-product-backups: my-product", "my-backups: my-product", "buckets.my-backups", "(did you mean my-product-ba"),
    ("  cap_spending: [api@", "  cap_spend: [api@", "act_as.cap_spend", "(did you mean cap_spending?)"),
    ("oncall@example.com", "oncall", "alerts.emails[0]", "expected text "),
    (
        "# budgets:\n#   monthly",
        "budgets:\n  monthly",
        "budgets.monthly",
        "delete it, or cap_spending.budgets",
    ),
    ("# secrets:\n#   session-key: {}", "secrets:\n  session: {}", "secrets.session", "(did you mean session-key?)"),
]


@pytest.mark.parametrize(("old", "new", "key", "remedy"), IN_THE_DEPLOYMENT)
def test_a_mistake_in_the_deployment(tmp_path: Path, old: str, new: str, key: str, remedy: str) -> None:
    path, line = edited(DEPLOYMENT, old, new, tmp_path)
    (error,) = errors_of(lambda path: load_suite(path, EXAMPLES / "caretaker.yaml"), path)
    assert (error.key, error.file) == (key, str(path))
    assert remedy in error.remedy
    assert 0 < error.line <= line + new.count("\n")


def test_mistakes_in_both_files_are_reported_together(tmp_path: Path) -> None:
    deployment, settings = tmp_path / "deployment.yaml", tmp_path / "caretaker.yaml"
    deployment.write_text("project: x\n")
    settings.write_text("mode: on\n")
    with pytest.raises(SettingsError) as raised:
        load_suite(deployment, settings)
    assert [(error.file, error.key) for error in raised.value.errors] == [
        (str(settings), "mode"),
        (str(deployment), "project"),
    ]


def test_a_budget_without_an_id_that_nothing_creates_is_an_error_of_the_settings(tmp_path: Path) -> None:
    path, line = edited(SETTINGS, "      id: 8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a\n", "", tmp_path)
    (error,) = errors_of(lambda path: load_suite(EXAMPLES / "deployment.yaml", path), path)
    assert (error.key, error.line < line) == (f"{MONTHLY}.id", True)
    assert error.remedy.startswith("expected the id of an existing budget, or budgets.monthly.amount in")


SWAPPED = [
    (load_caretaker_yaml, DEPLOYMENT, "deployment.yaml is given with --deployment"),
    (load_caretaker_yaml, WORLD, "a world is given with --world"),
    (read_world_file, SETTINGS, "caretaker.yaml is given with --settings"),
    (read_world_file, DEPLOYMENT, "deployment.yaml is given with --deployment"),
    (lambda path: load_suite(path, EXAMPLES / "caretaker.yaml"), SETTINGS, "caretaker.yaml is given with --settings"),
]


@pytest.mark.parametrize(("load", "text", "remedy"), SWAPPED)
def test_files_that_were_swapped(tmp_path: Path, load: Loader, text: str, remedy: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    errors = errors_of(load, path)
    assert any(remedy in error.remedy for error in errors)
    assert all(error.file == str(path) and error.line > 0 for error in errors)


def test_what_looks_like_a_credential_is_not_repeated(tmp_path: Path) -> None:
    known = "projects/my-product/secrets/database-admin-url"
    for value in ("postgresql://admin:canary-5f1e@db/shop", "ghp_canary5f1e", "github_pat_canary5f1e"):
        path, _ = edited(SETTINGS, known, value, tmp_path)
        (error,) = errors_of(load_caretaker_yaml, path)
        assert "canary" not in str(error)
        assert "***" in str(error)
