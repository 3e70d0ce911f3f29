"""Reads what a report is made from: Firestore and Cloud Logging, with the caller's own credentials."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from functions.cap_spending.records import Records as SpendingRecords
from functions.cap_spending.settings import Settings as SpendingSettings
from functions.scale_gpu_pools.records import Records as PoolRecords
from functions.scale_gpu_pools.savings import MonthOfSavings, SavingsBook, document_of
from functions.scale_gpu_pools.settings import Settings as PoolSettings
from infra.deploy.logs import newest_entry, newest_report
from infra.deploy.target import Target
from infra.suite.automations import load_automations
from infra.suite.deployment import Suite
from infra.suite.loading import load_records
from report.sources import JobRun, Month, Sources
from shared.automation import Records
from shared.decoding import converted
from shared.errors import cloud_errors, in_words
from shared.history import days_between, hours_beside, path_of, read_moments
from shared.moments import AnyMoment
from shared.report import Report
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.settings import Mode, parse
from shared.state import State

LOOKS_BACK = timedelta(days=2)
JOBS = ("back_up_database", "prove_backup")


def read_history(state: State, days: Sequence[date]) -> list[AnyMoment]:
    """The moments of some days, in order of time: a second read finds what a day's document has had no room for."""
    of_days = state.read(*map(path_of, days))
    hours = [path for day, document in zip(days, of_days, strict=True) for path in hours_beside(day, document.fields)]
    documents = (*of_days, *state.read(*hours)) if hours else of_days
    moments = [moment for document in documents for moment in read_moments(document.fields)]
    return sorted(moments, key=lambda moment: moment.at)


def read_sources(suite: Suite, target: Target, *, now: datetime, zone: ZoneInfo, month: Month) -> Sources:
    """Everything. Raises what the clients raise, but for Cloud Logging: a report without it says so."""
    state = State(target.clients)
    names = [name for name in suite.automations if name in load_automations()]
    documents = state.read(DOCUMENT, *(f"records/{name}" for name in names))
    restrictions = documents[0].as_type(SpendingRestrictions)
    records: dict[str, Records] = {}
    for name, document in zip(names, documents[1:], strict=True):
        records[name] = document.as_type(load_records(name))
    moments = read_history(state, tuple(days_between(month.start, min(month.end, now))))
    reports, jobs, notes = _logged(target, names, now)
    spending, pools = records.get("cap_spending"), records.get("scale_gpu_pools")
    pool_settings = parse(suite.owner, "scale_gpu_pools", PoolSettings).section if pools is not None else None
    return Sources(
        project=target.project,
        mode=Mode(str(suite.owner.get("mode", Mode.OBSERVE))),
        now=now,
        zone=zone,
        month=month,
        spending=parse(suite.owner, "cap_spending", SpendingSettings).section if spending is not None else None,
        spending_records=spending if isinstance(spending, SpendingRecords) else SpendingRecords(),
        pools=pool_settings,
        pool_records=pools if isinstance(pools, PoolRecords) else PoolRecords(),
        book=_book(state, pool_settings, month, now),
        restrictions=restrictions,
        debts={name: one.debts() for name, one in records.items()},
        moments=tuple(moment for moment in moments if month.has(moment.at)),
        reports=reports,
        has_run=frozenset(name for name, one in zip(names, documents[1:], strict=True) if one.version is not None),
        jobs=jobs,
        names=_names(pool_settings),
        notes=notes,
    )


def _names(pools: PoolSettings | None) -> dict[str, str]:
    """The owner's keys in the settings, by resource."""
    return {pool.full_name: key for key, pool in pools.pools.items()} if pools else {}


def _book(state: State, settings: PoolSettings | None, month: Month, now: datetime) -> SavingsBook:
    """The savings of pools that ended in the month, or in the one after, which may have begun in it."""
    if settings is None or not settings.pools:
        return SavingsBook()
    after = Month.around(month.end, ZoneInfo("UTC")).start
    months = [month.start.date().replace(day=1), *([after.date()] if after < now else [])]
    names = [pool.full_name for pool in settings.pools.values()]
    keys = [(name, document_of(name, first)) for name in names for first in months]
    documents = state.read(*(path for _, path in keys))
    found: dict[str, list[object]] = {}
    for (name, _), document in zip(keys, documents, strict=True):
        found.setdefault(name, []).extend(document.as_type(MonthOfSavings).intervals.values())
    return converted({"intervals": msgspec.to_builtins(found, builtin_types=(datetime,))}, SavingsBook)


def _logged(
    target: Target, names: Iterable[str], now: datetime
) -> tuple[Mapping[str, Report | None], tuple[JobRun, ...], tuple[str, ...]]:
    """The newest reports, and how each job ended; without Cloud Logging none, and a note that says why."""
    try:
        reports = {name: newest_report(target, name, now - LOOKS_BACK) for name in names}
        jobs = tuple(filter(None, (_newest_run(target, job, now) for job in JOBS)))
    except cloud_errors() as error:
        return {}, (), (f"Cloud Logging could not be read, so alerts and what is next are missing: {in_words(error)}",)
    return reports, jobs, ()


class _Ended(msgspec.Struct, frozen=True):
    name: str
    outcome: str
    why: str = ""


class _JobLine(msgspec.Struct, frozen=True):
    job: _Ended


def _newest_run(target: Target, job: str, now: datetime) -> JobRun | None:
    entry = newest_entry(target, f'jsonPayload.job.name="{job}"', now - timedelta(days=31))
    if entry is None:
        return None
    ended = entry.as_type(_JobLine).job
    return JobRun(job, entry.timestamp.astimezone(now.tzinfo), ended.outcome == "failed", ended.why)


def local_zone() -> ZoneInfo:
    """The time zone of this machine, by its name; UTC where it has none."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        link = os.path.realpath(Path("/etc/localtime"))
        name = link.partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
