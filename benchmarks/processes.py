"""Memory and CPU time of processes, as Linux counts them."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path


def resident_bytes(process: int) -> int:
    """Bytes of memory that a process holds."""
    return _of_status(process, "VmRSS")


def peak_bytes(process: int) -> int:
    """The most that it has held: ``ru_maxrss`` would be what its parent held when it was started, if that was more."""
    return _of_status(process, "VmHWM")


def _of_status(process: int, field: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{process}/status has no {field}")


def cpu_seconds_of_children() -> float:
    """Seconds that the children of this process which have ended, and theirs, have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def with_children(process: int) -> Iterator[int]:
    """A process, and those that it has started."""
    yield process
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that has ended meanwhile
            if int(status.read_text("utf-8").rpartition(")")[2].split()[1]) == process:
                yield int(status.parent.name)


def cpu_seconds(process: int) -> float:
    """Seconds that a process has computed so far, in user and kernel mode, with all its threads."""
    return time.clock_gettime(~process << 3 | 2)  # the clock that clock_getcpuclockid(3) names
