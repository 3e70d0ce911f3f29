"""The size of an automation's records as Firestore takes them, and the alert before that is too much. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from shared.automation import Records
from shared.decision import Alert
from shared.firestore_values import Builtins, to_fields
from shared.parts import SPLIT_ABOVE, json_size, size_of, split

LARGEST_COMMIT = 10_485_760
"""Bytes of one request, in which all parts of the records may change: https://firebase.google.com/docs/firestore/quotas."""
LARGEST_DOCUMENT = 1_048_576
"""Bytes of one document: the same page. An entry of a mapping is never divided."""
NEARLY_FULL = 0.8
KIND = "records_nearly_full"


def commit_size(fields: Mapping[str, Builtins]) -> int:
    """Bytes of a commit that writes all of the records."""
    stored, parts = split(fields, {}, SPLIT_ABOVE)
    documents = [stored, *(one.fields_of(part) for part, one in parts.items())]
    return sum(json_size(to_fields(document)) for document in documents)


def nearly_full(automation: str, records: Records) -> Iterator[Alert]:
    """Alert at four fifths of what can be written: past that a run cannot write, and so changes nothing."""
    if json_size(records) <= SPLIT_ABOVE:
        return
    fields: dict[str, Builtins] = msgspec.to_builtins(records, builtin_types=(datetime,))
    for size, largest, holder in (
        (commit_size(fields), LARGEST_COMMIT, "commit to Firestore"),
        (_indivisible(fields), LARGEST_DOCUMENT, "document of Firestore, which one entry must fit into,"),
    ):
        if size >= NEARLY_FULL * largest:
            reason = (
                f"the records of {automation} have {size // 1024:,} KiB, and one {holder} holds {largest // 1024:,} "
                f"KiB; when it is full, nothing more is changed: name fewer resources in {automation}'s section of "
                "caretaker.yaml, or restore some of what is held"
            )
            yield Alert(KIND, automation, reason)
            return


def _indivisible(fields: Mapping[str, Builtins]) -> int:
    """Bytes of the largest piece that lies in one document in any case: an entry as it is in a part, or all others."""
    entries = [entry for value in fields.values() if isinstance(value, dict) for entry in value.values()]
    plain = {name: value for name, value in fields.items() if not isinstance(value, dict)}
    return max(size_of(plain), *map(json_size, entries), 0)
