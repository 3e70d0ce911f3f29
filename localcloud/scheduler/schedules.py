"""The due times of a Cloud Scheduler job: unix-cron and the App Engine style of schedule.

Of the App Engine style this understands ``every N minutes|mins|hours`` (counted from when the job was created
or changed), the same with ``synchronized`` (counted from midnight), and ``every day|monday,friday,...
HH:MM``. The rest of that grammar (``from ... to``, ordinals, months) is refused. See
https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_MINUTE = timedelta(minutes=1)
_HOURS_OF_DAY = 24
_CRON_FIELDS = 5
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# cronsim also takes a sixth field and the signs L, W and #, which unix-cron does not have.
_CRON_FIELD = re.compile(
    r"^(\*|\d+|[a-z]{3})(-(\d+|[a-z]{3}))?(/\d+)?(,(\*|\d+|[a-z]{3})(-(\d+|[a-z]{3}))?(/\d+)?)*$",
    re.IGNORECASE,
)
_EVERY_STEP = re.compile(r"^every (\d+) (minutes?|mins?|hours?)( synchronized)?$")
_EVERY_DAY = re.compile(r"^every ([a-z, ]+?) (\d{1,2}):(\d{2})$")


class ScheduleError(ValueError):
    """A schedule or time zone that Cloud Scheduler (or this model of it) does not understand."""


class Schedule(Protocol):
    """The moments (aware, UTC) at which a job is due."""

    def after(self, moment: datetime) -> datetime:
        """The first due time later than ``moment``."""

    def latest(self, moment: datetime) -> datetime:
        """The last due time that is not later than ``moment``."""


@dataclass(frozen=True)
class Cron:
    """Due by a five-field cron expression, read in a time zone.

    At a change of the clocks it does as Debian's cron: a fixed time that is skipped runs right after the gap,
    one that comes twice runs once.
    """

    expression: str
    time_zone: ZoneInfo

    def after(self, moment: datetime) -> datetime:
        """The first due time later than ``moment``."""
        # In the second pass of an hour that repeats, cronsim answers first with times of the first pass.
        found = (due.astimezone(UTC) for due in CronSim(self.expression, moment.astimezone(self.time_zone)))
        return next(due for due in found if due > moment)

    def latest(self, moment: datetime) -> datetime:
        """The last due time that is not later than ``moment``."""
        start = moment.replace(second=0, microsecond=0) + _MINUTE
        backwards = CronSim(self.expression, start.astimezone(self.time_zone), reverse=True)
        return next(backwards).astimezone(UTC)


@dataclass(frozen=True)
class Interval:
    """Due every ``step``, counted from ``start``."""

    start: datetime
    step: timedelta

    def after(self, moment: datetime) -> datetime:
        """The first due time later than ``moment``."""
        return self.start + max((moment - self.start) // self.step + 1, 1) * self.step

    def latest(self, moment: datetime) -> datetime:
        """The last due time that is not later than ``moment``."""
        return self.start + (moment - self.start) // self.step * self.step


def parse_schedule(text: str, time_zone: str, start: datetime) -> Schedule:
    """Read a job's ``schedule`` and ``time_zone`` ("" and "utc" mean UTC).

    An interval counts from ``start``. Raises ScheduleError with the reason.
    """
    zone = _zone(time_zone)
    words = " ".join(text.lower().split())
    if step := _EVERY_STEP.match(words):
        return _every_step(int(step[1]), step[2], synchronized=bool(step[3]), zone=zone, start=start)
    if day := _EVERY_DAY.match(words):
        return _cron(f"{int(day[3])} {int(day[2])} * * {_days(day[1])}", zone, text)
    return _cron(text, zone, text)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo("UTC" if name.lower() in ("", "utc") else name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(f"{name!r} is not a name of the tz database, as Europe/Berlin is") from error


def _every_step(count: int, unit: str, *, synchronized: bool, zone: ZoneInfo, start: datetime) -> Schedule:
    step = timedelta(hours=count) if unit.startswith("hour") else timedelta(minutes=count)
    if not step:
        raise ScheduleError("an interval is at least one minute")
    if not synchronized:
        return Interval(start, step)
    hours, minutes = divmod(step, timedelta(hours=1))
    if (minutes and (hours or timedelta(hours=1) % step)) or (hours and _HOURS_OF_DAY % hours):
        raise ScheduleError(f"{step} does not divide the hour or the day evenly, as synchronized asks")
    if minutes:
        return Cron(f"*/{minutes // _MINUTE} * * * *", zone)
    return Cron("0 0 * * *" if hours == _HOURS_OF_DAY else f"0 */{hours} * * *", zone)


def _days(text: str) -> str:
    days = [word for word in re.split(r"[, ]+", text) if word]
    if days == ["day"]:
        return "*"
    known = {day: day[:3] for day in _WEEKDAYS} | {day[:3]: day[:3] for day in _WEEKDAYS}
    unknown = [day for day in days if day not in known]
    if unknown:
        raise ScheduleError(f"{unknown[0]!r} is no day; 'day' or names of weekdays would do")
    return ",".join(known[day] for day in days)


def _cron(expression: str, zone: ZoneInfo, text: str) -> Cron:
    fields = expression.split()
    if len(fields) != _CRON_FIELDS or not all(_CRON_FIELD.match(field) for field in fields):
        raise ScheduleError(f"{text!r} is neither five cron fields nor 'every 10 minutes', 'every monday 09:00'")
    try:
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ScheduleError(f"{text!r}: {error or 'never comes due'}") from error
    return Cron(expression, zone)
