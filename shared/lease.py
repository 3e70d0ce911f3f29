"""One hand at a time: an expiring lease for each automation.

It saves work and races; correctness rests on preconditions and etags. A run that finds the lease held leaves a
"look again" mark, which the holder checks before it leaves.
"""

import uuid
from datetime import datetime, timedelta

import msgspec

from shared.errors import WriteConflict
from shared.state import Document, State

DURATION = timedelta(seconds=270)
"""Longer than a function may run (240 s), shorter than the shortest tick (5 minutes)."""


class LeaseRecord(msgspec.Struct, frozen=True):
    """Who holds the lease until when, and whether someone else has asked the holder to look again."""

    holder: str
    expires_at: datetime
    look_again: bool = False


class Lease:
    """One automation's lease, as one run holds it."""

    def __init__(self, state: State, automation: str) -> None:
        self._state = state
        self._path = f"leases/{automation}"
        self._holder = uuid.uuid4().hex
        self._mine: Document | None = None

    def take(self, now: datetime) -> bool:
        """Take the lease if it is free or has expired. Otherwise leave the mark for its holder, and return False."""
        mine = LeaseRecord(self._holder, now + DURATION)
        known = Document(self._path)
        while True:
            try:
                self._mine = self._state.write(known, mine)
            except WriteConflict:
                known = self._state.read(self._path)[0]
            else:
                return True
            if known.fields is None:
                continue
            record = known.as_type(LeaseRecord)
            if record.expires_at > now and self._mark(known, record):
                return False

    def _mark(self, known: Document, record: LeaseRecord) -> bool:
        """Ask the holder to look again; False if the lease was changed or given back meanwhile."""
        if record.look_again:
            return True
        try:
            self._state.write(known, msgspec.structs.replace(record, look_again=True))
        except WriteConflict:
            return False
        return True

    def give_back(self, now: datetime) -> bool:
        """Give the lease back. Returns False, and keeps it, if another run has asked to look again."""
        if self._mine is None:
            return True
        try:
            self._state.delete(self._mine)
        except WriteConflict:
            known = self._state.read(self._path)[0]
            if known.fields is not None and known.as_type(LeaseRecord).holder == self._holder:
                self._mine = self._state.write(known, LeaseRecord(self._holder, now + DURATION))
                return False
        self._mine = None
        return True
