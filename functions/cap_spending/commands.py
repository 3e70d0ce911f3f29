"""The commands of `cap_spending`."""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from functions.cap_spending.settings import Settings, rung_name
from shared.errors import IgnoredMessage
from shared.events import Command, in_utc


class ForBudgets(Command, frozen=True, kw_only=True):
    """A command for one budget, or for all of them if none is named."""

    budget: str = ""


class Undo(ForBudgets, frozen=True, tag="undo"):
    """Restore everything now, and accept the overrun for this period: the next notification does not trip it again."""


class Accept(ForBudgets, frozen=True, kw_only=True, tag="accept"):
    """Accept one rung for this period: restore what it holds, and do not trip it again."""

    rung: str
    all_budgets: bool = False
    """For a rung that several budgets have, if no budget is named."""


class Snooze(ForBudgets, frozen=True, kw_only=True, tag="snooze"):
    """Start no new action before a time. What is in force stays."""

    until: datetime


class LinkBilling(Command, frozen=True, kw_only=True, tag="link_billing"):
    """Link a detached project to the billing account that it had."""

    project: str


class ForCap(Command, frozen=True, kw_only=True):
    """A command for one of `spend_caps`."""

    cap: str


class Lift(ForCap, frozen=True, tag="lift"):
    """Lift a spend cap that is enforced, until the next month."""


class Arm(ForCap, frozen=True, tag="arm"):
    """Arm a lifted spend cap, or create a deleted one again."""


class RemoveSpendCaps(Command, frozen=True, tag="remove_spend_caps"):
    """Delete Caretaker's spend caps, and create no more; `arm` creates one again."""


class Status(Command, frozen=True, tag="status"):
    """Show the state of each budget, and what is held."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if the settings have what it names. Raises ``IgnoredMessage`` with the valid names."""
    if isinstance(command, ForBudgets) and command.budget and command.budget not in settings.budgets:
        raise IgnoredMessage(f"no budget is called {command.budget!r}: there are {_listed(settings.budgets)}")
    if isinstance(command, ForCap) and command.cap not in settings.spend_caps:
        raise IgnoredMessage(f"no spend cap is called {command.cap!r}: there are {_listed(settings.spend_caps)}")
    match command:
        case Accept():
            return msgspec.structs.replace(command, rung=_known_rung(command, settings))
        case Snooze(until=until):
            return msgspec.structs.replace(command, until=in_utc(until, "until"))
    return command


def budgets_of(command: ForBudgets, settings: Settings) -> list[str]:
    """The keys of the budgets that a command is for."""
    return [command.budget] if command.budget else list(settings.budgets)


def _known_rung(accept: Accept, settings: Settings) -> str:
    """The rung's name as the settings spell it: ``actual@1.0`` is ``actual@1``."""
    known = {rung for key in budgets_of(accept, settings) for rung in settings.budgets[key].rungs}
    basis, _, at = accept.rung.partition("@")
    name = rung_name(basis, float(at)) if re.fullmatch(r"[0-9.]*[0-9]", at) and at.count(".") < 2 else accept.rung
    if name not in known:
        raise IgnoredMessage(f"no rung is called {accept.rung!r}: there are {_listed(sorted(known))}")
    having = [key for key in budgets_of(accept, settings) if name in settings.budgets[key].rungs]
    if len(having) > 1 and not accept.all_budgets:
        raise IgnoredMessage(f"{_listed(having)} have a rung {name}: name one with --budget, or say --all-budgets")
    return name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
