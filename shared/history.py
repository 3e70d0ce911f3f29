"""The history: one small Firestore document a day, to which runs only add, so that it outlives the log.

Moments ride on commits that a run makes anyway, so they cost no call, and what records tell is in the history exactly
if it is in the records. Adding is a union (``appendMissingElements``): no reading, no contention, nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from shared.errors import presentable
from shared.firestore_values import Builtins, Write, to_fields
from shared.moments import AlertBegan, AnyMoment, Changed, Moment

COLLECTION = "history"
FIELD = "moments"
MOST_MOMENTS = 50
"""Of one run: a document holds 1 MiB, a moment some 300 bytes, and a busy suite runs a thousand times a day."""


def path_of(day: date) -> str:
    """The document of a day, in UTC."""
    return f"{COLLECTION}/{day.isoformat()}"


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
            read.append(msgspec.convert(one, AnyMoment, strict=False))
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

    def writes(self, root: str, more: Iterable[Moment] = ()) -> list[Write]:
        """The writes that add the pending moments, and some more, to the documents of their days below ``root``."""
        by_day: dict[date, list[Moment]] = {}
        for moment in [*self._pending, *more][: max(self._room, 0)]:
            by_day.setdefault(moment.at.astimezone(UTC).date(), []).append(moment)
        return [_adding(f"{root}/{path_of(day)}", moments) for day, moments in by_day.items()]

    def written(self) -> None:
        """Forget what was pending: it is stored, or its day has no room."""
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
