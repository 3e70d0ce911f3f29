"""Regenerates all generated files: `./deploy.sh generate`. With ``--check`` it only reports what is out of date.

The settings' schema, what Terraform's tests expect, and tables of the docs follow from the map and from the folders of
the functions. Locks follow from the requirements: they are made anew only where they do not meet them, as that takes
the package index.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.costs.lines import cost_lines
from infra.costs.suite import suite_cost_lines
from infra.suite.automations import ROOT, load_automations, load_functions
from infra.suite.settings import SCHEMA_PATH, schema_text
from infra.tools import help, rules  # noqa: A004 - what the person asks for is called so
from infra.tools.expected_resources import expected_resources_text
from infra.tools.settings_tables import with_settings
from localcloud.core.rpcs import PATH as RPCS
from localcloud.rest.rules import PATH as HTTP_RULES

if TYPE_CHECKING:
    from localcloud.core.rpcs import Api
    from localcloud.core.service import Service

DEPLOY = ROOT / "docs" / "deploy.md"
LOCAL_CLOUD = ROOT / "localcloud" / "README.md"
HEADING = "## Beside your own Terraform"
"""In an automation's README, and in docs/deploy.md."""
NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Costs without anybody's settings do not depend on the day."""
TABLES: Mapping[str, Callable[[], Iterable[str]]] = {
    "beside-terraform": lambda: beside_terraform(),  # noqa: PLW0108 - it is defined below
    "suite-costs": lambda: ("```", *suite_cost_lines(), "```"),
    "product-costs": lambda: ("```", *cost_lines({}, NO_TIME), "```"),
}
"""By their marks in docs/deploy.md."""
READMES = tuple(ROOT / "functions" / name / "README.md" for name in load_functions())


def _http_rules() -> str:
    """The rules by which REST calls become the local cloud's RPCs, of all services that it serves."""
    from localcloud import LocalCloud
    from localcloud.rest.packages import rules_text

    return rules_text(api.transport for api in _apis(LocalCloud.services()))


def _rpcs() -> str:
    """The RPCs of all APIs that the local cloud serves."""
    from localcloud import LocalCloud
    from localcloud.core.rpcs import rpcs_text

    return rpcs_text(_apis(LocalCloud.services()))


def _apis(services: "Iterable[Service[Any]]") -> "Iterator[Api]":
    from localcloud.core.rpcs import Api

    return (one for service in services for one in service.transports if isinstance(one, Api))


def _local_cloud_readme() -> str:
    """The local cloud's README with the methods that it serves."""
    from localcloud import LocalCloud
    from localcloud.core.served import served_lines

    return _with_table(LOCAL_CLOUD.read_text(encoding="utf-8"), "served", served_lines(LocalCloud()))


def _readme_with_settings(path: Path) -> str:
    """An automation's README with the table of its settings."""
    return with_settings(path.read_text(encoding="utf-8"), path.parent.name)


GENERATED: Mapping[Path, Callable[[], str]] = {
    **{path: partial(_readme_with_settings, path) for path in READMES},
    SCHEMA_PATH: schema_text,
    ROOT / "infra" / "terraform" / "tests" / "resources.json": expected_resources_text,
    RPCS: _rpcs,
    HTTP_RULES: _http_rules,
    LOCAL_CLOUD: _local_cloud_readme,
    DEPLOY: lambda: _with_tables(DEPLOY.read_text(encoding="utf-8"), TABLES),
    **{help.FOLDER / f"{command}.txt": partial(help.text_of, command) for command in help.MODULES},
}
"""The generated files, or files with a generated part, and what they should contain."""


class NothingToCompile(ValueError):
    """A file lacks the part that a table is compiled from, or the place where it belongs; the message names both."""


def beside_terraform() -> list[str]:
    """The rows that each automation's README has about fields that it changes in resources of the owner's Terraform."""
    rows = ["| automation | resource of yours | `ignore_changes` |", "|---|---|---|"]
    for name in load_automations():
        path = ROOT / "functions" / name / "README.md"
        section = path.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
        own = [line for line in section.splitlines() if line.startswith("| ")][1:]
        if not own:
            raise NothingToCompile(f"{path}: expected a section `{HEADING}` with a table of resources")
        rows += [f"| `{name}` {own[0]}", *(f"| {row}" for row in own[1:])]
    return rows


def stale() -> list[Path]:
    """The files that differ from what would be generated."""
    return [path for path, text in GENERATED.items() if not path.exists() or path.read_text("utf-8") != text()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write them, or with ``--check`` report those that differ: 0 if none does."""
    parser = argparse.ArgumentParser(prog="./deploy.sh generate", description="Regenerates all generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything is out of date")
    is_check = parser.parse_args(arguments).check
    paths, unmet = stale(), rules.locks_are_current(ROOT)
    if is_check:
        for line in (*(f"{path.relative_to(ROOT)} is out of date: run ./deploy.sh generate" for path in paths), *unmet):
            print(line)
        return 1 if paths or unmet else 0
    for path in paths:
        path.write_text(GENERATED[path](), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    if unmet:
        return subprocess.run([ROOT / "infra" / "tools" / "lock.sh"], check=False).returncode
    print(f"{len(GENERATED) - len(paths)} files and the locks of {len(load_functions())} functions were up to date")
    return 0


def _with_tables(text: str, tables: Mapping[str, Callable[[], Iterable[str]]]) -> str:
    """The text with each table between the marks of its name. Raises ``NothingToCompile`` if marks are missing."""
    for name, rows in tables.items():
        text = _with_table(text, name, rows())
    return text


def _with_table(text: str, name: str, rows: Iterable[str]) -> str:
    marks = rf"(<!-- generated: {name} -->\n).*?(<!-- /generated -->)"
    table = "".join(f"{row}\n" for row in rows)
    changed, times = re.subn(marks, lambda found: f"{found[1]}\n{table}\n{found[2]}", text, flags=re.DOTALL)
    if times != 1:
        raise NothingToCompile(f"expected one table between `<!-- generated: {name} -->` and `<!-- /generated -->`")
    return changed


if __name__ == "__main__":
    sys.exit(main())
