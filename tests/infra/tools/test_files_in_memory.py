"""The place of the tests' files."""

from pathlib import Path

import pytest

from infra.tools.files_in_memory import files_in_memory

pytestmark = pytest.mark.one_python


def test_files_are_gone_in_the_end_and_another_user_reaches_those_it_owns(tmp_path: Path) -> None:
    with files_in_memory(tmp_path, room=0) as variables:
        folder = Path(variables["TMPDIR"])
        (folder / "file").touch()
        assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o711)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "room"), [("nowhere", 0), ("", 1 << 62)])
def test_without_room_they_stay_where_they_are(tmp_path: Path, name: str, room: int) -> None:
    with files_in_memory(tmp_path / name, room) as variables:
        assert variables == {}
