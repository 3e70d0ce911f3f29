"""What `scale_gpu_pools` can change."""

from typing import ClassVar

from functions.scale_gpu_pools.records import Interval, PoolRecord
from functions.scale_gpu_pools.savings import saved
from shared.decision import Change, Saving
from shared.holds import HeldChange


class PoolChange(HeldChange, frozen=True, kw_only=True):
    """A change of a pool: towards zero it saves money, and back it is needed."""

    is_money: ClassVar[bool] = True
    record: PoolRecord
    """What must be recorded of the pool, beside its hold, before the change is made."""


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
        """What that time has saved."""
        return Saving(saved(self.interval, self.interval.stopped or self.interval.began), self.interval.currency)


ScaleChange = Resize | SetAutoscaling | RecordSaving
