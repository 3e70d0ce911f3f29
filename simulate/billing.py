"""Reads what a billing account was charged: Google's detailed export as JSON, or FOCUS as CSV.

https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/detailed-usage and
https://focus.finops.org/focus-specification. Each charge is known from some time on: when Google exported its row, or,
without such a column, a lag after its end.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from shared.decoding import converted
from shared.errors import SettingsError

DAY = timedelta(days=1)
REMEDY = "export it with the command that ./deploy.sh simulate --print-export prints"
QUERY = (
    "SELECT usage_start_time, usage_end_time, export_time, cost, currency, credits, project, labels, resource "
    "FROM `$TABLE` WHERE usage_start_time >= '{start:%Y-%m-%d}' AND usage_start_time < '{end:%Y-%m-%d}'"
)


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of one resource in a time of at most a day, after credits."""

    start: datetime
    end: datetime
    cost: float
    currency: str
    known: datetime | None = None
    """The time of the export; None if the file does not say."""
    project: str = ""
    resource: str = ""
    labels: Mapping[str, str] = {}


class _Pair(msgspec.Struct):
    key: str
    value: str | None = ""


class _Credit(msgspec.Struct):
    amount: float | None = 0.0


class _Named(msgspec.Struct):
    id: str | None = ""
    name: str | None = ""


class _Row(msgspec.Struct):
    usage_start_time: str
    usage_end_time: str
    cost: float
    currency: str
    export_time: str | None = None
    credits: list[_Credit] = []
    project: _Named | None = None
    labels: list[_Pair] = []
    resource: _Named | None = None


class _FocusRow(msgspec.Struct, rename="pascal"):
    charge_period_start: str
    charge_period_end: str
    billed_cost: float
    billing_currency: str
    sub_account_id: str = ""
    resource_name: str = ""
    resource_id: str = ""
    tags: str = ""


def print_query(start: datetime, end: datetime) -> str:
    """The command that exports the charges. ``TABLE`` is the owner's `gcp_billing_export_resource_v1_...`."""
    query = QUERY.format(start=start, end=end)
    return f'bq query --nouse_legacy_sql --format=json --max_rows=100000000 "{query}" > "$DIR/billing.json"'


def read_charges(path: Path) -> list[Charge]:
    """The charges of a file, in order of time; longer ones by day. Raises ``SettingsError``."""
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except FileNotFoundError:
        raise _wrong(path, "no such file", REMEDY) from None
    except UnicodeDecodeError:
        raise _wrong(path, "this is not text", REMEDY) from None
    if not text:
        raise _wrong(path, "the file is empty", REMEDY)
    rows = _from_json(text, path) if text[0] in "[{" else _from_focus(text, path)
    charges = sorted((one for row in rows for one in _by_day(row)), key=lambda one: (one.start, one.end))
    if not charges:
        raise _wrong(path, "it has no charge", REMEDY)
    if len(currencies := sorted({one.currency for one in charges})) > 1:
        raise _wrong(path, f"charges in {' and '.join(currencies)}", "export one currency")
    return charges


def _from_json(text: str, path: Path) -> Iterator[Charge]:
    try:
        data = json.loads(text)
        rows = converted(data, list[_Row], strict=False)
    except ValueError as error:
        raise _wrong(path, f"these are no rows of the detailed export ({error})", REMEDY) from None
    for row in rows:
        yield Charge(
            start=_moment(row.usage_start_time, path),
            end=_moment(row.usage_end_time, path),
            cost=row.cost + sum(credit.amount or 0.0 for credit in row.credits),
            currency=row.currency,
            known=_moment(row.export_time, path) if row.export_time else None,
            project=(row.project.id if row.project else "") or "",
            resource=(row.resource.name if row.resource else "") or "",
            labels={one.key: one.value or "" for one in row.labels},
        )


def _from_focus(text: str, path: Path) -> Iterator[Charge]:
    lines = text.splitlines()
    for number, cells in enumerate(csv.DictReader(lines), start=2):
        try:
            row = converted({key: value or "" for key, value in cells.items()}, _FocusRow, strict=False)
            tags = json.loads(row.tags) if row.tags.startswith("{") else {}
        except (ValueError, TypeError) as error:
            raise _wrong(path, f"line {number} is no row of FOCUS ({error})", "export FOCUS as CSV") from None
        yield Charge(
            start=_moment(row.charge_period_start, path),
            end=_moment(row.charge_period_end, path),
            cost=row.billed_cost,
            currency=row.billing_currency,
            project=row.sub_account_id,
            resource=row.resource_name or row.resource_id,
            labels={str(key): str(value) for key, value in tags.items()},
        )


def _by_day(charge: Charge) -> Iterator[Charge]:
    """A charge of more than a day as one for each: FOCUS mixes charges of hours, days and months."""
    days = (charge.end - charge.start) / DAY
    if days <= 1:
        yield charge
        return
    at = charge.start
    while at < charge.end:
        until = min(at + DAY, charge.end)
        yield msgspec.structs.replace(charge, start=at, end=until, cost=charge.cost * ((until - at) / DAY) / days)
        at = until


def _moment(text: str, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise _wrong(path, f"{text!r} is no time", REMEDY) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _wrong(path: Path, problem: str, remedy: str) -> SettingsError:
    return SettingsError("", str(path), remedy, problem=f"cannot read {path}: {problem}", remedy=remedy)
