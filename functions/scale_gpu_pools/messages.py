"""The messages of `scale_gpu_pools` as typed values: all of its wording besides the replies to commands."""

from collections.abc import Mapping
from datetime import datetime

from functions.scale_gpu_pools.settings import Signal
from shared.clock import format_time
from shared.decision import Message
from shared.hold_messages import FieldValue
from shared.holds import Hold

ALERT_TITLES: Mapping[str, str] = {
    "stock_out": "no GPU nodes arrive",
    "no_data": "kept on by a signal without data",
    "scaling_mode_changed": "scaled in another way, and not given back",
}
"""By kind of alert, what it is called to a person."""

# What a signal shows


class Active(Message, frozen=True):
    """A value is above the limit of its signal."""

    signal: Signal
    value: float
    at: datetime

    def __str__(self) -> str:
        return f"{self.signal}: {self.value:g}, more than {self.signal.at_most:g}, at {self.at:%H:%M} UTC"


class Quiet(Message, frozen=True):
    """No value of the last minutes is above the limit."""

    signal: Signal
    highest: float
    minutes: int

    def __str__(self) -> str:
        return f"{self.signal}: at most {self.highest:g} for {self.minutes} minutes"


class NoContainer(Message, frozen=True):
    """No container has requested a GPU, while the cluster's nodes report."""

    signal: Signal
    minutes: int

    def __str__(self) -> str:
        return f"{self.signal}: no container has had a GPU for {self.minutes} minutes"


class NoData(Message, frozen=True):
    """The last minutes have no value at all."""

    signal: Signal
    minutes: int

    def __str__(self) -> str:
        return f"{self.signal}: no data in {self.minutes} minutes, which is not idle"


class DataLate(Message, frozen=True):
    """The newest values are not there yet."""

    signal: Signal

    def __str__(self) -> str:
        return f"{self.signal}: data is late, which is not idle"


class DataMissing(Message, frozen=True):
    """There is a gap in the values."""

    signal: Signal
    around: datetime

    def __str__(self) -> str:
        return f"{self.signal}: data is missing around {self.around:%H:%M} UTC, which is not idle"


class SeriesMissing(Message, frozen=True):
    """Monitoring says that its answer may lack series."""

    signal: Signal
    problem: str

    def __str__(self) -> str:
        return f"{self.signal}: {self.problem}, which is not idle"


class MetricUnknown(Message, frozen=True):
    """Monitoring knows no such metric, as for one that has never had any data."""

    signal: Signal
    error: str

    def __str__(self) -> str:
        return f"{self.signal}: {self.error}"


# Why a pool should be on, or at zero


class Restricted(Message, frozen=True):
    """A spending restriction turns every pool off."""

    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"the spending restriction gpu_pools_off is in force, by {', '.join(self.because)}"


class AskedForZero(Message, frozen=True):
    """The command `off`."""

    until: datetime

    def __str__(self) -> str:
        return f"a person asked for zero until {format_time(self.until)}"


class AskedFor(Message, frozen=True):
    """The command `awake`."""

    until: datetime

    def __str__(self) -> str:
        return f"a person asked for it until {format_time(self.until)}"


class WithinHours(Message, frozen=True):
    """A window of its hours, and what signals add to that."""

    until: datetime | None
    """None if the pool has no hours."""
    signal: Message | None = None

    def __str__(self) -> str:
        hours = [f"within hours until {format_time(self.until)}"] if self.until else []
        return "; ".join([*hours, *([str(self.signal)] if self.signal else [])]) or "it has no hours"


class Resting(Message, frozen=True):
    """It was found idle, and nothing has woken it since."""

    until: datetime | None
    """The end of its hours; None if the pool has none."""

    def __str__(self) -> str:
        return f"idle within hours until {format_time(self.until)}" if self.until else "idle"


class FoundIdle(Message, frozen=True):
    """Every signal says so."""

    signals: tuple[Message, ...]

    def __str__(self) -> str:
        return f"idle: {'; '.join(map(str, self.signals))}"


class OutOfHours(Message, frozen=True):
    """No window of its hours, and no signal of work."""

    signals: tuple[Message, ...] = ()

    def __str__(self) -> str:
        return "; ".join(["out of hours", *map(str, self.signals)])


class JustStarted(Message, frozen=True):
    """Out of hours, but not on for long enough to be judged."""

    minutes: int

    def __str__(self) -> str:
        return f"out of hours, but on for less than {self.minutes} minutes"


class StillWorking(Message, frozen=True):
    """Out of hours, but a signal shows work, or has no data."""

    signal: Message | None

    def __str__(self) -> str:
        return f"out of hours, but {self.signal or 'it is not known whether it is idle'}"


class NotInSettings(Message, frozen=True):
    """The owner no longer lists a pool that is held."""

    def __str__(self) -> str:
        return "no longer in the settings: let go"


# What follows, and when


class OnWhenLifted(Message, frozen=True):
    """A restriction ends when it is lifted."""

    def __str__(self) -> str:
        return "on again when the restriction is lifted"


class DecidedAgainAt(Message, frozen=True):
    """The end of a command."""

    at: datetime

    def __str__(self) -> str:
        return f"decided by hours and signals again at {format_time(self.at)}"


class ZeroAt(Message, frozen=True):
    """The end of its hours."""

    at: datetime

    def __str__(self) -> str:
        return f"zero at {format_time(self.at)}, when its hours end"


class ZeroWhenIdle(Message, frozen=True):
    """Out of hours, at the end of its work."""

    def __str__(self) -> str:
        return "zero as soon as it is idle"


class OnAgain(Message, frozen=True):
    """The events that turn a pool on again."""

    at: datetime | None
    """The start of its next window."""
    signals: tuple[Signal, ...] = ()

    def __str__(self) -> str:
        at = [f"at {format_time(self.at)}"] if self.at else []
        return f"on again {' or '.join([*at, *(f'on {signal}' for signal in self.signals)])}"


class WouldResize(Message, frozen=True):
    """The size of a pool, after its autoscaling."""

    key: str
    field: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.key} would then be resized: {self.field} {self.before} -> {self.after}"


class WouldSave(Message, frozen=True):
    """The savings of a pool at zero, at the price in the settings."""

    key: str
    nodes: int
    hourly_price: float

    def __str__(self) -> str:
        nodes = f"{self.nodes} {'node' if self.nodes == 1 else 'nodes'}"
        return f"{self.key} would save {self.nodes * self.hourly_price:.2f} an hour: {nodes} that do not run"


class OfPool(Message, frozen=True):
    """A message about one pool."""

    key: str
    message: Message

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


# What is waited for


class OperationRuns(Message, frozen=True):
    """GKE does one operation at a time for a cluster."""

    kind: str
    started: str

    def __str__(self) -> str:
        return f"{self.kind} has been in flight since {self.started}"


class ZonesUnknown(Message, frozen=True):
    """GKE could not read the operations of some zones."""

    zones: tuple[str, ...]

    def __str__(self) -> str:
        return f"GKE does not know what is in flight in {', '.join(self.zones)}"


class Reconciling(Message, frozen=True):
    """Cloud Run has not finished a change."""

    name: str

    def __str__(self) -> str:
        return f"Cloud Run is still applying a change of {self.name}"


class GroupsIncomplete(Message, frozen=True):
    """A node pool of which Compute Engine does not list every instance group."""

    def __str__(self) -> str:
        return "some of its instance groups are missing"


class OtherChangeFirst(Message, frozen=True):
    """Another pool of the cluster changes first."""

    name: str
    first: str

    def __str__(self) -> str:
        return f"{self.name}: its cluster does one operation at a time; first {self.first}"


# What a person should know


class PoolMissing(Message, frozen=True):
    """The settings name a pool that does not exist."""

    key: str
    name: str

    def __str__(self) -> str:
        return f"{self.key} is skipped: there is no {self.name}"


class ScalingModeChanged(Message, frozen=True):
    """A held pool is scaled by another field than the one that is held."""

    key: str
    hold: Hold

    def __str__(self) -> str:
        return f"{self.key}: a person changed how it scales; it is left alone, and was {originals(self.hold)}"


class ShouldBeOn(Message, frozen=True):
    """A signal keeps a pool on, or turns it on."""

    key: str
    why: Message

    def __str__(self) -> str:
        return f"{self.key} should be on because {self.why}"


class Resized(Message, frozen=True):
    """A person has resized a pool, which is respected for a time."""

    key: str
    current: dict[str, FieldValue]
    until: datetime
    state: str
    why: Message

    def __str__(self) -> str:
        fields = ", ".join(f"{field} is {value}" for field, value in self.current.items())
        return (
            f"{self.key}: resized by hand ({fields}); left alone until {format_time(self.until)}, "
            f"although it should be {self.state}: {self.why}"
        )


class NodesSaved(Message, frozen=True):
    """Why a time at zero is added to the savings."""

    nodes: int
    amount: float
    currency: str

    def __str__(self) -> str:
        return f"{self.nodes} nodes did not run, which saved {self.amount:.2f} {self.currency}"


class StockOut(Message, frozen=True):
    """Nodes were asked for and have not come: the reason is Google's own."""

    key: str
    asked: datetime
    minutes: int
    problem: str
    is_asked_again: bool

    def __str__(self) -> str:
        what = f"was asked for nodes at {format_time(self.asked)}, and has none after {self.minutes} minutes"
        request = "it is asked for them again" if self.is_asked_again else "the request is still open"
        return f"{self.key} {what}: {self.problem or 'Google gives no reason'}; {request}"


class KeptOnWithoutData(Message, frozen=True):
    """A pool that only missing data keeps on."""

    key: str
    since: datetime
    why: Message

    def __str__(self) -> str:
        return f"{self.key} has been kept on since {format_time(self.since)} by nothing but {self.why}"


def originals(hold: Hold) -> str:
    """The original state of a held pool, in words."""
    return ", ".join(f"{field} {held.original}" for field, held in sorted(hold.fields.items()))
