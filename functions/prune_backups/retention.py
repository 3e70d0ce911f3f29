"""The backups to keep, each with all of its reasons: from a list, a policy and a time zone. Pure.

The rules are those of restic's ``forget`` (https://restic.readthedocs.io/en/stable/060_forget.html), but that the two
hours of a wall clock that is set back are two, and that objects of one time are one backup.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo

import msgspec

from functions.prune_backups.durations import Duration, read_duration
from functions.prune_backups.inventory import EPOCH, MICROSECOND, Inventory
from functions.prune_backups.policy import RetentionPolicy
from functions.prune_backups.settings import Proof

Period = tuple[int, ...]
PeriodOf = Callable[[datetime, int], Period]
KEPT_BY_NONE = 0

KINDS: dict[str, PeriodOf] = {
    "last": lambda _, number: (number,),
    "hourly": lambda moment, _: (moment.year, moment.month, moment.day, moment.hour, moment.fold),
    "daily": lambda moment, _: (moment.year, moment.month, moment.day),
    "weekly": lambda moment, _: tuple(moment.isocalendar())[:2],
    "monthly": lambda moment, _: (moment.year, moment.month),
    "yearly": lambda moment, _: (moment.year,),
}
"""The kinds of periods: which one a backup (by its local time, and its number from the newest) belongs to."""


class Rule(msgspec.Struct, frozen=True):
    """One rule of a policy: of each period the newest, until so many are kept, or for so long back."""

    kind: str
    count: int = -1
    """-1 is every one."""
    within: Duration | None = None

    def reason(self, number: int, *, is_only_the_oldest: bool) -> str:
        """Why this rule keeps its backup of this number."""
        if self.within:
            text = f"{self.kind} within {self.within}" if self.kind != "last" else f"within {self.within}"
        else:
            text = f"{self.kind} {number} of {self.count}" if self.count > 0 else f"{self.kind}, all of them"
        return f"{text} (the oldest)" if is_only_the_oldest else text


class KeepReasons:
    """Why each backup of an inventory is kept, by its place: no reason if no rule keeps it."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._codes = array("I", [KEPT_BY_NONE]) * len(inventory)
        self._known: list[tuple[str, ...]] = [()]
        self._numbers: dict[tuple[str, ...], int] = {(): KEPT_BY_NONE}

    def reasons(self, place: int) -> tuple[str, ...]:
        """Why a backup is kept."""
        return self._known[self._codes[place]] + self._inventory.pins_at(place)

    def is_kept(self, place: int) -> bool:
        """Whether it is kept."""
        return self._codes[place] != KEPT_BY_NONE or bool(self._inventory.pins_at(place))

    def add(self, place: int, reason: str) -> None:
        """One more reason to keep a backup."""
        reasons = (*self._known[self._codes[place]], reason)
        if reasons not in self._numbers:
            self._numbers[reasons] = len(self._known)
            self._known.append(reasons)
        self._codes[place] = self._numbers[reasons]

    def deleted(self) -> "array[int]":
        """The places of what no rule keeps, in order of name."""
        each = enumerate(zip(self._codes, self._inventory.are_pinned(), strict=True))
        return array("I", (place for place, (code, is_pinned) in each if code == KEPT_BY_NONE and not is_pinned))


def rules_of(policy: RetentionPolicy) -> list[Rule]:
    """The rules that a policy has: those that keep anything."""
    counted = [Rule(kind, getattr(policy, f"keep_{kind}")) for kind in KINDS]
    durations = {
        kind: read_duration(getattr(policy, "keep_within" if kind == "last" else f"keep_within_{kind}"))
        for kind in KINDS
    }
    within = [Rule(kind, within=duration) for kind, duration in durations.items() if duration != Duration()]
    return [rule for rule in counted if rule.count] + within


def keep_reasons(inventory: Inventory, policy: RetentionPolicy, zone: tzinfo, proof: Proof = Proof.NONE) -> KeepReasons:
    """Why each backup is kept. Groups are judged each for itself.

    The rules judge among what has the proof. A backup without it takes no slot of those: it is kept until it is older
    than each of them that is kept, and no rule keeps it among all.
    """
    reasons = KeepReasons(inventory)
    rules = rules_of(policy)
    times = inventory.times
    for places in inventory.places_by_group().values():
        unproved = set(inventory.unproved_times(places, proof))
        proved = array("I", (place for place in places if times[place] not in unproved)) if unproved else places
        for rule in rules:
            for place, reason in _kept_by(rule, proved, times, zone):
                reasons.add(place, reason)
        if unproved:
            since = min((times[place] for place in proved if reasons.is_kept(place)), default=-math.inf)
            for rule in rules:
                for place, reason in _kept_by(rule, places, times, zone):
                    if times[place] in unproved:
                        reasons.add(place, reason)
            for place in places:
                if times[place] in unproved and times[place] > since:
                    reasons.add(place, f"not {proof}")
    return reasons


def _kept_by(rule: Rule, newest_first: Sequence[int], times: Sequence[int], zone: tzinfo) -> Iterator[tuple[int, str]]:
    """The backups that one rule keeps, and why: it walks from the newest until its count or its time is used up.

    Objects of one time are one backup.
    """
    if not newest_first:
        return
    period_of = KINDS[rule.kind]
    since = _since(rule, times[newest_first[0]], zone)
    last: Period = ()
    walked, number, reason, time = -1, 0, "", -1
    for place in newest_first:
        if times[place] != time or walked < 0:
            time = times[place]
            if number == rule.count or (rule.within and time <= since):
                return
            walked += 1
            period = period_of(local_time(time, zone), walked)
            is_oldest = time == times[newest_first[-1]]
            reason = ""
            if period != last or is_oldest:
                number += 1
                reason = rule.reason(number, is_only_the_oldest=period == last)
                last = period
        if reason:
            yield place, reason


def _since(rule: Rule, newest: int, zone: tzinfo) -> int:
    if not rule.within:
        return 0
    return (rule.within.before(local_time(newest, zone)) - EPOCH) // MICROSECOND


def local_time(microseconds: int, zone: tzinfo) -> datetime:
    """A time of an inventory on the wall clock of a zone."""
    return (EPOCH + microseconds * MICROSECOND).astimezone(zone)
