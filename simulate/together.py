"""Plays all that a file of settings says together: its pools, and the budgets whose rungs turn them off.

What pools at zero do not cost is missing in the next notification, as it would have been.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

import msgspec

from functions.cap_spending.settings import Settings as BudgetSettings
from functions.prune_backups.settings import Settings as BackupSettings
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.settings import Settings as PoolSettings
from simulate.billing import Charge
from simulate.exports import Query
from simulate.figures import busiest_start
from simulate.model import Values
from simulate.playing import Assumptions, Played, PoolPlayer, play
from simulate.recording import MINUTE, Period
from simulate.spending import SpendingPlayer, Spent

HOUR = timedelta(hours=1)
WORTH_PROCESSES = 7 * 24 * 60
"""Minutes of a recording: below that, starting processes takes longer than playing."""
CLUSTER_LABEL, POOL_LABEL = "goog-k8s-cluster-name", "goog-k8s-node-pool-name"
"""Labels that GKE puts on nodes, and that their charges carry."""


class Policy(msgspec.Struct, frozen=True):
    """One file of settings."""

    name: str
    pools: PoolSettings
    budgets: BudgetSettings | None = None
    backups: BackupSettings | None = None

    def with_budgets_alone(self) -> "Policy":
        """Of these settings what charges alone can speak for."""
        return Policy(self.name, msgspec.structs.replace(self.pools, pools={}, savings=None), self.budgets)


class Billing(msgspec.Struct, frozen=True):
    """The charges, and assumptions where the export says nothing."""

    charges: Sequence[Charge]
    amounts: Mapping[str, float]
    """Of each budget, by the owner's key."""
    lag: timedelta | None = None
    """From the end of a charge until it is known; None for what the export says itself."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of one policy."""

    policy: Policy
    pools: Mapping[str, Played]
    spent: Spent | None = None


class Recorded(msgspec.Struct, frozen=True):
    """The recorded past, and assumptions beside it."""

    values: Mapping[Query, Values]
    period: Period
    assumptions: Assumptions
    billing: Billing | None = None
    outage: int = 0
    """For so many minutes no signal has data, at each pool's busiest time."""


def play_together(policy: Policy, recorded: Recorded) -> Outcome:
    """Play one policy."""
    period, billing = recorded.period, recorded.billing
    players = {key: _player(policy.pools, key, recorded) for key in policy.pools.pools}
    spending = None
    owners: dict[int, str] = {}
    if policy.budgets and billing:
        spending = SpendingPlayer(policy.budgets, billing.amounts, billing.charges, billing.lag)
        owners = {id(one): _pool_of(one, policy.pools) for one in billing.charges}

    def share(charge: Charge) -> float:
        key = owners[id(charge)]
        return _share(players[key].model.sizes, charge, period, policy.pools.pools[key].size) if key else 1.0

    for at in range(period.minutes):
        if spending:
            spending.pass_minute(period.start + at * MINUTE, share)
        for player in players.values():
            if spending:
                player.restrictions = spending.restrictions
            player.pass_minute(at)
    played = {key: player.played() for key, player in players.items()}
    return Outcome(policy, played, spending.spent() if spending else None)


def play_all(policies: Sequence[Policy], recorded: Recorded) -> list[Outcome]:
    """Play several policies, on all processors if that takes long enough to be worth it."""
    if len(policies) == 1 or recorded.period.minutes < WORTH_PROCESSES:
        return [play_together(one, recorded) for one in policies]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
        return list(workers.map(play_together, policies, [recorded] * len(policies)))


def hourly_price_of(pool: Pool, charges: Sequence[Charge]) -> float | None:
    """The charge for an hour of a node or an instance; None if no charge is the pool's."""
    own = [one for one in charges if is_of(one, pool)]
    hours = {(one.resource, one.start, one.end): (one.end - one.start) / HOUR for one in own}
    total = sum(hours.values())
    return sum(one.cost for one in own) / total if total else None


def is_of(charge: Charge, pool: Pool) -> bool:
    """Whether a charge is of a pool: by GKE's labels on its nodes, or the name of what runs on Cloud Run."""
    if place := pool.node_pool:
        labels = charge.labels
        return labels.get(POOL_LABEL) == place.name and labels.get(CLUSTER_LABEL) == place.cluster
    name = pool.full_name.rpartition("/")[2]
    return charge.resource.rpartition("/")[2] == name and charge.project in ("", pool.full_name.split("/")[1])


def _pool_of(charge: Charge, settings: PoolSettings) -> str:
    return next((key for key, pool in settings.pools.items() if is_of(charge, pool)), "")


def _share(sizes: Sequence[int], charge: Charge, period: Period, size: int) -> float:
    """The share of a charge that is left, if the pool was on all the time when it was recorded."""
    first = max((charge.start - period.start) // MINUTE, 0)
    last = min((charge.end - period.start) // MINUTE, len(sizes))
    return min(sum(sizes[first:last]) / (size * (last - first)), 1.0) if last > first else 1.0


def _player(settings: PoolSettings, key: str, recorded: Recorded) -> PoolPlayer:
    assumptions = recorded.assumptions
    if recorded.outage:
        first = play(settings, key, recorded.values, recorded.period, assumptions)
        start = busiest_start(first, recorded.outage)
        assumptions = msgspec.structs.replace(assumptions, outage=range(start, start + recorded.outage))
    return PoolPlayer(settings, key, recorded.values, recorded.period, assumptions)
