"""The size of an automation's records as Firestore counts it, and the alert before their document is full. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from shared.automation import Records
from shared.decision import Alert
from shared.firestore_values import Builtins

LARGEST = 1_048_576
"""Bytes of one document: https://firebase.google.com/docs/firestore/quotas."""
NEARLY_FULL = 0.8
KIND = "records_nearly_full"


def size_of(fields: Mapping[str, Builtins]) -> int:
    """Bytes of the fields of a document, without its name: https://firebase.google.com/docs/firestore/storage-size."""
    return sum(len(name.encode()) + 1 + _size_of(value) for name, value in fields.items())


def _size_of(value: Builtins) -> int:
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode()) + 1
        case dict():
            return size_of(value)
        case list():
            return sum(map(_size_of, value))
    return 8  # numbers and times


def nearly_full(automation: str, records: Records) -> Iterator[Alert]:
    """Alert at four fifths of what one document holds: past that no run can write, and so none changes anything."""
    size = size_of(msgspec.to_builtins(records, builtin_types=(datetime,)))
    if size >= NEARLY_FULL * LARGEST:
        reason = (
            f"the records of {automation} have {size // 1024:,} KiB, and one Firestore document holds "
            f"{LARGEST // 1024:,} KiB; when it is full, nothing more is changed: name fewer resources in "
            f"{automation}'s section of caretaker.yaml, or restore some of what is held"
        )
        yield Alert(KIND, automation, reason)
