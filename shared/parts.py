"""A document that outgrows one: its largest mappings lie in parts beside it. Pure.

Firestore holds 1 MiB a document. Above ``SPLIT_ABOVE`` bytes the largest mapping moves into a document of its own
(`records/NAME.holds`), which splits in two by a hash of the keys (`.holds.0` and `.holds.1`) while that is too large.
The document itself names its parts, each with the number of the write that it is of. So it changes with each of them: a
precondition on it is one on all. A part is joined again when both halves would fill half of one.

A part holds its entries as one text, which is JSON: half the bytes of Firestore's typed values in a commit, which may
have 10 MiB, and encoded and decoded in a fraction of their time.

In the place of a mapping that has moved there is a text: a version that knows no parts refuses the document, instead of
taking what is held for nothing.
"""

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import msgspec

from shared.decoding import converted, decoded
from shared.errors import StoredUnreadable
from shared.firestore_values import Builtins

Fields = Mapping[str, Builtins]
Texts = Mapping[str, bytes]
"""Entries as they are in the JSON of a part, by key."""

SPLIT_ABOVE = 256 * 1024
"""Bytes of a document as JSON, of which Firestore counts four for each at most (a list of digits): few enough for its
limits of indexes too, should its database have none exempted (40,000 entries, 8 MiB:
https://firebase.google.com/docs/firestore/quotas#indexes)."""
IN_PARTS = "in_parts"
"""The field that names the parts: by id, the number of its write."""
ELSEWHERE = "in parts beside this document"
WRITE = "write"
"""The field of a part that has that number."""
MOST_BITS = 16
"""Of a hash: entries that are so alike, or alone, stay together however large they are."""


class Part(msgspec.Struct, frozen=True):
    """Some entries of one mapping, and the number of the write that it is of."""

    text: str
    """The entries as JSON, in order of their keys: equal ones have equal texts."""
    write: int

    @property
    def entries(self) -> dict[str, Builtins]:
        """The entries, with times as text. Raises ``msgspec.DecodeError`` if the text is no mapping."""
        return cast("dict[str, Builtins]", decoded(self.text, dict[str, object]))

    def fields_of(self, part: str) -> dict[str, Builtins]:
        """The fields of its document, by its id."""
        return {WRITE: self.write, _mapping_of(part): self.text}


_json = msgspec.json.Encoder(order="deterministic")


def json_size(value: object) -> int:
    """Bytes of a value as JSON."""
    return len(_json.encode(value))


def size_of(fields: Fields) -> int:
    """Bytes of the fields of a document, without its name: https://firebase.google.com/docs/firestore/storage-size."""
    return sum(len(name.encode()) + 1 + size_of_value(value) for name, value in fields.items())


def size_of_value(value: Builtins) -> int:
    """Bytes of one value."""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode()) + 1
        case dict():
            return size_of(value)
        case list() | tuple():
            return sum(map(size_of_value, value))
    return 8  # numbers and times


def paths_of_parts(path: str, fields: Fields) -> dict[str, str]:
    """By path, the ids of the parts that a document as it is stored names: none for most.

    Raises ``StoredUnreadable`` for what no version that is known has written.
    """
    named = fields.get(IN_PARTS, {})
    if not isinstance(named, dict) or not all(isinstance(number, int) for number in named.values()):
        raise StoredUnreadable(f"{path}: {IN_PARTS} cannot be read by this version")
    return {f"{path}.{part}": part for part in named}


def join(path: str, fields: Fields, stored: Mapping[str, Fields | None]) -> tuple[Fields, dict[str, Part]]:
    """A whole document, and its parts by id, from what is stored of it and, by path, of its parts.

    Raises ``StoredUnreadable`` for a part that is missing, or not of the write that the document names.
    """
    paths = paths_of_parts(path, fields)
    if not paths:
        return fields, {}
    named = converted(fields[IN_PARTS], dict[str, int])
    parts = {part: _part(where, part, stored[where], named[part]) for where, part in paths.items()}
    whole = {name: value for name, value in fields.items() if name != IN_PARTS}
    moved: dict[str, dict[str, Builtins]] = {}
    for where, part in paths.items():
        try:
            moved.setdefault(_mapping_of(part), {}).update(parts[part].entries)
        except msgspec.DecodeError as error:
            raise StoredUnreadable(f"{where} is no mapping in JSON: {error}") from None
    return whole | {name: dict(sorted(entries.items())) for name, entries in moved.items()}, parts


def split(fields: Fields, known: Mapping[str, Part], above: int) -> tuple[Fields, dict[str, Part]]:
    """A whole document as it is stored beside its parts, and these, by id: what stays as it was is ``known``'s."""
    if not known and json_size(fields) <= above:
        return fields, {}
    texts = {
        name: {key: _json.encode({key: entry})[1:-1] for key, entry in value.items()}
        for name, value in fields.items()
        if isinstance(value, dict) and value and name.isidentifier()
    }
    moved = _moved(fields, texts, {_mapping_of(part) for part in known}, above)
    if not moved:
        return fields, {}
    number = 1 + max((part.write for part in known.values()), default=0)
    parts: dict[str, Part] = {}
    for name in sorted(moved):
        prefixes = [part.partition(".")[2] for part in known if _mapping_of(part) == name]
        for prefix, entries in _leaves("", texts[name], prefixes, above):
            part = f"{name}.{prefix}" if prefix else name
            text = f"{{{b','.join(entries[key] for key in sorted(entries)).decode()}}}"
            before = known.get(part)
            parts[part] = before if before and before.text == text else Part(text, number)
    beside: dict[str, Builtins] = {part: one.write for part, one in parts.items()}
    return {**fields, **dict.fromkeys(moved, ELSEWHERE), IN_PARTS: beside}, parts


def _part(path: str, part: str, stored: Fields | None, number: int) -> Part:
    text = (stored or {}).get(_mapping_of(part))
    if stored is None or not isinstance(text, str) or stored.get(WRITE) != number:
        what = "is missing" if stored is None else f"is not of write {number}"
        raise StoredUnreadable(
            f"{path} {what}: restore it to what it was (point-in-time recovery goes back seven days)"
        )
    return Part(text, number)


def _mapping_of(part: str) -> str:
    return part.partition(".")[0]


def _moved(fields: Fields, texts: Mapping[str, Texts], outside: set[str], above: int) -> set[str]:
    """The mappings that lie in parts: as few as possible, and of those ``outside`` all that do not fit back easily."""
    sizes = {name: _size(entries) for name, entries in texts.items()}
    moved = sizes.keys() & outside
    here = json_size({name: {} if name in sizes else value for name, value in fields.items()})
    here += sum(sizes[name] for name in sizes.keys() - moved)
    for name in sorted(sizes.keys() - moved, key=sizes.__getitem__, reverse=True):
        if here <= above:
            break
        moved.add(name)
        here -= sizes[name]
    for name in sorted(moved & outside, key=sizes.__getitem__):
        if here + sizes[name] <= above // 2:
            moved.remove(name)
            here += sizes[name]
    return moved


def _leaves(prefix: str, texts: Texts, known: Sequence[str], above: int) -> Iterator[tuple[str, Texts]]:
    """Entries by the first bits of their keys' hashes, as many bits as it takes; those that were apart stay so."""
    was_split = any(one != prefix and one.startswith(prefix) for one in known)
    fits = _size(texts) <= (above // 2 if was_split else above)
    if fits or len(texts) == 1 or len(prefix) == MOST_BITS:
        yield prefix, texts
        return
    halves: dict[str, dict[str, bytes]] = {"0": {}, "1": {}}
    for key, text in texts.items():
        halves[_bits(key)[len(prefix)]][key] = text
    for bit, half in halves.items():
        yield from _leaves(prefix + bit, half, known, above)


def _size(texts: Texts) -> int:
    """Bytes of entries with a comma after each."""
    return sum(map(len, texts.values())) + len(texts)


@functools.lru_cache(maxsize=65_536)
def _bits(key: str) -> str:
    digest = hashlib.sha256(key.encode()).digest()
    return f"{int.from_bytes(digest[: MOST_BITS // 8]):0{MOST_BITS}b}"
