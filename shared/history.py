"""The history: one small Firestore document a day, to which runs only add, so that it outlives the log.

Moments ride on commits that a run makes anyway, so they cost no call, and what records tell is in the history exactly
if it is in the records. Adding is a union (``appendMissingElements``): no reading, no contention, nothing twice. What
the document of a busy day has no room for goes into one for each hour.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from shared.decoding import converted
from shared.errors import presentable
from shared.firestore_values import Builtins, Write, to_fields
from shared.moments import AlertBegan, AnyMoment, Changed, Moment
from shared.parts import size_of

COLLECTION = "history"
FIELD = "moments"
MOST_MOMENTS = 50
"""Of one run: a document holds 1 MiB, a moment some 300 bytes, and a busy suite runs a thousand times a day."""
HALF_FULL = 524_288
"""Bytes of a day's document below which it has had room for each run's moments."""


def path_of(day: date) -> str:
    """The document of a day, in UTC."""
    return f"{COLLECTION}/{day.isoformat()}"


def path_of_day(moment: datetime) -> str:
    """The document of the day of a moment."""
    return path_of(moment.astimezone(UTC).date())


def path_of_hour(moment: datetime) -> str:
    """The document of the hour of a moment, in UTC, for what the day's has no room for: `history/2026-11-15T09`."""
    return f"{COLLECTION}/{moment.astimezone(UTC):%Y-%m-%dT%H}"


def hours_beside(day: date, fields: Mapping[str, Builtins] | None) -> tuple[str, ...]:
    """The documents in which more of a day may be, by what its own has: none for most days."""
    if size_of(fields or {}) < HALF_FULL:
        return ()
    midnight = datetime.combine(day, time(), UTC)
    return tuple(path_of_hour(midnight + timedelta(hours=hour)) for hour in range(24))


def days_between(start: datetime, end: datetime) -> Iterator[date]:
    """The days, in UTC, that a time touches."""
    day = start.astimezone(UTC).date()
    while day <= end.astimezone(UTC).date():
        yield day
        day += timedelta(days=1)


def read_moments(fields: Mapping[str, Builtins] | None) -> Iterator[AnyMoment]:
    """The moments of a document, in order of time. Those of a kind that this version does not know are left out."""
    stored = (fields or {}).get(FIELD, [])
    read: list[AnyMoment] = []
    for one in stored if isinstance(stored, list) else ():
        try:
            read.append(converted(one, AnyMoment, strict=False))
        except msgspec.ValidationError:
            continue  # A newer version wrote it, and the moments of this one are worth showing without it.
    yield from sorted(read, key=lambda moment: moment.at)


class Journal:
    """The moments of one run that are not written yet."""

    def __init__(self, automation: str, message_id: str) -> None:
        self._automation = automation
        self._message_id = message_id
        self._pending: list[Moment] = []
        self._room = MOST_MOMENTS

    def add(self, moments: Iterable[Moment]) -> None:
        """Keep moments for the next commit."""
        self._pending += self.stamped(moments)

    def stamped(self, moments: Iterable[Moment]) -> list[Moment]:
        """Moments of this run, as they are stored: its automation and message, texts bounded."""
        found = []
        for moment in moments:
            bounded = _bounded(moment)
            found.append(msgspec.structs.replace(bounded, automation=self._automation, message_id=self._message_id))
        return found

    def writes(self, root: str, more: Iterable[Moment], path: Callable[[datetime], str]) -> list[Write]:
        """The writes that add the pending moments, and some more, each to the document ``path`` of its time."""
        by_path: dict[str, list[Moment]] = {}
        for moment in [*self._pending, *more][: max(self._room, 0)]:
            by_path.setdefault(path(moment.at), []).append(moment)
        return [_adding(f"{root}/{document}", moments) for document, moments in by_path.items()]

    def written(self) -> None:
        """Forget what was pending: it is stored, or its hour has no room either."""
        self._room -= len(self._pending)
        self._pending.clear()


def _adding(name: str, moments: Iterable[Moment]) -> Write:
    plain = to_fields({FIELD: [msgspec.to_builtins(moment, builtin_types=(datetime,)) for moment in moments]})
    added = {"fieldPath": FIELD, "appendMissingElements": plain[FIELD]["arrayValue"]}
    # Without a mask the document would be replaced.
    return {"update": {"name": name}, "updateMask": {}, "updateTransforms": [added]}


def _bounded(moment: Moment) -> Moment:
    if isinstance(moment, Changed):
        change = moment.change
        texts = {name: presentable(getattr(change, name)) for name in ("before", "after", "reason", "error")}
        return msgspec.structs.replace(moment, change=msgspec.structs.replace(change, **texts))
    if isinstance(moment, AlertBegan):
        return msgspec.structs.replace(moment, reason=presentable(moment.reason))
    return moment
