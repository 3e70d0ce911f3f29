"""A folder in memory for the files that tests make.

On a disk most of what a PostgreSQL server costs that lives for one test goes into making and removing its thousand
files: the tests of the jobs took 54 CPU seconds there, and 28 in memory.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

MEMORY = Path("/dev/shm")  # noqa: S108 - tempfile makes what is made there
ROOM_BYTES = 2 << 30
"""The bytes that must be free there: eight times what the tests on one Python take."""


@contextmanager
def files_in_memory(memory: Path = MEMORY, room: int = ROOM_BYTES) -> Iterator[dict[str, str]]:
    """The variable that has programs make their temporary files in memory; none where that has no room.

    In the end the files are removed.
    """
    if not _serves(memory, room):
        yield {}
        return
    with TemporaryDirectory(prefix="caretaker-", dir=memory, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user where we are root
        yield {"TMPDIR": folder}


def _serves(memory: Path, room: int) -> bool:
    try:
        found = os.statvfs(memory)
    except OSError:
        return False
    # Tests write programs too, and a container may not run any from there.
    return found.f_bavail * found.f_frsize >= room and not found.f_flag & os.ST_NOEXEC
