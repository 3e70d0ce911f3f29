"""The changes that `scale_gpu_pools` makes."""

from functions.scale_gpu_pools.records import Interval, PoolChange
from functions.scale_gpu_pools.savings import saved
from shared.decision import Change, Saving


class Resize(PoolChange, frozen=True, kw_only=True):
    """Ask for another size of a pool: nodes in each zone of a node pool, or instances on Cloud Run."""

    @property
    def size(self) -> int:
        """Nodes in each zone, or instances."""
        return int(self.after)


class SetAutoscaling(PoolChange, frozen=True, kw_only=True):
    """Set the autoscaling of a node pool: take its bounds away, or put them back."""

    @property
    def autoscaling(self) -> str:
        """In the words of `autoscaling.py`."""
        return self.after


class RecordSaving(Change, frozen=True, kw_only=True):
    """Put a time at zero that has ended with the savings."""

    interval: Interval

    @property
    def saving(self) -> Saving:
        """The savings of that time."""
        return Saving(saved(self.interval, self.interval.stopped or self.interval.began), self.interval.currency)


ScaleChange = Resize | SetAutoscaling | RecordSaving
