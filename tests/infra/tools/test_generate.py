"""`./deploy.sh generate`: what is generated, and how a file that is out of date is reported."""

from pathlib import Path

import pytest

from infra.suite.automations import load_automations
from infra.tools import generate, rules

pytestmark = pytest.mark.one_python


@pytest.mark.parametrize("path", generate.GENERATED, ids=lambda path: path.name)
def test_what_is_generated_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.GENERATED[path](), "run ./deploy.sh generate"


def test_what_is_out_of_date_is_reported_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "table.md"
    old.write_text("as it was\n")
    monkeypatch.setattr(generate, "GENERATED", {old: lambda: "as it is\n"})
    monkeypatch.setattr(rules, "locks_are_current", lambda _: [])
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "table.md is out of date: run ./deploy.sh generate\n"
    assert old.read_text() == "as it was\n"
    assert generate.main([]) == 0
    assert old.read_text() == "as it is\n"
    assert generate.main(["--check"]) == 0


def test_a_table_needs_its_place_and_a_readme_its_section(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in load_automations():
        readme = tmp_path / "functions" / name / "README.md"
        readme.parent.mkdir(parents=True)
        readme.write_text("# an automation\n")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    with pytest.raises(generate.NothingToCompile, match=r"README\.md: expected a section `## Beside your"):
        generate.beside_terraform()
    with pytest.raises(generate.NothingToCompile, match="generated: beside-terraform"):
        generate._with_table("no marks", "beside-terraform", [])  # noqa: SLF001 - its error is the only way to see it


def test_every_automation_has_its_rows() -> None:
    rows = generate.beside_terraform()
    assert [row.split("`")[1] for row in rows if row.startswith("| `")] == list(load_automations())
