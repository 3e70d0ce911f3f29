"""The backups of a set as they were listed, column by column.

A list may have a million of them. A struct for each would take three times as much memory as these columns do, and the
plan is to fit into a small function.
"""

import heapq
import itertools
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import lt
from typing import TypeVar, overload

import msgspec

from functions.prune_backups.settings import Proof

EPOCH = datetime.fromtimestamp(0, UTC)
MICROSECOND = timedelta(microseconds=1)
SORTED_AT_ONCE = 50_000

KeyT = TypeVar("KeyT", str, tuple[str, ...])


class Backup(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One backup."""

    name: str
    generation: int
    """The version of the object that was listed: no other is ever deleted."""
    time: datetime
    """The time it was taken, in UTC."""
    size: int
    """In bytes."""
    group: str = ""
    """The name of the thing backed up, where a set has backups of several. Groups never mix."""
    pins: tuple[str, ...] = ()
    """Why it must stay regardless of the policy: a hold, a retention, a note of the owner's."""
    is_complete: bool = True
    """Whether it says of itself that it is whole; True for one that is not asked."""
    is_verified: bool = True
    """Whether it has been restored to prove it; True for one that is not asked."""


class Inventory(Sequence[Backup]):
    """The backups of a set, in order of their names."""

    def __init__(self, backups: "Sequence[Backup] | Iterator[Backup]" = ()) -> None:
        self._names = bytearray()
        """All of them, one after the other: a text of Python's for each would take half of the memory."""
        self._ends = array("Q")
        """The end of each of them."""
        self._last_name = ""
        self._generations = array("q")
        self.times = array("q")
        """Of each backup, in microseconds since 1970."""
        self.sizes = array("q")
        self._groups = array("I")
        self._pins = array("I")
        self._marks = array("B")
        self.groups: list[str] = []
        """The names of all groups, in the order in which they were met."""
        self._group_numbers: dict[str, int] = {}
        self._newest_first: dict[str, array[int]] | None = None
        self._pin_texts: list[tuple[str, ...]] = [()]
        self._pin_numbers: dict[tuple[str, ...], int] = {(): 0}
        for backup in backups:
            self.add(backup)

    def add(self, backup: Backup) -> None:
        """Put a backup at the end. Raises ``ValueError`` if its name does not come after those that are there."""
        if backup.name <= self._last_name:
            raise ValueError(f"{backup.name!r} comes after {self._last_name!r}: backups are added in order of name")
        self._newest_first = None
        self._last_name = backup.name
        self._names += backup.name.encode()
        self._ends.append(len(self._names))
        self._generations.append(backup.generation)
        self.times.append((backup.time - EPOCH) // MICROSECOND)
        self.sizes.append(backup.size)
        self._groups.append(_number(backup.group, self.groups, self._group_numbers))
        self._pins.append(_number(backup.pins, self._pin_texts, self._pin_numbers))
        self._marks.append(backup.is_complete + 2 * backup.is_verified)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> Backup: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Backup]: ...

    def __getitem__(self, place: int | slice) -> Backup | Sequence[Backup]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return Backup(
            name=self._names[self._ends[place - 1] if place else 0 : self._ends[place]].decode(),
            generation=self._generations[place],
            time=EPOCH + self.times[place] * MICROSECOND,
            size=self.sizes[place],
            group=self.groups[self._groups[place]],
            pins=self._pin_texts[self._pins[place]],
            is_complete=bool(self._marks[place] & 1),
            is_verified=bool(self._marks[place] & 2),
        )

    def places_by_group(self) -> dict[str, "array[int]"]:
        """The indexes of each group's backups, newest first; by name where times are equal."""
        if self._newest_first is None:
            places: list[array[int]] = [array("I") for _ in self.groups]
            for place, group in enumerate(self._groups):
                places[group].append(place)
            self._newest_first = dict(zip(self.groups, map(self._sorted, places), strict=True))
        return self._newest_first

    def _sorted(self, places: "array[int]") -> "array[int]":
        """Places by age, sorted a part at a time: what a sort needs besides is several times what is sorted.

        Names mostly have the time in them, so that the order of name is that of age.
        """
        if all(
            map(lt, map(self.times.__getitem__, places), map(self.times.__getitem__, itertools.islice(places, 1, None)))
        ):
            return places[::-1]
        parts = [
            array("I", sorted(places[start : start + SORTED_AT_ONCE], key=self.times.__getitem__, reverse=True))
            for start in range(0, len(places), SORTED_AT_ONCE)
        ]
        return array("I", heapq.merge(*parts, key=lambda place: (-self.times[place], place)))

    def group_at(self, place: int) -> str:
        """The group of the backup at a place."""
        return self.groups[self._groups[place]]

    def are_pinned(self) -> Iterator[bool]:
        """Of each backup, whether it must stay regardless of the policy."""
        return map(bool, self._pins)

    def pins_at(self, place: int) -> tuple[str, ...]:
        """Why the backup at a place must stay regardless of the policy."""
        return self._pin_texts[self._pins[place]]

    def is_good(self, place: int, proof: Proof) -> bool:
        """Whether the backup at a place has this proof."""
        return proof is Proof.NONE or self._marks[place] == 3 or (self._marks[place] == 1 and proof is Proof.COMPLETE)

    def unproved_times(self, places: Sequence[int], proof: Proof) -> Iterator[int]:
        """The times of those at these places that do not have this proof."""
        if proof is not Proof.NONE:
            yield from (self.times[place] for place in places if not self.is_good(place, proof))

    def backups_of(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """The objects at these places, newest first, in one piece for each backup: those of one time."""
        for _, one in itertools.groupby(places, key=self.times.__getitem__):
            yield tuple(one)

    def size_of(self, backup: Sequence[int]) -> int:
        """The bytes of all objects of a backup."""
        return sum(self.sizes[place] for place in backup)


def _number(value: KeyT, known: list[KeyT], numbers: dict[KeyT, int]) -> int:
    """The number of a value that many backups share."""
    if value not in numbers:
        numbers[value] = len(known)
        known.append(value)
    return numbers[value]
