"""The docs on deploying match the map."""

import re

import pytest

from infra.deploy.commands import commands_of
from infra.suite.automations import ROOT, load_functions

pytestmark = pytest.mark.one_python

DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")


def test_every_permission_is_said_to_be_for_something() -> None:
    section = DEPLOY.partition("## What each permission is for")[2].partition("**To deploy**")[0]
    listed = set(re.findall(r"`([a-z]+(?:\.[A-Za-z]+)+)`", section)) - {
        "automations.yaml",
        "permissions.yaml",
        "deployment.yaml",
    }
    assert listed == {permission for function in load_functions().values() for permission in function.permissions}


def test_the_commands_that_are_shown_exist() -> None:
    shown = re.findall(r"\./deploy\.sh send ([a-z_]+) ([a-z_]+)", DEPLOY + OPERATE)
    assert len(shown) >= 5
    for automation, command in shown:
        assert command in commands_of(automation)
