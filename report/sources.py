"""The sources of a picture: the owner's settings, stored documents, the history, and the newest reports."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from functions.cap_spending.records import Records as SpendingRecords
from functions.cap_spending.settings import Settings as SpendingSettings
from functions.scale_gpu_pools.records import Records as PoolRecords
from functions.scale_gpu_pools.savings import SavingsBook
from functions.scale_gpu_pools.settings import Settings as PoolSettings
from report.words import name_words, text_words
from shared.debts import Debt
from shared.moments import AnyMoment
from shared.report import Report
from shared.restrictions import SpendingRestrictions
from shared.settings import Mode


class JobRun(msgspec.Struct, frozen=True):
    """The end of a job's newest execution, as the job reported it."""

    job: str
    at: datetime
    has_failed: bool
    why: str


class Month(msgspec.Struct, frozen=True):
    """The month that is shown."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, moment: datetime, zone: ZoneInfo) -> "Month":
        """The month of a moment, as a calendar in this zone has it."""
        local = moment.astimezone(zone)
        start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return cls(start, end)

    @classmethod
    def named(cls, text: str, zone: ZoneInfo) -> "Month":
        """The month of a text such as ``2026-11``. Raises ``ValueError`` for any other."""
        return cls.around(datetime.strptime(text, "%Y-%m").replace(tzinfo=zone), zone)

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """All that a picture is made from."""

    project: str
    mode: Mode
    now: datetime
    zone: ZoneInfo
    month: Month
    spending: SpendingSettings | None = None
    spending_records: SpendingRecords = SpendingRecords()
    pools: PoolSettings | None = None
    pool_records: PoolRecords = PoolRecords()
    book: SavingsBook = SavingsBook()
    restrictions: SpendingRestrictions = SpendingRestrictions()
    debts: Mapping[str, tuple[Debt, ...]] = {}
    """By automation."""
    moments: tuple[AnyMoment, ...] = ()
    """Of the month, in order of time."""
    reports: Mapping[str, Report | None] = {}
    """By automation the newest; None if it has not run for days."""
    has_run: frozenset[str] = frozenset()
    """The automations that have ever put something on record."""
    jobs: tuple[JobRun, ...] = ()
    names: Mapping[str, str] = {}
    """By full resource name, what the owner calls it."""
    notes: tuple[str, ...] = ()

    def name_of(self, resource: str) -> str:
        """A person's name for a resource: the owner's key for it, or the last part of its name."""
        return name_words(self.names.get(resource) or resource.rpartition("/")[2] or resource)

    def text(self, text: str) -> str:
        """A text of a report as the page shows it."""
        return text_words(text, self.zone)
