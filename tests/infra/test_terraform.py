"""Terraform's own checks on what the project deploys."""

from pathlib import Path

import pytest

from tests.infra.terraform import check, folders, modules_under_test, roots

pytestmark = pytest.mark.one_python


@pytest.mark.parametrize("root", roots())
def test_a_root_and_its_modules_are_valid_and_pass_their_tests(root: str, tmp_path: Path) -> None:
    check(root, tmp_path)


def test_each_module_has_runs_of_its_own() -> None:
    roots_ = set(roots())
    tested = {module for root in roots_ for module in modules_under_test(root)}
    assert set(folders()) - roots_ - tested == set()
