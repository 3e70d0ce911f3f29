"""The options of `./deploy.sh simulate`."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.suite.settings import PATH

_LENGTH = re.compile(r"(?P<count>[1-9][0-9]*)(?P<unit>[mh])")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    span = int(first), int(last or first)
    if not 0 <= span[0] <= span[1]:
        raise ValueError(text)
    return span


def _length(text: str) -> timedelta:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return timedelta(minutes=int(found["count"]) * {"m": 1, "h": 60}[found["unit"]])


def _amount(text: str) -> tuple[str, float]:
    key, _, amount = text.partition("=")
    if not key or float(amount) < 0:
        raise ValueError(text)
    return key, float(amount)


def parser() -> argparse.ArgumentParser:
    """The parser of the options."""
    made = argparse.ArgumentParser(
        prog="./deploy.sh simulate",
        description="What your settings would have done in a recorded time, and what that saves. "
        "Reads exported files; calls nothing in Google Cloud.",
    )
    add = made.add_argument
    add("--settings", type=Path, default=PATH, metavar="FILE", help="caretaker.yaml (default: settings/caretaker.yaml)")
    add("--print-export", action="store_true", help="print the commands that export the recordings; run none")
    add("--metrics", type=Path, metavar="DIR", help="the folder of the exported recordings of signals")
    add("--billing", type=Path, metavar="FILE", help="exported charges: Google's detailed export as JSON, or FOCUS CSV")
    add("--budget", type=_amount, action="append", default=[], metavar="KEY=AMOUNT", help="a budget's amount")
    add("--lag", type=_length, metavar="24h", help="how long after its end a charge is known (default: as exported)")
    add("--what-if", type=Path, nargs="+", default=[], metavar="FILE", help="other settings to compare with yours")
    add("--from", dest="start", type=_moment, metavar="TIME", help="begin there, for example 2026-11-01T00:00Z")
    add("--to", dest="end", type=_moment, metavar="TIME", help="end there")
    add("--start-minutes", type=_span, default=(3, 10), metavar="A-B", help="how long nodes take (default: 3-10)")
    add("--seen-after", type=int, default=3, metavar="MINUTES", help="how late Monitoring shows a value (default: 3)")
    add(
        "--outage",
        type=_length,
        default=timedelta(),
        metavar="30m",
        help="no signal has data for so long, at the busiest time",
    )
    add("--timeline", action="store_true", help="print each change and alert")
    add("--json", type=Path, metavar="FILE", help="write each change and alert as a line of JSON")
    add("--page", type=Path, metavar="FILE", help="write a page with pictures, as HTML")
    add("--year", action="store_true", help="the cost of a year of the product's model, before anything is deployed")
    add("--no-replay", dest="replay", action="store_false", help="do not check sampled days on the local cloud")
    add("--generate", type=Path, metavar="DIR", help="write recordings that are made up, to try it out")
    add("--days", type=int, default=30, help="how many days to generate (default: 30)")
    add("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    return made
