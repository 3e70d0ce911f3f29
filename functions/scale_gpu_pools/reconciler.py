"""Bring one pool to its desired state: its record, the next change, and a person's changes."""

from datetime import datetime, timedelta

import msgspec

from functions.scale_gpu_pools.autoscaling import is_same, read_autoscaling
from functions.scale_gpu_pools.baseline import nodes_that_would_run
from functions.scale_gpu_pools.desired import (
    Context,
    Desired,
    State,
    next_window_start,
    override_in_force,
    restriction_in_force,
)
from functions.scale_gpu_pools.messages import Resized
from functions.scale_gpu_pools.records import Drift, Interval, PoolRecord
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import AUTOSCALING, OFF, GpuPool
from shared.decision import Message
from shared.hold_messages import FieldValue
from shared.holds import (
    Current,
    Held,
    Hold,
    HoldStatus,
    Phase,
    being_restored,
    compare,
    kept_by_a_person,
    new_hold,
    to_restore,
    with_new_target,
)

ASKED_AGAIN_AFTER = timedelta(hours=1)


class FieldChange(msgspec.Struct, frozen=True):
    """One field of a pool that is to change now."""

    field: str
    before: FieldValue
    after: FieldValue


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on a pool."""

    record: PoolRecord
    """After what was seen."""
    hold: Hold | None
    """After what was seen."""
    change: FieldChange | None = None
    intended_record: PoolRecord | None = None
    """With a change, what must be recorded before it is made."""
    intended_hold: Hold | None = None
    notices: tuple[Message, ...] = ()


class PoolReconciler(msgspec.Struct, frozen=True):
    """One pool on its way to what it should be."""

    key: str
    settings: Pool | None
    """None if the owner does not list it any more."""
    pool: GpuPool
    record: PoolRecord
    hold: Hold | None
    want: Desired
    context: Context

    def reconciliation(self) -> Reconciliation:
        """The decision."""
        return self._to_zero() if self.want.state is State.ZERO else self._on()

    # Towards zero

    def _to_zero(self) -> Reconciliation:
        zero = self.pool.down_to(min(self.want.minimum, self.pool.size))
        if _is(self.pool.current, zero):
            hold = _arrived(self.hold, zero, self._reason_to_keep(self.hold)) if self.hold else None
            return Reconciliation(record=self._rested(hold), hold=hold)
        if self._is_brought_up_by_a_person() and (drift := self._respected()):
            return self._left(drift)
        if self.hold is None:
            hold = new_hold(self.pool.current, zero, (self.key,), self.context.now, str(self.want.why))
        else:
            held_by, since = self.hold.held_by, self.hold.since
            hold = with_new_target(self.hold, self.pool.current, zero, held_by, since, reason=str(self.want.why))
        record = self._unrested()
        intended = msgspec.structs.replace(
            record,
            drift=None,
            nodes=record.nodes if self.hold else self.pool.nodes_above(self.want.minimum),
            restricted_by=self._restricted_by(),
        )
        return self._changing(record, intended, self._with_original_size(hold), zero)

    def _is_down(self) -> bool:
        """Whether it has no more nodes than stay at zero."""
        return self.pool.size <= self.want.minimum

    def _is_brought_up_by_a_person(self) -> bool:
        """Whether a pool that we had at zero, or had seen there, is so no more; the autoscaler's moves do not count."""
        if self.hold is None:
            return self.record.is_on is False and self.record.on_since is None and not self._is_down()
        autoscaling = self.hold.fields.get(AUTOSCALING)
        if self.hold.phase is Phase.INTENDED and autoscaling and autoscaling.original != OFF:
            # Until its bounds are seen to be gone and the size to be 0, the autoscaler may have had the last word.
            return False
        return compare(self.hold, self.pool.current) is HoldStatus.CHANGED

    def _with_original_size(self, hold: Hold) -> Hold:
        """The hold with the size that the autoscaler has given the pool since, if it was not a zero."""
        field = self.pool.size_field
        held = hold.fields[field]
        if self._is_down() or not self.pool.is_autoscaled or not _has_original_autoscaling(self.pool, hold):
            return hold
        present = Held(original=self.pool.size, before=held.before, applied=held.applied)
        return msgspec.structs.replace(hold, fields=hold.fields | {field: present})

    def _rested(self, hold: Hold | None) -> PoolRecord:
        """The record of a pool that is at zero: since when, and at what price, if it was we who saved that."""
        seen = msgspec.structs.replace(self.record, idle_in=self.want.idle_in)
        price = self.settings.hourly_price if self.settings else None
        if hold and self.record.nodes and price is not None and self.context.settings.currency:
            began = Interval(self.context.now, self._would_run(hold), price, self.context.settings.currency)
            if began.nodes == 0:
                seen = with_interval_ended(seen, self.context.now)
            elif seen.zero is None or msgspec.structs.replace(seen.zero, began=began.began) != began:
                seen = msgspec.structs.replace(with_interval_ended(seen, self.context.now), zero=began)
        return msgspec.structs.replace(
            seen,
            is_on=False,
            on_since=None,
            asked=None,
            drift=None,
            silent=None,
            word=self._word(),
            restricted_by=self._restricted_by() if hold else (),
        )

    def _would_run(self, hold: Hold) -> int:
        """The nodes that would run now if nothing had turned the pool off."""
        autoscaling = hold.fields.get(AUTOSCALING)
        return nodes_that_would_run(
            self.record.nodes,
            hours=self.settings.hours if self.settings else None,
            autoscaling=str(autoscaling.original) if autoscaling else OFF,
            zones=self.pool.zones,
            is_idle=self.want.idle_in is not None,
            now=self.context.now,
        )

    # Back on

    def _on(self) -> Reconciliation:
        if self.hold:
            return self._comes_back(self.hold)
        if self.pool.size or self._is_left_to_the_autoscaler():
            return Reconciliation(record=self._up(), hold=None)
        if self.record.is_on and not self.pool.is_autoscaled and (drift := self._respected()):
            return self._left(drift)
        return self._asking(None, {self.pool.size_field: self.settings.size if self.settings else 0})

    def _is_left_to_the_autoscaler(self) -> bool:
        """Whether a pool at zero with bounds of its own may stay there.

        It may not if nodes that were asked for never came, if someone has asked for it, or if work waits: for that it
        is asked once an hour at most, as the autoscaler may know better.
        """
        asked = self.record.on_since
        is_due = asked is None or self.context.now - asked >= ASKED_AGAIN_AFTER
        return self.pool.is_autoscaled and not (
            self.record.asked or self.want.by_a_person or (self.want.is_needed and is_due)
        )

    def _comes_back(self, hold: Hold) -> Reconciliation:
        """Restore the fields that still have our values; a person's later changes stay."""
        if _is_back(hold, self.pool):
            return Reconciliation(record=self._up(), hold=None)
        if restore := to_restore(hold, self.pool.current):
            bounded = _within_bounds(restore, hold, self.pool)
            return self._asking(being_restored(hold, self.pool.current, bounded), bounded)
        return Reconciliation(
            record=self._up(), hold=None, notices=tuple(kept_by_a_person(self.key, hold, self.pool.current))
        )

    def _asking(self, hold: Hold | None, wanted: Current) -> Reconciliation:
        record, now = self._unrested(), self.context.now
        intended = msgspec.structs.replace(record, drift=None)
        if wanted.get(self.pool.size_field):
            intended = msgspec.structs.replace(intended, on_since=now, asked=record.asked or now)
        return self._changing(record, intended, hold, wanted)

    def _up(self) -> PoolRecord:
        """The record of a pool that is on as it should be."""
        return msgspec.structs.replace(
            self._unrested(), is_on=True, nodes=0, drift=None, word=self._word(), restricted_by=()
        )

    # By a person

    def _respected(self) -> Drift | None:
        """Until when a manual change of the pool is left; None if there is none, or no longer.

        A restriction or a command that came into force since it was last as it should be counts from then on.
        """
        if self.settings is None or self.settings.on_drift != "respect":
            return None
        now = self.context.now
        drift = self.record.drift or Drift(now, next_window_start(self.settings, now))
        word = self._word()
        return drift if now < drift.ends and (word is None or word == self.record.word) else None

    def _left(self, drift: Drift) -> Reconciliation:
        notice = Resized(self.key, dict(self.pool.current), drift.ends, str(self.want.state), self.want.why)
        record = msgspec.structs.replace(self._unrested(), drift=drift)
        return Reconciliation(record=record, hold=self.hold, notices=(notice,))

    def _word(self) -> datetime | None:
        """Since when the restriction or the command is in force that decides; None if none does."""
        if restriction := restriction_in_force(self.context):
            return restriction.since
        override = override_in_force(self.pool.name, self.context)
        return override.said if override else None

    def _restricted_by(self) -> tuple[str, ...]:
        """The rungs that turn the pool off now, if a restriction is why it is at zero."""
        restriction = restriction_in_force(self.context)
        return restriction.because if restriction and self.want.state is State.ZERO else ()

    def _reason_to_keep(self, hold: Hold) -> str:
        """Why the pool is at zero: another reason than it went there for, once a restriction or a command decides."""
        is_as_before = self._word() == self.record.word and hold.reason
        return hold.reason if is_as_before else str(self.want.why)

    # What they have in common

    def _unrested(self) -> PoolRecord:
        """The record of a pool that is not at zero: its interval has ended, and what was asked for may be there."""
        ended = with_interval_ended(self.record, self.context.now)
        silent = (ended.silent or self.context.now) if self.want.is_unheard else None
        asked = None if self.pool.nodes else ended.asked
        return msgspec.structs.replace(ended, idle_in=self.want.idle_in, asked=asked, silent=silent)

    def _changing(
        self, record: PoolRecord, intended: PoolRecord, intended_hold: Hold | None, wanted: Current
    ) -> Reconciliation:
        return Reconciliation(
            record=record,
            hold=self.hold,
            change=_first_change(self.pool, wanted, goes_down=self.want.state is State.ZERO),
            intended_record=intended,
            intended_hold=intended_hold,
        )


def with_interval_ended(record: PoolRecord, now: datetime) -> PoolRecord:
    """The record with its time at zero ended now, if it had begun before."""
    if record.zero is None:
        return record
    ended = msgspec.structs.replace(record.zero, stopped=now)
    saved = (ended,) if ended.began < now else ()
    return msgspec.structs.replace(record, zero=None, ended=(*record.ended, *saved))


def _is(current: Current, wanted: Current) -> bool:
    return all(current[field] == value for field, value in wanted.items())


def _arrived(hold: Hold, zero: Current, reason: str) -> Hold:
    """The hold of a pool that is at zero, regardless of its previous target."""
    fields = {
        field: Held(held.original, held.original, zero[field]) for field, held in hold.fields.items() if field in zero
    }
    return msgspec.structs.replace(
        hold, fields=fields, phase=Phase.CONFIRMED, reason=reason, is_being_restored=False, by_hand=None
    )


def _is_back(hold: Hold, pool: GpuPool) -> bool:
    """Whether all is as it was; where the autoscaler is back, the size is its own."""
    if pool.is_autoscaled and AUTOSCALING in hold.fields:
        return _has_original_autoscaling(pool, hold)
    return _is(pool.current, {field: held.original for field, held in hold.fields.items()})


def _has_original_autoscaling(pool: GpuPool, hold: Hold) -> bool:
    return is_same(str(pool.current[AUTOSCALING]), str(hold.fields[AUTOSCALING].original))


def _within_bounds(restore: Current, hold: Hold, pool: GpuPool) -> dict[str, FieldValue]:
    """The values to restore, with no more nodes than bounds on all zones together allow: GKE sets every zone alike."""
    bounded = dict(restore)
    autoscaling = hold.fields.get(AUTOSCALING)
    most = read_autoscaling(str(autoscaling.original)).total_max_node_count if autoscaling else 0
    if most and pool.size_field in bounded:
        bounded[pool.size_field] = min(int(bounded[pool.size_field]), max(most // max(pool.zones, 1), 1))
    return bounded


def _first_change(pool: GpuPool, wanted: Current, *, goes_down: bool) -> FieldChange | None:
    """The field that changes first: on the way to zero the autoscaler's bounds, on the way back the size."""
    differing = [
        FieldChange(field, pool.current[field], value)
        for field, value in wanted.items()
        if pool.current[field] != value
    ]
    ordered = sorted(differing, key=lambda change: (change.field == pool.size_field) == goes_down)
    return next(iter(ordered), None)
