"""The guards that may refuse to delete anything of a set, each with the numbers that it judged.

A set that anything speaks against is left alone as a whole, whichever of its groups it is.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median

import msgspec

from functions.prune_backups.changes import DeleteBackups, PruneChange
from functions.prune_backups.durations import read_duration
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import EPOCH, MICROSECOND
from functions.prune_backups.records import Context
from functions.prune_backups.retention import rules_of
from functions.prune_backups.settings import CLOCK_SKEW, BackupSet, Proof
from functions.prune_backups.world import Listing, listings_in
from shared.clock import format_time
from shared.decision import Refusal
from shared.world import World

TYPICAL = 10_000
"""The number of newest backups in a group from which its usual size is taken."""


class PrunedSet(msgspec.Struct, frozen=True):
    """A set, as it would be after what is planned."""

    settings: BackupSet
    listing: Listing
    deletes: tuple[DeleteBackups, ...]
    now: datetime
    retired: Mapping[str, datetime] = {}
    """The groups that get no more backups, and since when."""

    @property
    def deleted(self) -> int:
        """The number of backups to delete."""
        return sum(change.count for change in self.deletes)

    def groups(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Each group that should get more backups, in words, and where its backups are, the newest first."""
        inventory = self.listing.inventory
        for group, places in inventory.places_by_group().items():
            retired = self.retired.get(group)
            if retired is None or inventory[places[0]].time >= retired:
                yield (f"of {printable(group)} " if group else ""), places

    def least_size(self, backups: Iterable[Sequence[int]]) -> tuple[float, int]:
        """The size below which a backup is suspiciously small, by the first of these; and how many they are."""
        sizes = [self.listing.inventory.size_of(backup) for backup in itertools.islice(backups, TYPICAL)]
        return (self.settings.min_size_ratio * median(sizes) if sizes else 0), len(sizes)


def empty_policy(pruned: PrunedSet) -> Iterator[str]:
    """A policy that keeps nothing is a mistake."""
    if not rules_of(pruned.settings.retention):
        yield "the policy has no rule that keeps anything: say keep_last, keep_daily, keep_within or another"


def unknown_names(pruned: PrunedSet) -> Iterator[str]:
    """Names that do not fit: perhaps the pattern is wrong, and the newest backups are among them."""
    unknown, most = pruned.listing.unknown, pruned.settings.max_unknown_names
    if unknown.count > most:
        examples = ", ".join(map(printable, unknown.examples))
        yield f"{unknown.count} names do not fit {pruned.settings.name!r}, at most {most} may: {examples}"


def misdated(pruned: PrunedSet) -> Iterator[str]:
    """Names that say another time than that of writing: forged perhaps, or copied from elsewhere."""
    found, most = pruned.listing.misdated, pruned.settings.max_unknown_names
    if found.count > most:
        within = read_duration(pruned.settings.written_within)
        yield (
            f"{found.count} objects were not written within {within} of the time in their names, at most {most} "
            f"may be: {', '.join(map(printable, found.examples))}; if you copied them here, raise `written_within`"
        )


def future_backups(pruned: PrunedSet) -> Iterator[str]:
    """A clock is wrong, so that nothing can be said of ages."""
    limit = (pruned.now + CLOCK_SKEW - EPOCH) // MICROSECOND
    future = [place for place, time in enumerate(pruned.listing.inventory.times) if time > limit]
    if future:
        first = pruned.listing.inventory[future[0]]
        count = "1 backup is" if len(future) == 1 else f"{len(future)} backups are"
        yield f"{count} from the future, such as {printable(first.name)} of {format_time(first.time)}"


def stale_newest(pruned: PrunedSet) -> Iterator[str]:
    """Backups have stopped coming."""
    within = read_duration(pruned.settings.fresh_within)
    since = within.before(pruned.now)
    if not len(pruned.listing.inventory):
        yield "there is no backup at all"
    for of_group, places in pruned.groups():
        newest = pruned.listing.inventory[places[0]]
        if newest.time < since:
            yield f"the newest backup {of_group}is from {format_time(newest.time)}, more than {within} ago"


def small_newest(pruned: PrunedSet) -> Iterator[str]:
    """The newest backup may be truncated."""
    inventory = pruned.listing.inventory
    for of_group, places in pruned.groups():
        backups = inventory.backups_of(places)
        size = inventory.size_of(next(backups))
        least, count = pruned.least_size(backups)
        if size < least or size == 0:
            yield (
                f"the newest backup {of_group}has {size:,} bytes, less than {least:,.0f}, which is "
                f"{pruned.settings.min_size_ratio:.0%} of the median of the {count} before it"
            )


def unproved_newest(pruned: PrunedSet) -> Iterator[str]:
    """A proof is required, and the newest backup has none."""
    inventory, proof = pruned.listing.inventory, pruned.settings.proof
    for of_group, places in pruned.groups():
        newest = next(inventory.backups_of(places))
        unproved = [place for place in newest if not inventory.is_good(place, proof)]
        if unproved:
            yield f"the newest backup {of_group}({printable(inventory[unproved[0]].name)}) is not {proof}"


def too_many_deletes(pruned: PrunedSet) -> Iterator[str]:
    """A plan that deletes so much is more likely a mistake."""
    total, most = len(pruned.listing.inventory), pruned.settings.max_delete_fraction
    if pruned.deleted > most * total:
        share = pruned.deleted / total
        yield f"it would delete {pruned.deleted} of {total} backups ({share:.0%}), and at most {most:.0%} may go"


def below_floor(pruned: PrunedSet) -> Iterator[str]:
    """Too few good backups would be left of a group that something is deleted of."""
    inventory, settings = pruned.listing.inventory, pruned.settings
    is_deleted = bytearray(len(inventory))
    for change in pruned.deletes:
        for place in change.places:
            is_deleted[place] = True
    for group, places in inventory.places_by_group().items():
        if not any(map(is_deleted.__getitem__, places)):
            continue
        least, _ = pruned.least_size(inventory.backups_of(places))
        good = (
            backup
            for backup in inventory.backups_of(places)
            if inventory.size_of(backup) >= max(least, 1)
            and all(not is_deleted[place] and inventory.is_good(place, settings.proof) for place in backup)
        )
        left = sum(1 for _ in itertools.islice(good, settings.floor))  # more than that need not be counted
        if left < settings.floor:
            kind = "complete, verified" if settings.proof is Proof.VERIFIED else "complete"
            of_group = f" of {printable(group)}" if group else ""
            yield f"{left} {kind} backups{of_group} would be left, and the floor is {settings.floor}"


Question = Callable[[PrunedSet], Iterator[str]]
"""The reasons against deleting anything of a set."""
Guard = Callable[[Context, World, tuple[PruneChange, ...]], Iterator[Refusal]]

QUESTIONS: tuple[Question, ...] = (
    *(
        empty_policy,
        unknown_names,
        misdated,
        future_backups,
        stale_newest,
        small_newest,
        unproved_newest,
        too_many_deletes,
    ),
    below_floor,
)


def _guard(question: Question) -> Guard:
    """The guard that asks a question of each set that is not being restored."""

    def judge(context: Context, world: World, changes: tuple[PruneChange, ...]) -> Iterator[Refusal]:
        for key, listing in listings_in(world).items():
            settings = context.settings.sets[key]
            if not context.records.restoring_now(settings, context.now):
                deletes = tuple(one for one in changes if isinstance(one, DeleteBackups) and one.scope == key)
                retired = context.records.retired_since(settings)
                pruned = PrunedSet(settings, listing, deletes, context.now, retired)
                for reason in question(pruned):
                    yield Refusal(key, question.__name__, reason, is_alert=True)

    return judge


GUARDS: dict[str, Guard] = {question.__name__: _guard(question) for question in QUESTIONS}
