"""Records of ten thousand: how they lie in Firestore, and what reading, changing one and changing all of them takes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from google.api_core.exceptions import InvalidArgument

from benchmarks.functions import PROJECT
from benchmarks.harness import show_table
from localcloud import LocalCloud
from shared.automation import AnyAutomation, Records
from shared.clients import Clients, RetryPolicy
from shared.firestore_values import Builtins
from shared.parts import SPLIT_ABOVE, size_of, split
from shared.records_size import LARGEST_COMMIT, NEARLY_FULL, commit_size
from shared.state import State

MANY = 10_000
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)

Fields = Mapping[str, Builtins]
ResultT = TypeVar("ResultT")


class Large(msgspec.Struct, frozen=True):
    """An automation's records of some, as a run has left them."""

    name: str
    automation: AnyAutomation
    count: int
    """Of how many."""
    fields: Fields


def measure_large(found: Sequence[Large]) -> None:
    """Measure and print."""
    headings = ("", "bytes", "parts", "read", "one changed", "all changed", "bytes of that commit", "alert", "end")
    notes = [
        f"the entries of the records above under new names, to {MANY:,}; seconds of CPU, of the local cloud too",
        f"one commit may have {LARGEST_COMMIT:,} bytes; at {NEARLY_FULL:.0%} of that, `records_nearly_full` comes",
        "end: so many can all change in one commit; 1% fewer were written, 1% more were refused",
    ]
    show_table(f"Growth: records of {MANY:,}", headings, [_row(one) for one in found], notes)


def _row(large: Large) -> tuple[str, ...]:
    type_ = large.automation.records
    records = msgspec.convert(_many(large, MANY), type_, strict=False)
    path = f"records/{large.automation.name}"
    with LocalCloud(now=NOON) as cloud:
        clients = Clients(PROJECT, http_endpoint=cloud.http_address, retry=RetryPolicy(timeout=300.0))
        state = State(clients)
        (none,) = state.read(path)
        written, all_changed = _timed(lambda: state.write(none, records))
        (known,), read = _timed(lambda: state.read(path))
        if known.as_type(type_) != records:
            raise RuntimeError(f"{large.name}: what is read is not what was written")
        known, one_changed = _timed(lambda: state.write(known, _without_one(records)))
        size = commit_size(known.fields or {})
        end = LARGEST_COMMIT / size * MANY
        fewer, more = (msgspec.convert(_many(large, int(end * share)), type_, strict=False) for share in (0.99, 1.01))
        known = state.write(known, fewer)
        if not _is_refused(lambda: state.write(known, more)):
            raise RuntimeError(f"{large.name}: more than {LARGEST_COMMIT:,} bytes are written in one commit")
        clients.close()
    return (
        large.name,
        f"{_stored_bytes(records):,}",
        str(len(written.parts)),
        f"{read:.2f}",
        f"{one_changed:.2f}",
        f"{all_changed:.2f}",
        f"{size:,}",
        f"{NEARLY_FULL * end:,.0f}",
        f"{end:,.0f}",
    )


def _stored_bytes(records: Records) -> int:
    """Bytes of the document and its parts, as Firestore counts them."""
    stored, parts = split(msgspec.to_builtins(records, builtin_types=(datetime,)), {}, SPLIT_ABOVE)
    return sum(map(size_of, [stored, *(one.fields_of(part) for part, one in parts.items())]))


def _is_refused(write: Callable[[], object]) -> bool:
    try:
        write()
    except InvalidArgument:
        return True
    return False


def _many(large: Large, count: int) -> Fields:
    """The fields with as many entries in each mapping that has one for each of them."""
    return {
        name: {f"{key}-{again}": entry for again in range(count // large.count) for key, entry in value.items()}
        if isinstance(value, dict) and len(value) >= large.count
        else value
        for name, value in large.fields.items()
    }


def _without_one(records: Records) -> Records:
    """Records without one entry of their largest mapping."""
    mappings = {name: value for name, value in msgspec.structs.asdict(records).items() if isinstance(value, dict)}
    largest = max(mappings, key=lambda name: len(mappings[name]))
    return msgspec.structs.replace(records, **{largest: dict(list(mappings[largest].items())[1:])})


def _timed(call: Callable[[], ResultT]) -> tuple[ResultT, float]:
    begun = time.process_time()
    return call(), time.process_time() - begun
