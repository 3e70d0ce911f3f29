"""What is to be done about one pool: the difference between what it is and what it should be. Pure.

A verdict is the same if it is made again from the records that it settles.
"""

from datetime import datetime

import msgspec

from functions.scale_gpu_pools.autoscaling import is_same
from functions.scale_gpu_pools.desired import Desired, Occasion, Situation, State, next_window_start, told
from functions.scale_gpu_pools.records import Drift, Interval, PoolRecord
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import AUTOSCALING, GpuPool, World, cluster_of
from shared.holds import (
    Current,
    FieldValue,
    Held,
    Hold,
    Phase,
    Standing,
    being_restored,
    kept_by_a_person,
    moved,
    new_hold,
    standing,
    to_restore,
)
from shared.plan import Alert
from shared.restrictions import Restriction


class Step(msgspec.Struct, frozen=True):
    """One field of a pool that is to change now."""

    field: str
    before: FieldValue
    after: FieldValue


class Intended(msgspec.Struct, frozen=True):
    """What must be durable before a step is taken."""

    record: PoolRecord
    hold: Hold | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of one pool, and what follows."""

    name: str
    pool: GpuPool | None
    desired: Desired | None = None
    record: PoolRecord
    """After what was seen."""
    hold: Hold | None
    """After what was seen."""
    step: Step | None = None
    intended: "Intended | None" = None
    """With a step, what must be recorded before it is taken."""
    waiting: str = ""
    notices: tuple[str, ...] = ()
    alert: Alert | None = None


def verdict_on(name: str, key: str, settings: Pool | None, world: World, occasion: Occasion) -> Verdict:
    """The verdict on the pool of this full name: ``key`` and ``settings`` are the owner's, if it is still listed."""
    record = occasion.records.pools.get(name, PoolRecord())
    hold = occasion.records.holds.get(name)
    existing = world.pools.get(name)
    if hold and existing and existing.size_field not in hold.fields:
        hold = None  # a person has changed how the service is scaled: it is not as we know it
    if existing is None:
        gone = PoolRecord(ended=_with_interval_ended(record, occasion.now).ended)
        notice = f"{key or name} is skipped: there is no {name}"
        return Verdict(name=name, pool=None, record=gone, hold=None, notices=(notice,) if settings else ())
    if settings is None:
        want = Desired(state=State.ON, why="no longer in the settings: let go")
    else:
        want = Situation(key, settings, record, existing, occasion).desired(world.readings)
    view = _View(name, key or name, settings, existing, record, hold, want, occasion)
    busy = existing.in_flight or world.busy.get(cluster_of(name), "")
    verdict = view.at_zero() if want.state is State.ZERO else view.on()
    alert = view.stock_out(verdict)
    if busy:
        # What is in flight is neither touched nor concluded upon.
        waits = f"{view.key}: {busy}" if verdict.step or (hold and hold.phase is Phase.INTENDED) else ""
        return msgspec.structs.replace(
            verdict, record=record, hold=hold, step=None, intended=None, waiting=waits, alert=alert
        )
    return msgspec.structs.replace(verdict, alert=alert)


class _View(msgspec.Struct, frozen=True):
    """All that the verdict on one pool is made from."""

    name: str
    key: str
    settings: Pool | None
    pool: GpuPool
    record: PoolRecord
    hold: Hold | None
    want: Desired
    occasion: Occasion

    # Towards zero

    def at_zero(self) -> Verdict:
        """The verdict on a pool that should be at zero."""
        zero = self.pool.zero
        if _is(self.pool.current, zero):
            hold = _arrived(self.hold, zero) if self.hold else None
            return self._verdict(self._rested(hold), hold)
        if self._is_resized_by_a_person():
            return self._drifted()
        return self._goes_to_zero()

    def _goes_to_zero(self) -> Verdict:
        zero, current = self.pool.zero, self.pool.current
        if self.hold is None:
            hold = new_hold(current, zero, (self.key,), self.occasion.now)
        else:
            hold = moved(self.hold, current, zero, self.hold.held_by, self.hold.since)
        hold = self._with_original_size(hold)
        return self._steps(hold, zero, is_asking=False)

    def _with_original_size(self, hold: Hold) -> Hold:
        """The hold with the size of before in it: while the autoscaler is on, the size is its own; and never a zero."""
        field, held = self.pool.size_field, hold.fields[self.pool.size_field]
        is_autoscalers = self.pool.is_autoscaled and AUTOSCALING in hold.fields
        original = self.pool.size if is_autoscalers and self.pool.size else int(held.original)
        size = original or (self.settings.size if self.settings else 0)
        fields = hold.fields | {field: Held(original=size, before=held.before, applied=held.applied)}
        return msgspec.structs.replace(hold, fields=fields)

    def _rested(self, hold: Hold | None) -> PoolRecord:
        """The record of a pool that is at zero: since when, and at what price, if it was we who saved that."""
        price = self.settings.hourly_price if self.settings else None
        zero = self.record.zero
        if hold and price is not None and self.occasion.settings.currency:
            nodes = int(hold.fields[self.pool.size_field].original) * self.pool.zones
            began = Interval(self.occasion.now, nodes, price, self.occasion.settings.currency)
            if zero is None or msgspec.structs.replace(zero, began=began.began) != began:
                return self._rests(self._unrested(), began)
        return self._rests(self._with(self.record), zero)

    @staticmethod
    def _rests(record: PoolRecord, zero: Interval | None) -> PoolRecord:
        return msgspec.structs.replace(record, zero=zero, is_on=False, asked=None, drift=None)

    # Back on

    def on(self) -> Verdict:
        """The verdict on a pool that should be on."""
        if self.hold:
            return self._comes_back(self.hold)
        if self.pool.size or (self.pool.is_autoscaled and not self.want.insists):
            return self._verdict(self._settled_on(), None)
        if self.record.is_on and not self.pool.is_autoscaled and self._respects():
            return self._drifted()
        return self._asks_for_its_size()

    def _comes_back(self, hold: Hold) -> Verdict:
        if _is_back(hold, self.pool):
            return self._verdict(self._settled_on(), None)
        if self._is_resized_by_a_person() and self._respects() and not self.want.insists:
            return self._drifted()
        restore = to_restore(hold, self.pool.current)
        if not restore:
            return self._verdict(self._settled_on(), None, notices=tuple(kept_by_a_person(hold, self.pool.current)))
        return self._steps(being_restored(hold, self.pool.current, restore), restore, is_asking=True)

    def _asks_for_its_size(self) -> Verdict:
        """A pool at zero that nothing is remembered of comes to the size that the owner says."""
        size = self.settings.size if self.settings else 0
        return self._steps(None, {self.pool.size_field: size}, is_asking=True)

    def _settled_on(self) -> PoolRecord:
        return msgspec.structs.replace(self._unrested(), is_on=True, drift=None)

    # By a person

    def _is_resized_by_a_person(self) -> bool:
        """Whether it is neither as we made it nor as it was, and it is not the autoscaler that has moved it."""
        if self.hold is None:
            return self.record.is_on is False and self.pool.size > 0
        if self.hold.phase is Phase.INTENDED and self._is_the_autoscalers(self.hold):
            return False
        return standing(self.hold, self.pool.current) is Standing.CHANGED

    def _is_the_autoscalers(self, hold: Hold) -> bool:
        """Whether the autoscaler is as it was before us, so that it may have moved the size."""
        held = hold.fields.get(AUTOSCALING)
        return held is not None and self.pool.is_autoscaled and _has_original_autoscaling(self.pool, hold)

    def _respects(self) -> bool:
        return self.settings is not None and self.settings.on_drift == "respect"

    def _drifted(self) -> Verdict:
        """A person has resized the pool: it is left so until its next window, or until something newer is said."""
        drift = self.record.drift
        if not self._respects():
            return self._goes_to_zero() if self.want.state is State.ZERO else self._comes_back_anyway()
        if drift is None and self.settings:
            drift = Drift(self.occasion.now, next_window_start(self.settings, self.occasion.now))
        if drift is None or self._is_over(drift):
            return self._goes_to_zero() if self.want.state is State.ZERO else self._comes_back_anyway()
        changed = [
            f"{field} is {value}" for field, value in self.pool.current.items() if self.pool.zero.get(field) != value
        ]
        is_now = ", ".join(changed) or f"{self.pool.size_field} is 0"
        notice = (
            f"{self.key}: somebody has resized it ({is_now}), and it is left so until {told(drift.ends)}, "
            f"although it should be {self.want.state}: {self.want.why}"
        )
        return self._verdict(msgspec.structs.replace(self._unrested(), drift=drift), self.hold, notices=(notice,))

    def _comes_back_anyway(self) -> Verdict:
        """What is still as we made it is given back, and nodes are asked for if that leaves none."""
        restore = to_restore(self.hold, self.pool.current) if self.hold else {}
        if self.hold and restore:
            return self._steps(being_restored(self.hold, self.pool.current, restore), restore, is_asking=True)
        if self.pool.size == 0 and not self.pool.is_autoscaled and self.settings:
            return self._asks_for_its_size()
        kept = tuple(kept_by_a_person(self.hold, self.pool.current)) if self.hold else ()
        return self._verdict(self._settled_on(), None, notices=kept)

    def _is_over(self, drift: Drift) -> bool:
        force = self.occasion.restrictions.in_force.get(Restriction.GPU_POOLS_OFF)
        override = self.occasion.records.overrides.get(self.key)
        newer = [*([force.since] if force else []), *([override.said] if override else [])]
        return self.occasion.now >= drift.ends or any(said > drift.seen for said in newer)

    # What all verdicts have

    def stock_out(self, verdict: Verdict) -> Alert | None:
        """The alert of a pool that nodes were asked for long ago, and that has none."""
        asked = verdict.record.asked or self.record.asked
        if self.settings is None or self.want.state is State.ZERO or asked is None or self.pool.nodes:
            return None
        minutes = (self.occasion.now - asked).total_seconds() / 60
        if minutes < self.settings.nodes_within_minutes or not (self.pool.size or verdict.step):
            return None
        reason = self.pool.problem or "Google gives no reason"
        what = f"{self.key} was asked for nodes at {told(asked)}, and has none after {minutes:.0f} minutes: {reason}"
        return Alert("stock_out", self.name, f"{what}; it keeps trying")

    def _with(self, record: PoolRecord) -> PoolRecord:
        return msgspec.structs.replace(record, idle_in=self.want.idle_in)

    def _unrested(self) -> PoolRecord:
        """The record of a pool that is not at zero: the interval has ended."""
        return self._with(_with_interval_ended(self.record, self.occasion.now))

    def _steps(self, hold: Hold | None, wanted: Current, *, is_asking: bool) -> Verdict:
        """The verdict on a pool whose fields are to change: what is remembered meanwhile, and what before that."""
        seen = self._unrested()
        asked = (self.record.asked or self.occasion.now) if is_asking else self.record.asked
        intended = Intended(msgspec.structs.replace(seen, asked=asked, drift=None), hold)
        step = _first_step(self.pool, wanted)
        return msgspec.structs.replace(self._verdict(seen, self.hold), step=step, intended=intended)

    def _verdict(self, record: PoolRecord, hold: Hold | None, *, notices: tuple[str, ...] = ()) -> Verdict:
        up = (f"{self.key} is kept up: {self.want.why}",) if self.want.kept_up else ()
        return Verdict(
            name=self.name,
            pool=self.pool,
            desired=self.want,
            record=record,
            hold=hold,
            notices=(*up, *notices),
        )


def _with_interval_ended(record: PoolRecord, now: datetime) -> PoolRecord:
    if record.zero is None:
        return record
    ended = msgspec.structs.replace(record.zero, stopped=now)
    return msgspec.structs.replace(record, zero=None, ended=(*record.ended, ended))


def _is(current: Current, wanted: Current) -> bool:
    return all(current[field] == value for field, value in wanted.items())


def _arrived(hold: Hold, zero: Current) -> Hold:
    """The hold of a pool that is at zero, whatever it was on its way to."""
    fields = {
        field: Held(held.original, held.original, zero[field]) for field, held in hold.fields.items() if field in zero
    }
    return msgspec.structs.replace(hold, fields=fields, phase=Phase.CONFIRMED)


def _is_back(hold: Hold, pool: GpuPool) -> bool:
    """Whether all is as it was; where the autoscaler is back, the size is its own."""
    if pool.is_autoscaled and AUTOSCALING in hold.fields:
        return _has_original_autoscaling(pool, hold)
    return _is(pool.current, {field: held.original for field, held in hold.fields.items()})


def _has_original_autoscaling(pool: GpuPool, hold: Hold) -> bool:
    return is_same(str(pool.current[AUTOSCALING]), str(hold.fields[AUTOSCALING].original))


def _first_step(pool: GpuPool, wanted: Current) -> Step | None:
    """The field that changes first: on the way to zero the autoscaler's bounds, on the way back the size."""
    differing = [
        Step(field, pool.current[field], value) for field, value in wanted.items() if pool.current[field] != value
    ]
    goes_down = wanted.get(pool.size_field) == 0
    ordered = sorted(differing, key=lambda step: (step.field == pool.size_field) == goes_down)
    return next(iter(ordered), None)
