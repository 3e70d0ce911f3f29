"""The time series of a world."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from localcloud.core.world_format import Moment
from localcloud.core.world_place import Place

if TYPE_CHECKING:
    from localcloud.monitoring.service import Monitoring


class MonitoredResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The monitored resource of a time series."""

    type: str
    labels: dict[str, str] = {}


class TimeSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gauge of Cloud Monitoring that has a value from a moment on, one point a minute, or none."""

    metric: str
    """Its type, such as pubsub.googleapis.com/subscription/num_undelivered_messages."""
    resource: MonitoredResource
    metric_labels: dict[str, str] = {}
    value: int | float | None = None
    """None means that there are no points."""
    since: Moment | None = None
    """By default a day before the clock's time."""


def add_time_series(service: "Monitoring", place: Place, found: Sequence[TimeSeries]) -> None:
    """Give time series their values."""
    for series in found:
        service.set_value(
            place.owner,
            series.metric,
            series.value,
            resource_type=series.resource.type,
            resource_labels=series.resource.labels,
            metric_labels=series.metric_labels,
            since=series.since or place.now - timedelta(days=1),
        )
