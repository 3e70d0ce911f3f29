"""The tables of settings in the automations' READMEs."""

import pytest

from infra.suite.automations import load_functions
from infra.tools.settings_tables import ROWS, settings_table, with_settings

pytestmark = pytest.mark.one_python


def test_a_row_has_the_key_its_default_its_type_and_its_meaning() -> None:
    rows = settings_table("scale_gpu_pools")
    assert rows[:2] == list(ROWS)
    assert "| `pools.KEY.size` | required | a whole number from 1 to 1000 | Nodes in each zone," in "\n".join(rows)
    (of_kind,) = [row for row in rows if row.startswith("| `pools.KEY.idle.signals[].at_most` (gpu_duty_cycle) |")]
    assert "| `5.0` | a number of at least 0 less than 100 |" in of_kind
    (of_two,) = [row for row in rows if row.startswith("| `pools.KEY.idle.signals[].namespace`")]
    assert " (gpu_duty_cycle, gpu_memory) |" in of_two


def test_keys_of_the_same_types_are_listed_once() -> None:
    (row,) = [row for row in settings_table("scale_gpu_pools") if "`pools.KEY.wake" in row]
    assert row == "| `pools.KEY.wake[]` |  | the same keys as `pools.KEY.idle.signals[]` |  |"


@pytest.mark.parametrize("automation", load_functions())
def test_every_key_is_there_once_and_none_that_the_deployment_puts_in(automation: str) -> None:
    keys = [row.split(" | ")[0] for row in settings_table(automation)[2:]]
    assert len(keys) == len(set(keys))
    assert "| `mode`" in keys
    assert not any("wake.KEY" in key for key in keys)


def test_a_section_is_replaced_or_comes_before_the_permissions() -> None:
    once = with_settings("# x\n\ntext\n\n## Permissions\n\nmore\n", "receive_github")
    assert once.index("## Settings") < once.index("## Permissions")
    assert with_settings(once, "receive_github") == once
    assert with_settings(once.replace("`repositories`", "`old`"), "receive_github") == once
    assert once.startswith("# x\n\ntext\n\n## Settings\n")
    assert once.endswith("\n\n## Permissions\n\nmore\n")
    last = with_settings("# x\n\n## Settings\n\nold\n", "receive_github")
    assert with_settings(last, "receive_github") == last
    assert last.endswith(" |\n")
