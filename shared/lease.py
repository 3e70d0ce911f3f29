"""One hand at a time: an expiring lease for each automation.

It saves work and races; correctness rests on preconditions and etags. A run that finds the lease held leaves a
"look again" mark, and is acknowledged: the holder sees to the mark before it leaves, or leaves it to the next delivery
of its own message, which is never acknowledged while the lease is held for it.
"""

import uuid
from datetime import UTC, datetime, timedelta

import msgspec

from shared.errors import StillAtWork, WriteConflict
from shared.state import ATTEMPTS, Document, State

DURATION = timedelta(seconds=270)
"""Longer than a function may run (240 s), shorter than the shortest tick (5 minutes)."""


class LeaseRecord(msgspec.Struct, frozen=True):
    """Who holds the lease until when, for which message, and whether someone else has asked to look again."""

    holder: str = ""
    message_id: str = ""
    expires_at: datetime = datetime.fromtimestamp(0, UTC)
    look_again: bool = False

    def is_free(self, now: datetime) -> bool:
        """Whether nobody holds it."""
        return self.expires_at <= now

    def is_left_behind(self, now: datetime) -> bool:
        """Whether somebody has asked to look again, and whoever held it has left, or died, without that."""
        return self.look_again and self.is_free(now)


class Lease:
    """One automation's lease, as one run knows it."""

    def __init__(self, state: State, known: Document, message_id: str) -> None:
        self._state = state
        self._known = known
        self._message_id = message_id
        self._holder = uuid.uuid4().hex
        self._is_mine = False
        self.was_untouched = False
        """Whether nobody has held it, or asked to look again, between our reading and our taking it."""

    @staticmethod
    def path(automation: str) -> str:
        """Where the lease of an automation is kept."""
        return f"leases/{automation}"

    def take(self, now: datetime) -> bool:
        """Take the lease if it is free or has expired. Otherwise leave the mark for its holder, and return False.

        Raises ``WriteConflict`` if others have written first each time, and ``StillAtWork`` if it is held for this very
        message: the run fails, and is delivered again.
        """
        is_fresh = False
        for _ in range(ATTEMPTS):
            record = self._known.as_type(LeaseRecord)
            # It is ours if an earlier write took effect and its answer was an error.
            self._is_mine = record.holder == self._holder or record.is_free(now)
            if not self._is_mine and record.message_id == self._message_id:
                raise StillAtWork(f"{self._known.path}: an earlier delivery of this message holds it, or died with it")
            wanted = self._fresh(now) if self._is_mine else msgspec.structs.replace(record, look_again=True)
            # A mark that was there when the run began may have been seen to since: only one that is still there counts.
            if (wanted == record and is_fresh) or (wanted != record and self._write(wanted)):
                self.was_untouched = self._is_mine and not is_fresh
                return self._is_mine
            self._known = self._state.read(self._known.path)[0]
            is_fresh = True
        raise self._contended()

    def give_back(self, now: datetime) -> bool:
        """Give the lease back. Returns False, and keeps it, if another run has asked to look again.

        Raises ``WriteConflict`` if it is contended just then: the run fails, and is delivered again.
        """
        if not self._is_mine:
            return True
        if not self._write(LeaseRecord()):
            self._known = self._state.read(self._known.path)[0]
            if self._known.as_type(LeaseRecord).holder == self._holder:
                self._known = self._state.write(self._known, self._fresh(now))
                return False
        self._is_mine = False
        return True

    def leave(self) -> bool:
        """Give the lease back in any case. Returns whether another run's wish to look again stays behind.

        Raises ``WriteConflict`` if others write first each time: the lease expires by itself.
        """
        for _ in range(ATTEMPTS):
            if not self._is_mine:
                return False
            look_again = self._known.as_type(LeaseRecord).look_again
            if self._write(LeaseRecord(look_again=look_again)):
                self._is_mine = False
                return look_again
            self._known = self._state.read(self._known.path)[0]
            self._is_mine = self._known.as_type(LeaseRecord).holder == self._holder
        raise self._contended()

    def _fresh(self, now: datetime) -> LeaseRecord:
        return LeaseRecord(self._holder, self._message_id, now + DURATION)

    def _contended(self) -> WriteConflict:
        return WriteConflict(f"{self._known.path}: other runs wrote first, {ATTEMPTS} times")

    def _write(self, record: LeaseRecord) -> bool:
        try:
            self._known = self._state.write(self._known, record)
        except WriteConflict:
            return False
        return True
