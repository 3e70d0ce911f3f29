"""Makes recordings with a seed, in the format of the real exports: for the worked example, and for tests."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from functions.scale_gpu_pools.settings import GpuMemory, GpuSignal, PendingMessages, Pool, Settings, Signal
from simulate.exports import Query, all_queries_of, queries_of, signals_of
from simulate.recording import MINUTE
from simulate.together import CLUSTER_LABEL, POOL_LABEL

BUSY_PERCENT = 85
BUSY_BYTES = 20_000_000_000
CORES = 8
OTHER_COST = 0.35
GAP_MINUTES = 25
GAPS_A_MONTH = 4


def generate(folder: Path, settings: Sequence[Settings], start: datetime, days: int, seed: int) -> list[Path]:
    """Write an answer for each query of these settings, and return the files."""
    minutes = days * 1440
    pools = [pool for each in settings for pool in each.pools.values()]
    signals = {query: one for pool in pools for one in signals_of(pool) for query in all_queries_of(one)}
    written = []
    for number, query in enumerate(queries_of(settings)):
        draw = random.Random(seed)  # noqa: S311 - the same for each run, and no secret
        jobs = list(_jobs(draw, start, minutes))
        gaps = random.Random(seed + 1 + number)  # noqa: S311 - as above
        missing = [gaps.randrange(minutes) for _ in range(max(1, GAPS_A_MONTH * days // 30))]
        known = [at for at in range(minutes) if not any(gap <= at < gap + GAP_MINUTES for gap in missing)]
        path = folder / query.file
        path.write_text(json.dumps(_page(query, signals[query], jobs, known, start), indent=1), encoding="utf-8")
        written.append(path)
    return written


def generate_charges(folder: Path, settings: Settings, start: datetime, days: int, seed: int) -> Path:
    """Write charges as Google's detailed export has them: hourly, exported some hours after their end."""
    draw = random.Random(seed)  # noqa: S311 - the same for each run, and no secret
    rows = [
        _charge(pool, start + timedelta(hours=hour), draw.uniform(2, 16))
        for hour in range(days * 24)
        for pool in (*settings.pools.values(), None)
    ]
    path = folder / "billing.json"
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return path


def _charge(pool: Pool | None, start: datetime, lag_hours: float) -> dict[str, object]:
    """The cost of an hour of a pool that is always on; without a pool, of everything else."""
    end = start + timedelta(hours=1)
    name = pool.full_name.rpartition("/")[2] if pool else "api"
    labels = {}
    if pool and pool.node_pool:
        labels = {CLUSTER_LABEL: pool.node_pool.cluster, POOL_LABEL: pool.node_pool.name}
    return {
        "usage_start_time": f"{start:%Y-%m-%d %H:%M:%S}",
        "usage_end_time": f"{end:%Y-%m-%d %H:%M:%S}",
        "export_time": f"{end + timedelta(hours=lag_hours):%Y-%m-%d %H:%M:%S.%f}",
        "cost": f"{(pool.hourly_price or 1.0) * pool.size if pool else OTHER_COST:.6f}",
        "currency": "USD",
        "credits": [],
        "project": {"id": pool.full_name.split("/")[1] if pool else "my-product", "name": None},
        "labels": [{"key": key, "value": value} for key, value in labels.items()],
        "resource": {"name": name, "global_name": None},
    }


def _jobs(draw: random.Random, start: datetime, minutes: int) -> Iterator[range]:
    """Jobs that begin on working days, mostly by day, and last from minutes to hours."""
    at = 0
    while at < minutes:
        moment = start + at * MINUTE
        is_day = moment.weekday() < 5 and 7 <= moment.hour < 18
        at += int(draw.expovariate(1 / (70 if is_day else 900))) + 1
        length = int(draw.lognormvariate(3.4, 0.9)) + 3
        if at + length < minutes:
            yield range(at, at + length)
        at += length


def _page(
    query: Query, signal: Signal, jobs: Sequence[range], known: Sequence[int], start: datetime
) -> dict[str, object]:
    """An answer with the newest points first, as Monitoring gives it. Containers exist while they work."""
    running = {at for job in jobs for at in job}
    beginning = {at for job in jobs for at in list(job)[:3]}
    points = []
    for at in reversed(known):
        if isinstance(signal, PendingMessages):
            value: dict[str, object] = {"int64Value": str(int(at in beginning))}
        elif isinstance(signal, GpuSignal):
            if at not in running and query.filter != signal.nodes:
                continue
            value = _of_gpus(query, signal)
        else:
            value = {"doubleValue": float(signal.at_most + (1 if at in running else 0))}
        moment = f"{start + timedelta(minutes=at):%Y-%m-%dT%H:%M:%SZ}"
        points.append({"interval": {"startTime": moment, "endTime": moment}, "value": value})
    series = {"metric": {}, "resource": {}, "metricKind": "GAUGE", "points": points}
    return {"timeSeries": [series], "unit": "1"}


def _of_gpus(query: Query, signal: GpuSignal) -> dict[str, object]:
    if query.filter == signal.nodes:
        return {"doubleValue": CORES}
    if query.filter == signal.requested:
        return {"int64Value": "1"}
    return {"int64Value": str(BUSY_BYTES if isinstance(signal, GpuMemory) else BUSY_PERCENT)}
