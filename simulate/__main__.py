"""Replays a recorded period and prints what Caretaker would have done: `./deploy.sh simulate`."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from functions.cap_spending.settings import Settings as BudgetSettings
from functions.prune_backups.settings import Settings as BackupSettings
from functions.scale_gpu_pools.settings import Settings
from infra.suite.settings import load_caretaker_yaml, own_or_example
from report.words import counted
from shared.errors import SettingsError
from shared.settings import parse
from simulate.arguments import parser
from simulate.backups import backup_lines, listing_commands
from simulate.billing import print_query, read_charges
from simulate.exports import export_commands, queries_of
from simulate.figures import coverage_of, figures_of, values_of, work_of_days
from simulate.generator import generate, generate_charges
from simulate.page import Page, page_of
from simulate.playing import Assumptions, Played
from simulate.recording import MINUTE, Period, moments_of, period_of, read_recordings
from simulate.rendering import basis_lines, hurting_lines, step_line, table_lines, timeline_lines
from simulate.rendering_spending import billing_lines, budget_json, spending_lines
from simulate.replay import differences
from simulate.replay_spending import can_be_played_again, spending_differences
from simulate.together import Billing, Outcome, Policy, Recorded, play_all, play_together
from simulate.year import year_lines

POOLS, BUDGETS, BACKUPS = "scale_gpu_pools", "cap_spending", "prune_backups"
NEVER = ("rotate_secrets", "manage_previews")
"""No export has the failures of a secret's consumers, or the activity on pull requests."""
OWN = "settings"
GOOD, BAD, UNTRUSTED = 0, 1, 2
EXPORTED = timedelta(days=30)
MOST_DAYS = 5
USUAL_LAG, LAGS = timedelta(hours=24), (timedelta(hours=6), timedelta(hours=48))
"""Used where an export lacks the time at which a charge was known."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 if work would have been killed or a signal is unusable; 2 if there is no answer that can be trusted."""
    options = parser().parse_args(arguments)
    try:
        policies = [
            _policy(one.stem if at else OWN, one) for at, one in enumerate([options.settings, *options.what_if])
        ]
        if options.generate:
            start = options.start or _midnight(datetime.now(UTC)) - EXPORTED
            options.generate.mkdir(parents=True, exist_ok=True)
            pools = [one.pools for one in policies]
            for path in generate(options.generate, pools, start, options.days, options.seed):
                print(path)
            print(generate_charges(options.generate, policies[0].pools, start, options.days, options.seed))
            return GOOD
        if options.year:
            print("\n".join(year_lines(policies[0].pools, _assumptions(options))))
            return GOOD
        if options.print_export:
            end = options.end or datetime.now(UTC)
            start = options.start or end - EXPORTED
            backups = policies[0].backups
            listings = listing_commands(backups) if backups else ()
            for command in (*export_commands([one.pools for one in policies], start, end), *listings):
                print(command)
            print(print_query(start, end))
            return GOOD
        if options.metrics is None and options.billing is None:
            expected = "the folder of exported time series, or --billing FILE, or --print-export"
            raise SettingsError("--metrics", None, expected)
        if options.metrics and not any(one.pools.pools for one in policies):
            raise SettingsError(f"{POOLS}.pools", None, "a pool in the settings, whose signals were exported")
        if options.metrics is None:
            policies = [one.with_budgets_alone() for one in policies]
        return _simulate(options, policies)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return UNTRUSTED


def _simulate(options: argparse.Namespace, policies: Sequence[Policy]) -> int:
    recordings = read_recordings(options.metrics or Path(), queries_of([one.pools for one in policies]))
    assumptions = _assumptions(options)
    billing = _billing(options, policies)
    charged = [moment for one in billing.charges for moment in (one.start, one.known or one.end)] if billing else []
    period = period_of(moments_of(recordings) if options.metrics else charged, options.start, options.end)
    coverage = coverage_of([pool for one in policies for pool in one.pools.pools.values()], recordings, period)
    recorded = Recorded(values_of(recordings, period), period, assumptions, billing, options.outage // MINUTE)
    outcomes = play_all(policies, recorded)
    own = outcomes[0]
    basis = list(basis_lines(coverage, period, assumptions if own.pools else None, tuple(_not_simulated(own, options))))
    basis += billing_lines(billing, own) if billing else []
    print("\n".join(basis))
    if options.timeline:
        for key, played in own.pools.items():
            print(f"\n{key}, with your settings:")
            print("\n".join(timeline_lines(played)))
    print()
    rows = [figures_of(one.policy.name, played, period) for one in outcomes for played in one.pools.values()]
    if rows:
        print("\n".join(table_lines(rows, own.policy.pools.currency)))
    for line in _spending(outcomes, recorded, options):
        print(line)
    if own.policy.backups:
        print("\n".join(["", *backup_lines(options.metrics, own.policy.backups, options.end)]))
    hurting = [line for played in own.pools.values() for line in hurting_lines(played, coverage, period)]
    if hurting:
        print("\nWhat would hurt, with your settings:")
        print("\n".join(f"  {line}" for line in hurting))
    if options.page:
        options.page.write_text(page_of(Page(outcomes, period, basis, hurting, billing)), encoding="utf-8")
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in _json(outcomes)), encoding="utf-8")
    wrong = [*_untrusted(own, period, assumptions, options), *_untrusted_rungs(own, billing, options)]
    if wrong:
        print("\nThe simulation cannot be trusted, as the local cloud did something else:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in wrong), file=sys.stderr)
        return UNTRUSTED
    is_bad = any(played.model.figures.killed for played in own.pools.values())
    return BAD if is_bad or any(one.is_unusable for one in coverage) else GOOD


def _assumptions(options: argparse.Namespace) -> Assumptions:
    return Assumptions(start_minutes=options.start_minutes, seen_after=options.seen_after, seed=options.seed)


def _not_simulated(own: Outcome, options: argparse.Namespace) -> Iterator[str]:
    if options.metrics is None:
        yield f"{POOLS} (it needs --metrics; here its pools cost what they were charged)"
    if own.spent is None:
        yield f"{BUDGETS} (it needs --billing, and budgets in the settings)"
    if own.policy.backups is None:
        yield BACKUPS
    yield from NEVER


def _billing(options: argparse.Namespace, policies: Sequence[Policy]) -> Billing | None:
    """The charges, with the amounts of all budgets. Raises ``SettingsError``."""
    if options.billing is None:
        return None
    if options.metrics is None and not any(one.budgets and one.budgets.budgets for one in policies):
        raise SettingsError(f"{BUDGETS}.budgets", None, "a budget in the settings, or --metrics: charges need one")
    charges, amounts = read_charges(options.billing), dict(options.budget)
    for key in [key for one in policies if one.budgets for key in one.budgets.budgets]:
        if key not in amounts:
            raise SettingsError(f"--budget {key}", None, f"the amount of the budget, such as --budget {key}=400")
    is_said = all(one.known for one in charges)
    return Billing(charges, amounts, options.lag or (None if is_said else USUAL_LAG))


def _spending(outcomes: Sequence[Outcome], recorded: Recorded, options: argparse.Namespace) -> Iterator[str]:
    """The actions of budgets, and how far they depend on a lag that the export lacks."""
    billing = recorded.billing
    if billing is None:
        return
    for one in outcomes:
        if one.spent:
            yield ""
            yield from spending_lines(one.policy.name, one.spent, billing)
    if billing.lag and options.lag is None:
        for lag in LAGS:
            other = msgspec.structs.replace(recorded, billing=msgspec.structs.replace(billing, lag=lag))
            if spent := play_together(outcomes[0].policy, other).spent:
                yield from spending_lines(f"{OWN}, known {lag // timedelta(hours=1)} hours late", spent, billing)


def _json(outcomes: Sequence[Outcome]) -> Iterator[Mapping[str, object]]:
    for one in outcomes:
        yield from (step_line(one.policy.name, played, step) for played in one.pools.values() for step in played.steps)
        if one.spent:
            yield from budget_json(one.policy.name, one.spent)


def _untrusted(own: Outcome, period: Period, assumptions: Assumptions, options: argparse.Namespace) -> Iterator[str]:
    """Play the busiest, the quietest and some other days again on the local cloud, and those on which a rung acts."""
    for played in own.pools.values():
        chosen = _days(played, period) if options.replay else []
        found = differences(played, period, assumptions, chosen)
        yield from found
        left_out = "" if chosen else ": no whole day is recorded, or --no-replay was given"
        days = counted(len(chosen), "day")
        print(f"\n{played.key}: {days} played again on the local cloud, {len(found)} differences{left_out}")


def _untrusted_rungs(own: Outcome, billing: Billing | None, options: argparse.Namespace) -> Iterator[str]:
    """Play the days on which a rung acts again on the local cloud."""
    budgets = own.policy.budgets
    if not (own.spent and budgets and billing and options.replay):
        return
    if not can_be_played_again(budgets):
        print(f"\n{BUDGETS}: not played again on the local cloud, as a rung detaches billing, or is projected")
        return
    days = sorted({_midnight(step.at) for step in own.spent.steps} & own.spent.days.keys())[:MOST_DAYS]
    found = spending_differences(own.spent, budgets, billing.amounts, days)
    yield from found
    print(f"\n{BUDGETS}: {counted(len(days), 'day')} played again on the local cloud, {len(found)} differences")


def _days(played: Played, period: Period) -> list[datetime]:
    work = work_of_days(played, period)
    days = sorted(work, key=lambda day: (work[day], day))
    return sorted({*days[:1], *days[-1:], *days[:: max(1, len(days) // 3)][:3]})


def _policy(name: str, path: Path) -> Policy:
    owner = load_caretaker_yaml(own_or_example(path))
    budgets = parse(owner, BUDGETS, BudgetSettings).section if BUDGETS in owner else None
    backups = parse(owner, BACKUPS, BackupSettings).section if BACKUPS in owner else None
    pools = parse(owner, POOLS, Settings).section if POOLS in owner else Settings(pools={})
    return Policy(name, pools, _with_ids(budgets), backups)


def _with_ids(settings: BudgetSettings | None) -> BudgetSettings | None:
    """Budgets with an id each: the simulation needs none of the deployment's."""
    if settings is None:
        return None
    budgets = {
        key: msgspec.structs.replace(one, id=one.id or key.replace("_", "-")) for key, one in settings.budgets.items()
    }
    return msgspec.structs.replace(settings, budgets=budgets)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


if __name__ == "__main__":
    sys.exit(main())
