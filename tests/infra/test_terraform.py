"""Terraform's own checks on what the project deploys."""

from pathlib import Path

import msgspec
import pytest

from infra.suite.deployment import NewBudget, NewSecret, SignedInReport, Suite, load_deployment, variables
from infra.suite.settings import EXAMPLES
from infra.tools.examples import every_section
from tests.infra.terraform import check, folders, modules_under_test, roots

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover, pytest.mark.long]


def whole_suite() -> dict[str, object]:
    """Terraform's variables to deploy every automation of the map, as both examples name things.

    A budget and a secret are new.
    """
    owner = every_section()
    del owner["cap_spending"]["budgets"]["monthly"]["id"]
    deployment = msgspec.structs.replace(
        load_deployment(EXAMPLES / "deployment.yaml"),
        budgets={"monthly": NewBudget(amount=400.0)},
        secrets={"session-key": NewSecret()},
        report=SignedInReport(
            image="europe-west1-docker.pkg.dev/my-caretaker/images/report:v1", viewers=("group:team@example.com",)
        ),
    )
    suite = Suite(deployment, owner)
    return variables(suite, {name: Path(f"dist/{name}-0123456789abcdef.zip") for name in suite.automations})


@pytest.mark.parametrize("root", roots())
def test_a_root_and_its_modules_are_valid_and_pass_their_tests(root: str, tmp_path: Path) -> None:
    check(root, tmp_path, whole_suite() if root == "." else None)


def test_each_module_has_runs_of_its_own() -> None:
    roots_ = set(roots())
    tested = {module for root in roots_ for module in modules_under_test(root)}
    assert set(folders()) - roots_ - tested == set()
