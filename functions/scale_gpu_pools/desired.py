"""The desired state of each pool, and why: a pure decision from settings, records, signals and the time."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from functions.scale_gpu_pools.messages import (
    AskedFor,
    AskedForZero,
    DecidedAgainAt,
    FoundIdle,
    JustStarted,
    OnAgain,
    OnWhenLifted,
    OutOfHours,
    Resting,
    Restricted,
    StillWorking,
    WithinHours,
    ZeroAt,
    ZeroWhenIdle,
)
from functions.scale_gpu_pools.parse import Event
from functions.scale_gpu_pools.records import Override, PoolRecord, Records
from functions.scale_gpu_pools.settings import Pool, Settings
from functions.scale_gpu_pools.signals import WAKE_MINUTES, Reading, Says
from functions.scale_gpu_pools.world import GpuPool, Question
from shared import automation
from shared.decision import Message
from shared.hours import ALWAYS, Window
from shared.restrictions import InForce, Restriction

Context = automation.RunContext[Settings, Event, Records]
Readings = Mapping[Question, Reading]


class State(StrEnum):
    """The desired state of a pool."""

    ON = "on"
    ZERO = "zero"


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """The desired state of a pool, and why."""

    state: State
    why: Message
    by_a_person: bool = False
    """Whether someone has asked for it."""
    is_needed: bool = False
    """Whether there is work that waits for it."""
    minimum: int = 0
    """The nodes in each zone that stay when the pool is off."""
    idle_in: datetime | None = None
    """The start of the window that it is idle in, if that is why."""
    by_signal: bool = False
    """Whether it is a signal that says so."""
    is_unheard: bool = False
    """Whether that signal has no data, and nothing else keeps the pool on."""
    next: Message | None = None
    """The next change, and its time."""


class PoolView(msgspec.Struct, frozen=True):
    """One pool that is listed in the settings, and what is known of it."""

    key: str
    settings: Pool
    record: PoolRecord
    pool: GpuPool
    context: Context

    def questions(self) -> set[Question]:
        """The signals that matter to the pool now, so that no other is asked for."""
        if restriction_in_force(self.context) or override_in_force(self.pool.name, self.context):
            return set()
        wake = {(signal, WAKE_MINUTES) for signal in self.settings.wake}
        if self._is_down():
            return wake
        window = self._window()
        may_be_idle = self._may_be_idle(window) if window else self._is_asked_out_of_hours()
        idle = set(self._idle_questions()) if may_be_idle else set()
        return idle | wake if idle or window is None else set()

    def desired(self, readings: Readings) -> Desired:
        """The desired state: spending restrictions come first, then a person's command, wake signals, and hours."""
        if restriction := restriction_in_force(self.context):
            return Desired(
                state=State.ZERO,
                why=Restricted(tuple(restriction.because)),
                idle_in=self.record.idle_in,
                next=OnWhenLifted(),
            )
        if (override := override_in_force(self.pool.name, self.context)) and override.is_off:
            return Desired(
                state=State.ZERO,
                why=AskedForZero(override.until),
                by_a_person=True,
                idle_in=self.record.idle_in,
                next=DecidedAgainAt(override.until),
            )
        if override:
            return Desired(state=State.ON, why=AskedFor(override.until), by_a_person=True)
        wake = [readings[signal, WAKE_MINUTES] for signal in self.settings.wake if (signal, WAKE_MINUTES) in readings]
        if active := _first(wake, Says.ACTIVE):
            return Desired(state=State.ON, why=active, by_signal=True, is_needed=True)
        by_hours = self._by_hours(readings)
        if by_hours.state is State.ZERO and self._is_up() and (unknown := _first(wake, Says.UNKNOWN)):
            # A wake signal that says nothing may have meant work: a pool that is on stays so.
            return Desired(state=State.ON, why=unknown, by_signal=True, is_unheard=True)
        return msgspec.structs.replace(by_hours, minimum=self.settings.minimum)

    def _by_hours(self, readings: Readings) -> Desired:
        """On within hours unless idle; out of hours at zero, unless work is still going on."""
        window = self._window()
        if window is None:
            return self._out_of_hours(readings)
        until = window.end if self.settings.hours else None
        if self._is_resting(window):
            return Desired(state=State.ZERO, why=Resting(until), idle_in=window.start, next=self._next_on())
        found = [readings[question] for question in self._idle_questions() if question in readings]
        if self._may_be_idle(window) and found and all(reading.says is Says.IDLE for reading in found):
            why = FoundIdle(tuple(reading.message for reading in found))
            return Desired(state=State.ZERO, why=why, idle_in=window.start, next=self._next_on())
        up = _first_not_idle(found)
        return Desired(
            state=State.ON,
            why=WithinHours(until, up.message if up else None),
            by_signal=up is not None,
            is_unheard=up is not None and up.says is Says.UNKNOWN,
            next=ZeroAt(until) if until else None,
        )

    def _out_of_hours(self, readings: Readings) -> Desired:
        """At zero, but not in the middle of work: signals of idleness are asked here too.

        A signal of waiting work is quiet while that work is done; without this, the pool would be turned off under it,
        the work would wait again, and so on.
        """
        if self._is_up() and self._has_just_started():
            return Desired(state=State.ON, why=JustStarted(self.settings.minutes_on), next=ZeroWhenIdle())
        if self.settings.idle is None or not self._is_up():
            return Desired(state=State.ZERO, why=OutOfHours(), next=self._next_on())
        found = [readings[question] for question in self._idle_questions() if question in readings]
        up = _first_not_idle(found)
        if found and up is None:
            why = OutOfHours(tuple(reading.message for reading in found))
            return Desired(state=State.ZERO, why=why, next=self._next_on())
        return Desired(
            state=State.ON,
            why=StillWorking(up.message if up else None),
            by_signal=True,
            is_unheard=up is None or up.says is Says.UNKNOWN,
            next=ZeroWhenIdle(),
        )

    def _window(self) -> Window | None:
        """The window of its hours that it is in; without hours it is always in one."""
        return self.settings.hours.window_at(self.context.now) if self.settings.hours else ALWAYS

    def _is_resting(self, window: Window) -> bool:
        """Whether it was found idle in this window, and has come to zero since."""
        return self.record.idle_in == window.start and self._is_down()

    def _is_down(self) -> bool:
        """Whether it has no more nodes than always stay."""
        return self.pool.size <= self.settings.minimum

    def _is_up(self) -> bool:
        """Whether it is on, and not because a person has turned it on: how long that lasts is `on_drift`'s matter."""
        return not self._is_down() and (self.record.is_on is not False or self.record.on_since is not None)

    def _may_be_idle(self, window: Window) -> bool:
        """Whether it has been on long enough, in this window, for its signals to say that it is idle."""
        idle = self.settings.idle
        if idle is None or self._is_down() or self._has_just_started():
            return False
        return self.context.now - window.start >= timedelta(minutes=idle.for_minutes)

    def _is_asked_out_of_hours(self) -> bool:
        """Whether its signals decide, out of hours, when it goes to zero."""
        return self._is_up() and self.settings.idle is not None and not self._has_just_started()

    def _has_just_started(self) -> bool:
        """Whether it was started so short a time ago that it stays on."""
        on_since = self.record.on_since
        return on_since is not None and self.context.now - on_since < timedelta(minutes=self.settings.minutes_on)

    def _idle_questions(self) -> Iterable[Question]:
        if idle := self.settings.idle:
            yield from ((signal, idle.for_minutes) for signal in idle.signals)

    def _next_on(self) -> OnAgain | None:
        """The events that would turn it on again."""
        window = self.settings.hours.next_window(self.context.now) if self.settings.hours else None
        at, signals = window.start if window else None, self.settings.wake
        return OnAgain(at, signals) if at or signals else None


def restriction_in_force(context: Context) -> InForce | None:
    """The spending restriction that turns every pool off, if it is in force."""
    return context.restrictions.in_force.get(Restriction.GPU_POOLS_OFF)


def override_in_force(name: str, context: Context) -> Override | None:
    """A person's command on the pool of this full name, if it is still in force."""
    override = context.records.overrides.get(name)
    return override if override and context.now < override.until else None


def next_window_start(pool: Pool, now: datetime) -> datetime:
    """The start of the pool's next window; without hours, in a day."""
    window = pool.hours.next_window(now) if pool.hours else None
    return window.start if window else now + timedelta(days=1)


def _first(readings: list[Reading], says: Says) -> Message | None:
    return next((reading.message for reading in readings if reading.says is says), None)


def _first_not_idle(readings: list[Reading]) -> Reading | None:
    """The first signal of work, else the first without data; None if all are idle."""
    says = {reading.says: reading for reading in reversed(readings)}
    return says.get(Says.ACTIVE) or says.get(Says.UNKNOWN)
