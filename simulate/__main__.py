"""Says what Caretaker would have done with a recorded time: `./deploy.sh simulate`."""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from functions.scale_gpu_pools.settings import Settings
from infra.suite.settings import PATH, load_caretaker_yaml, own_or_example
from shared.errors import SettingsError
from shared.settings import parse
from simulate.exports import Query, export_commands, queries_of
from simulate.figures import busiest_start, coverage_of, figures_of, values_of, work_of_days
from simulate.generator import generate
from simulate.model import Values
from simulate.playing import Assumptions, Played, play
from simulate.recording import Period, period_of, read_recordings
from simulate.rendering import basis_lines, hurting_lines, step_line, table_lines, timeline_lines
from simulate.replay import differences

AUTOMATION = "scale_gpu_pools"
GOOD, BAD, UNTRUSTED = 0, 1, 2
EXPORTED = timedelta(days=30)
_LENGTH = re.compile(r"(?P<count>[1-9][0-9]*)(?P<unit>[mh])")


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 if work would have been killed or a signal is unusable; 2 if there is no answer that can be trusted."""
    told = _parser().parse_args(arguments)
    try:
        if told.what_if and not told.metrics:
            raise SettingsError("--metrics", None, "the folder of exported time series")
        policies = {
            one.stem if at else "settings": _settings(one) for at, one in enumerate([told.settings, *told.what_if])
        }
        if told.generate:
            start = told.start or _midnight(datetime.now(UTC)) - EXPORTED
            told.generate.mkdir(parents=True, exist_ok=True)
            for path in generate(told.generate, list(policies.values()), start, told.days, told.seed):
                print(path)
            return GOOD
        if told.print_export:
            end = told.end or datetime.now(UTC)
            for command in export_commands(policies.values(), told.start or end - EXPORTED, end):
                print(command)
            return GOOD
        if told.metrics is None:
            raise SettingsError("--metrics", None, "the folder of exported time series, or --print-export")
        return _simulate(told, policies)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return UNTRUSTED


def _simulate(told: argparse.Namespace, policies: Mapping[str, Settings]) -> int:
    recordings = read_recordings(told.metrics, queries_of(policies.values()))
    period = period_of(recordings, told.start, told.end)
    values = values_of(recordings, period)
    assumptions = Assumptions(start_minutes=told.start_minutes, seen_after=told.seen_after, seed=told.seed)
    own = policies["settings"]
    coverage = coverage_of([pool for one in policies.values() for pool in one.pools.values()], recordings, period)
    for line in basis_lines(coverage, period, assumptions):
        print(line)
    played = {
        (policy, key): _played(settings, key, values, period, assumptions, told.outage)
        for policy, settings in policies.items()
        for key in settings.pools
    }
    if told.timeline:
        for key in own.pools:
            print(f"\n{key}, with your settings:")
            print("\n".join(timeline_lines(played["settings", key])))
    print()
    for line in table_lines([figures_of(policy, one, period) for (policy, _), one in played.items()], own.currency):
        print(line)
    hurting = [line for key in own.pools for line in hurting_lines(played["settings", key], coverage, period)]
    if hurting:
        print("\nWhat would hurt, with your settings:")
        print("\n".join(f"  {line}" for line in hurting))
    if told.json:
        lines = [step_line(policy, one, step) for (policy, _), one in played.items() for step in one.steps]
        told.json.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    wrong = list(_untrusted([played["settings", key] for key in own.pools], period, assumptions, told))
    if wrong:
        print("\nThe simulation cannot be trusted, as the local cloud did something else:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in wrong), file=sys.stderr)
        return UNTRUSTED
    is_bad = any(one.model.figures.killed for (policy, _), one in played.items() if policy == "settings")
    return BAD if is_bad or any(one.is_unusable for one in coverage) else GOOD


def _played(  # noqa: PLR0917 - those of `play`, and one more
    settings: Settings,
    key: str,
    values: Mapping[Query, Values],
    period: Period,
    assumptions: Assumptions,
    outage: int,
) -> Played:
    first = play(settings, key, values, period, assumptions)
    if not outage:
        return first
    start = busiest_start(first, outage)
    return play(
        settings, key, values, period, msgspec.structs.replace(assumptions, outage=range(start, start + outage))
    )


def _untrusted(
    played: Sequence[Played], period: Period, assumptions: Assumptions, told: argparse.Namespace
) -> Iterator[str]:
    """Play the busiest, the quietest and some other days again on the local cloud."""
    for one in played:
        work = work_of_days(one, period)
        days = sorted(work, key=lambda day: (work[day], day))
        chosen = sorted({*days[:1], *days[-1:], *days[:: max(1, len(days) // 3)][:3]} if told.replay else ())
        found = differences(one, period, assumptions, chosen)
        yield from found
        left_out = "" if chosen else ": no whole day is recorded, or --no-replay was given"
        print(f"\n{one.key}: {len(chosen)} days played again on the local cloud, {len(found)} differences{left_out}")


def _settings(path: Path) -> Settings:
    return parse(load_caretaker_yaml(own_or_example(path)), AUTOMATION, Settings).section


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    span = int(first), int(last or first)
    if not 0 <= span[0] <= span[1]:
        raise ValueError(text)
    return span


def _length(text: str) -> int:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found["count"]) * {"m": 1, "h": 60}[found["unit"]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh simulate",
        description="What your settings would have done with your GPU pools in a recorded time, and what that saves. "
        "Reads exported files; calls nothing in Google Cloud.",
    )
    add = parser.add_argument
    add("--settings", type=Path, default=PATH, metavar="FILE", help="caretaker.yaml (default: settings/caretaker.yaml)")
    add("--print-export", action="store_true", help="print the commands that export the recordings; run none")
    add("--metrics", type=Path, metavar="DIR", help="the folder of the exported recordings")
    add("--what-if", type=Path, nargs="+", default=[], metavar="FILE", help="other settings to compare with yours")
    add("--from", dest="start", type=_moment, metavar="TIME", help="begin there, for example 2026-11-01T00:00Z")
    add("--to", dest="end", type=_moment, metavar="TIME", help="end there")
    add("--start-minutes", type=_span, default=(3, 10), metavar="A-B", help="how long nodes take (default: 3-10)")
    add("--seen-after", type=int, default=3, metavar="MINUTES", help="how late Monitoring shows a value (default: 3)")
    add("--outage", type=_length, default=0, metavar="30m", help="no signal has data for so long, at the busiest time")
    add("--timeline", action="store_true", help="print each change and alert")
    add("--json", type=Path, metavar="FILE", help="write each change and alert as a line of JSON")
    add("--no-replay", dest="replay", action="store_false", help="do not check sampled days on the local cloud")
    add("--generate", type=Path, metavar="DIR", help="write recordings that are made up, to try it out")
    add("--days", type=int, default=30, help="how many days to generate (default: 30)")
    add("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
