"""One hand at a time: an expiring lease for each automation.

It saves work and races; correctness rests on preconditions and etags. A run that finds the lease held requests a rerun
and is acknowledged: the holder reruns before it releases the lease, or leaves the request to the next delivery of its
own message, which is never acknowledged while the lease is held for it.

A holder renews its lease before a change, so that a minute is left whenever one begins. The lease of a run that was
killed therefore expires soon, and only when none of its changes can be in flight any more. A run whose lease was taken
over begins no further change.
"""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import msgspec

from shared.errors import StillAtWork, WriteConflict
from shared.state import ATTEMPTS, Document, State

DURATION = timedelta(seconds=120)
"""Shorter than the shortest tick (5 minutes). A run may last longer than that: it renews its lease."""
LEFT_FOR_A_CHANGE = timedelta(seconds=60)
"""The time left on the lease when a change begins: for its calls, of 20 s at most, and two clocks that differ."""


class LeaseRecord(msgspec.Struct, frozen=True):
    """The holder of the lease, its end and message, and whether another run has requested a rerun."""

    holder: str = ""
    message_id: str = ""
    expires_at: datetime = datetime.fromtimestamp(0, UTC)
    rerun_requested: bool = msgspec.field(default=False, name="look_again")
    """Stored under the name that it had before 0.2.0, so that an upgrade loses no request."""
    format: int = 1

    def is_free(self, now: datetime) -> bool:
        """Whether it is free."""
        return self.expires_at <= now

    def is_rerun_due(self, now: datetime) -> bool:
        """Whether a requested rerun is still due although no run holds the lease any more."""
        return self.rerun_requested and self.is_free(now)


class Lease:
    """One automation's lease, as one run knows it."""

    def __init__(self, state: State, known: Document, message_id: str) -> None:
        self._state = state
        self._known = known
        self._message_id = message_id
        self._holder = uuid.uuid4().hex
        self._is_mine = False
        self._renewing = threading.Lock()
        """Changes are made in parallel, and one renewal is enough for all."""
        self.is_lost = False
        """Whether another run has taken it over: this one may change nothing more."""
        self.uncontended = False
        """Whether no other run held it or requested a rerun between our reading and our taking it."""

    @staticmethod
    def path(automation: str) -> str:
        """The document of an automation's lease."""
        return f"leases/{automation}"

    def take(self, now: datetime) -> bool:
        """Take the lease if it is free or has expired. Otherwise leave the mark for its holder, and return False.

        Raises ``WriteConflict`` if others have written first each time, and ``StillAtWork`` if it is held for this very
        message: the run fails, and is delivered again.
        """
        has_just_been_read = False
        for _ in range(ATTEMPTS):
            record = self._known.as_type(LeaseRecord)
            # It is ours if an earlier write took effect and its answer was an error.
            self._is_mine = record.holder == self._holder or record.is_free(now)
            if not self._is_mine and record.message_id == self._message_id:
                raise StillAtWork(f"{self._known.path}: an earlier delivery of this message holds it, or died with it")
            wanted = self._renewed(now) if self._is_mine else msgspec.structs.replace(record, rerun_requested=True)
            # A mark that was there when the run began may have been seen to since: only one that is still there counts.
            if (wanted == record and has_just_been_read) or (wanted != record and self._write(wanted)):
                self.uncontended = self._is_mine and not has_just_been_read
                return self._is_mine
            self._known = self._state.read(self._known.path)[0]
            has_just_been_read = True
        raise self._contended()

    def keep(self, now: datetime) -> bool:
        """Renew the lease if too little of it is left for a change. Returns False if another run has taken it over.

        Raises ``WriteConflict`` if others write first each time.
        """
        with self._renewing:
            for _ in range(ATTEMPTS):
                record = self._known.as_type(LeaseRecord)
                self._is_mine = record.holder == self._holder
                self.is_lost = not self._is_mine
                if self.is_lost or record.expires_at - now >= LEFT_FOR_A_CHANGE:
                    return self._is_mine
                if not self._write(msgspec.structs.replace(record, expires_at=now + DURATION)):
                    self._known = self._state.read(self._known.path)[0]
            raise self._contended()

    def release_if_done(self, now: datetime) -> bool:
        """Give the lease back. Returns False, and keeps it, if another run has requested a rerun.

        Raises ``WriteConflict`` if it is contended just then: the run fails, and is delivered again.
        """
        if not self._is_mine:
            return True
        if self._known.as_type(LeaseRecord).rerun_requested or not self._write(LeaseRecord()):
            self._known = self._state.read(self._known.path)[0]
            if self._known.as_type(LeaseRecord).holder == self._holder:
                self._known = self._state.write(self._known, self._renewed(now))
                return False
        self._is_mine = False
        return True

    def release(self) -> bool:
        """Give the lease back in any case. Returns whether a requested rerun is left undone.

        Raises ``WriteConflict`` if others write first each time: the lease expires by itself.
        """
        for _ in range(ATTEMPTS):
            if not self._is_mine:
                return False
            rerun_requested = self._known.as_type(LeaseRecord).rerun_requested
            if self._write(LeaseRecord(rerun_requested=rerun_requested)):
                self._is_mine = False
                return rerun_requested
            self._known = self._state.read(self._known.path)[0]
            self._is_mine = self._known.as_type(LeaseRecord).holder == self._holder
        raise self._contended()

    def _renewed(self, now: datetime) -> LeaseRecord:
        return LeaseRecord(self._holder, self._message_id, now + DURATION)

    def _contended(self) -> WriteConflict:
        return WriteConflict(f"{self._known.path}: other runs wrote first, {ATTEMPTS} times")

    def _write(self, record: LeaseRecord) -> bool:
        try:
            self._known = self._state.write(self._known, record)
        except WriteConflict:
            return False
        return True
