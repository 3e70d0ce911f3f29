"""The recordings that a simulation needs, and the calls that export them. Pure.

Each is one answer of Monitoring's ``projects.timeSeries.list`` with the filter of the automation's own query:
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list.
"""

import hashlib
import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from functions.scale_gpu_pools.settings import GpuSignal, Pool, Settings, Signal

LARGEST_PAGE = 100_000
"""Points: sixty-nine days of minutes."""


class Query(msgspec.Struct, frozen=True, order=True):
    """Queries to Monitoring: signals that differ in their limits alone are one."""

    project: str
    filter: str

    @property
    def file(self) -> str:
        """The name of the file that has its answer."""
        found = re.search(r'metric\.type\s*=\s*"([^"]+)"', self.filter)
        metric = re.sub(r"[^A-Za-z0-9]+", "_", found[1].rpartition("/")[2] if found else "metric")
        digest = hashlib.sha256(f"{self.project} {self.filter}".encode()).hexdigest()
        return f"{self.project}-{metric}-{digest[:8]}.json"


def query_of(signal: Signal) -> Query:
    """The query of a signal."""
    return Query(signal.project, signal.filter)


def all_queries_of(signal: Signal) -> tuple[Query, ...]:
    """The query of a signal, and those that tell a GPU without a container from one without data."""
    more = (signal.requested, signal.nodes) if isinstance(signal, GpuSignal) else ()
    return query_of(signal), *(Query(signal.project, one) for one in more)


def signals_of(pool: Pool) -> tuple[Signal, ...]:
    """All signals of a pool, each once."""
    return tuple(dict.fromkeys([*(pool.idle.signals if pool.idle else ()), *pool.wake]))


def queries_of(settings: Iterable[Settings]) -> list[Query]:
    """All queries of these settings, each once."""
    pools = [pool for each in settings for pool in each.pools.values()]
    return sorted({query for pool in pools for one in signals_of(pool) for query in all_queries_of(one)})


def export_commands(settings: Iterable[Settings], start: datetime, end: datetime) -> Iterator[str]:
    """A command for each query, which writes its answer to the folder ``$DIR``."""
    for query in queries_of(settings):
        parameters = (
            f"filter={query.filter}",
            f"interval.startTime={start:%Y-%m-%dT%H:%M:%SZ}",
            f"interval.endTime={end:%Y-%m-%dT%H:%M:%SZ}",
            "aggregation.alignmentPeriod=60s",
            "aggregation.perSeriesAligner=ALIGN_MAX",
            "aggregation.crossSeriesReducer=REDUCE_MAX",
            f"pageSize={LARGEST_PAGE}",
        )
        address = f"https://monitoring.googleapis.com/v3/projects/{query.project}/timeSeries"
        data = " ".join(f"--data-urlencode {shlex.quote(one)}" for one in parameters)
        yield (
            'curl -sSfG -H "Authorization: Bearer $(gcloud auth print-access-token)" '
            f'{address} {data} > "$DIR/{query.file}"'
        )
