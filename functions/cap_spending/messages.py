"""The messages of `cap_spending` as typed values: all of its wording besides the replies to commands."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from functions.cap_spending.settings import Action, Rung
from functions.cap_spending.spend_caps import parts_of
from shared.decision import Message
from shared.world import Unreadable

ALERT_TITLES: Mapping[str, str] = {
    "budget_missing": "the budget was deleted",
    "budget_period_ended": "the budget's period is over",
    "budget_silent": "the budget does not notify any more",
    "matches_nothing": "a name in the settings matches nothing",
    "held_without_settings": "still detached, and in no settings",
    "spend_cap_enforced": "usage is paused by a spend cap",
    "spend_cap_deleted": "a spend cap was deleted",
    "spend_cap_changed": "a spend cap was changed by hand",
}
"""By kind of alert, what it is called to a person."""


def percent(ratio: Decimal) -> str:
    """A ratio as people say it: 1.125 is ``112.5 %``."""
    return f"{ratio * 100:.1f}".removesuffix(".0") + " %"


class CostReached(Message, frozen=True):
    """An `actual` rung is passed."""

    cost: Decimal
    rung: Rung
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        threshold = _threshold(self.rung, self.amount, self.currency)
        return f"cost has reached {self.cost:.2f} {self.currency}, past {threshold}"


class ForecastReached(Message, frozen=True):
    """A `forecast` rung is passed."""

    rung: Rung
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"Google forecasts more than {_threshold(self.rung, self.amount, self.currency)}"


class ProjectionReached(Message, frozen=True):
    """A `projected` rung is passed."""

    burn: float
    rung: Rung
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        threshold = _threshold(self.rung, self.amount, self.currency)
        return f"at {self.burn:g} {self.currency} an hour, cost has passed {threshold}"


class AnomalyReported(Message, frozen=True):
    """A cost anomaly, which may pass an `anomaly` rung."""

    resource: str
    detected: date
    deviation: Decimal
    currency: str

    def __str__(self) -> str:
        than = "above" if self.deviation >= 0 else "below"
        amount = f"{abs(self.deviation):.2f} {self.currency}"
        return f"Google reports a cost anomaly of {self.detected} in {self.resource}: {amount} {than} what it expected"


WhyPassed = CostReached | ForecastReached | ProjectionReached | AnomalyReported


def _threshold(rung: Rung, amount: Decimal, currency: str) -> str:
    return f"{percent(rung.ratio)} of {amount:.2f} {currency}"


class HeldBy(Message, frozen=True):
    """Why a resource is capped: the first reason, and the rungs that ask for it."""

    why: Message
    rungs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.why} ({', '.join(self.rungs)})"


class StaysDetached(Message, frozen=True):
    """Why a detached project is not linked when its rung no longer asks for that."""

    def __str__(self) -> str:
        return "only a command links a detached project again"


class RestrictedBecause(Message, frozen=True):
    """Why the spending restrictions change."""

    why: tuple[Message, ...]

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(map(str, self.why))) or "no rung asks for any"


class CloudRunIsPaused(Message, frozen=True):
    """Why the spending restrictions name a project: a spend cap is enforced on Cloud Run there."""

    project: str

    def __str__(self) -> str:
        return f"a spend cap has paused Cloud Run in {self.project}"


class WouldObey(Message, frozen=True):
    """The automations that enforce a spending restriction."""

    restriction: str
    automations: tuple[str, ...]

    def __str__(self) -> str:
        verb = "enforces" if len(self.automations) == 1 else "enforce"
        return f"{', '.join(self.automations)} then {verb} {self.restriction}"


class InDetachedProject(Message, frozen=True):
    """A held resource whose project has no billing: Google's APIs answer nothing about it."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} can be restored only after billing is linked again: its project is detached"


class DetachingWaits(Message, frozen=True):
    """A project is not detached yet, because something in it that should be capped first could not be read."""

    project: str
    unreadable: Unreadable

    def __str__(self) -> str:
        return f"detaching {self.project} waits up to ten minutes: {self.unreadable}"


class HeldUpByMinimum(Message, frozen=True):
    """A service cannot be limited as far as the settings ask."""

    name: str
    minimum: int

    def __str__(self) -> str:
        return (
            f"{self.name} has a minimum of {self.minimum} instances, so it cannot be limited further; lower the minimum"
        )


class ScalingModeChanged(Message, frozen=True):
    """A person has changed how a held service scales, so what is held no longer limits it."""

    name: str
    field: str

    def __str__(self) -> str:
        return f"{self.name}: a person changed its scaling mode; left alone until another rung limits {self.field}"


class CannotBePaused(Message, frozen=True):
    """A job in UPDATE_FAILED: only an enabled one can be paused, and Google does not say that this one no longer runs.

    https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1
    """

    name: str

    def __str__(self) -> str:
        return f"{self.name} cannot be paused because its last update failed; update it until that succeeds"


class RungAhead(Message, frozen=True):
    """The actions of a rung that is not passed yet, and the cost at which they start."""

    rung: Rung
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        actions: tuple[Action, ...] = self.rung.do
        cost = f"{self.rung.ratio * self.amount:.2f} {self.currency}"
        return f"{', '.join(actions)} at {cost} ({percent(self.rung.ratio)})"


class CapAsSettings(Message, frozen=True):
    """Why a spend cap is made or changed."""

    def __str__(self) -> str:
        return "the settings ask for it"


class CapNotInSettings(Message, frozen=True):
    """Why a spend cap is deleted."""

    def __str__(self) -> str:
        return "no setting asks for it any more"


class CapRequested(Message, frozen=True):
    """Why a spend cap is lifted or armed."""

    command: str

    def __str__(self) -> str:
        return f"requested: {self.command}"


class CapEnforced(Message, frozen=True):
    """Google has paused the usage that a spend cap is for."""

    key: str
    name: str
    amount: str
    currency: str

    def __str__(self) -> str:
        _, project, service = parts_of(self.name)
        return (
            f"{service} is paused in {project}, as its cost has reached {self.amount} {self.currency}, before credits: "
            f"until the next month, or `./deploy.sh send cap_spending lift --cap {self.key}`"
        )


class CapGone(Message, frozen=True):
    """A spend cap that is kept does not exist any more."""

    key: str
    name: str

    def __str__(self) -> str:
        return (
            "a person has deleted it, renamed its budget, or removed its cap: it is not created again before "
            f"`./deploy.sh send cap_spending arm --cap {self.key}`"
        )


class CapChangedByPerson(Message, frozen=True):
    """A spend cap that is kept is not as the settings have it."""

    key: str
    fields: tuple[str, ...]
    found: str
    wanted: str

    def __str__(self) -> str:
        what = ", ".join(self.fields) or "currency"
        return (
            f"a person has changed its {what}: it caps {self.found}, and the settings {self.wanted}; left alone until "
            f"the settings change, or `./deploy.sh send cap_spending arm --cap {self.key}`"
        )


class CapWouldStopCaretaker(Message, frozen=True):
    """Why a spend cap is refused in the project of the suite."""

    project: str
    service: str

    def __str__(self) -> str:
        return (
            f"{self.project} is the project that Caretaker runs in, and capping {self.service} there can stop it too; "
            f"to allow that, set `even_the_suites_own_project: {self.project}` beside it"
        )
