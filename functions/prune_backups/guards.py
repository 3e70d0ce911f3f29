"""What may refuse to delete anything of a set: each guard is a question, and its answer has the numbers.

A set that anything speaks against is left alone as a whole, whichever of its groups it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from functions.prune_backups.changes import DeleteBackups, PruneChange
from functions.prune_backups.durations import read_duration
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import EPOCH, MICROSECOND
from functions.prune_backups.records import Context
from functions.prune_backups.retention import rules_of
from functions.prune_backups.settings import BackupSet, Proof
from functions.prune_backups.world import Listing, listings_in
from shared.clock import format_time
from shared.decision import Refusal
from shared.world import World

TYPICAL = 10_000
"""So many backups of a group, the newest, tell how large one is."""
CLOCK_SKEW = timedelta(minutes=5)
"""So far a clock may be ahead of ours before a backup is from the future."""


class PrunedSet(msgspec.Struct, frozen=True):
    """A set, as it would be after what is planned."""

    settings: BackupSet
    listing: Listing
    deletes: tuple[DeleteBackups, ...]
    now: datetime

    @property
    def deleted(self) -> int:
        """How many backups would be deleted."""
        return sum(change.count for change in self.deletes)

    def groups(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Each group, in words, and where its backups are, the newest first."""
        for group, places in self.listing.inventory.places_by_group().items():
            yield (f"of {printable(group)} " if group else ""), places

    def least_size(self, newest_first: Sequence[int]) -> float:
        """The size below which a backup is suspiciously small, by the newest of these."""
        sizes = [self.listing.inventory.sizes[place] for place in newest_first[:TYPICAL]]
        return self.settings.min_size_ratio * median(sizes) if sizes else 0


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


def future_backups(pruned: PrunedSet) -> Iterator[str]:
    """A clock is wrong, so that nothing can be said of ages."""
    limit = (pruned.now + CLOCK_SKEW - EPOCH) // MICROSECOND
    future = [place for place, time in enumerate(pruned.listing.inventory.times) if time > limit]
    if future:
        first = pruned.listing.inventory[future[0]]
        yield f"{len(future)} backups are from the future, such as {printable(first.name)} of {format_time(first.time)}"


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
    for of_group, places in pruned.groups():
        size, least = pruned.listing.inventory.sizes[places[0]], pruned.least_size(places[1 : TYPICAL + 1])
        if size < least or size == 0:
            yield (
                f"the newest backup {of_group}has {size:,} bytes, less than {least:,.0f}, which is "
                f"{pruned.settings.min_size_ratio:.0%} of the median of the {min(len(places) - 1, TYPICAL)} before it"
            )


def unproved_newest(pruned: PrunedSet) -> Iterator[str]:
    """Proof is asked, and the newest backup has none."""
    proof = pruned.settings.proof
    for of_group, places in pruned.groups():
        newest = pruned.listing.inventory[places[0]]
        is_proved = newest.is_complete and (newest.is_verified or proof is not Proof.VERIFIED)
        if proof is not Proof.NONE and not is_proved:
            yield f"the newest backup {of_group}({printable(newest.name)}) is not {proof}"


def too_many_deletes(pruned: PrunedSet) -> Iterator[str]:
    """A plan that deletes so much is more likely a mistake."""
    total, most = len(pruned.listing.inventory), pruned.settings.max_delete_fraction
    if pruned.deleted > most * total:
        share = pruned.deleted / total
        yield f"it would delete {pruned.deleted} of {total} backups ({share:.0%}), and at most {most:.0%} may go"


def below_floor(pruned: PrunedSet) -> Iterator[str]:
    """Too few good backups would be left of a group that something is deleted of."""
    inventory, settings = pruned.listing.inventory, pruned.settings
    needs_verification = settings.proof is Proof.VERIFIED
    is_deleted = bytearray(len(inventory))
    groups: Counter[str] = Counter()
    for change in pruned.deletes:
        for place in change.places:
            is_deleted[place] = True
            groups[inventory.group_at(place)] += 1
    for group, places in inventory.places_by_group().items():
        least = pruned.least_size(places)
        if not groups[group]:
            continue
        left = sum(
            1
            for place in places
            if not is_deleted[place]
            and inventory.sizes[place] >= max(least, 1)
            and inventory.is_good(place, needs_verification=needs_verification)
        )
        if left < settings.floor:
            kind = "complete, verified" if needs_verification else "complete"
            of_group = f" of {printable(group)}" if group else ""
            yield f"{left} {kind} backups{of_group} would be left, and the floor is {settings.floor}"


Question = Callable[[PrunedSet], Iterator[str]]
"""What speaks against deleting anything of a set: a reason for each such thing."""
Guard = Callable[[Context, World, tuple[PruneChange, ...]], Iterator[Refusal]]

QUESTIONS: tuple[Question, ...] = (
    *(empty_policy, unknown_names, future_backups, stale_newest, small_newest, unproved_newest, too_many_deletes),
    below_floor,
)


def _guard(question: Question) -> Guard:
    """The guard that asks a question of each set that is not being restored."""

    def judge(context: Context, world: World, changes: tuple[PruneChange, ...]) -> Iterator[Refusal]:
        for key, listing in listings_in(world).items():
            if not context.records.restoring_now(key, context.now):
                deletes = tuple(one for one in changes if isinstance(one, DeleteBackups) and one.scope == key)
                pruned = PrunedSet(context.settings.sets[key], listing, deletes, context.now)
                for reason in question(pruned):
                    yield Refusal(key, question.__name__, reason, is_alert=True)

    return judge


GUARDS: dict[str, Guard] = {question.__name__: _guard(question) for question in QUESTIONS}
