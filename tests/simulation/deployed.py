"""The deployment in a life: the owner's settings, and the permissions that go with them."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from infra.suite.automations import Entry
from infra.suite.scope import scope_of, union_of
from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.debts import Debt
from shared.errors import CaretakerError
from shared.settings import Configuration, parse
from shared.state import State
from tests.laws.harness import Authorize
from tests.laws.least_privilege import enforcing
from tests.simulation import world


class Deployed:
    """The settings in force, and the calls that each automation may make."""

    def __init__(
        self, entries: Mapping[str, Entry], automations: Mapping[str, AnyAutomation], clients: Clients
    ) -> None:
        self.owner: dict[str, Any] = world.owner()
        self._entries = entries
        self._automations = automations
        self._clients = clients
        self._settings: dict[str, Configuration[Any]] = {}
        self._grants: dict[str, Authorize] = {}

    def settings_of(self, name: str) -> Configuration[Any]:
        """The settings the function was deployed with."""
        if name not in self._settings:
            self._settings[name] = parse(self.owner, name, self._automations[name].section)
        return self._settings[name]

    def authorize(self, name: str) -> Authorize:
        """The check of each call of an automation: what its settings ask for is granted, and what its debts need."""
        if not self._grants:
            self._grant(self._debts())
        return self._grants[name]

    def edit(self, owner: dict[str, Any]) -> bool:
        """Deploy other settings; False if they are not valid, or lack the section of what holds something."""
        debts = self._debts()
        if any(debts[name] for name in debts.keys() - owner.keys()):
            return False
        try:
            for name in self._automations.keys() & owner.keys():
                parse(owner, name, self._automations[name].section)
        except CaretakerError:
            return False
        self.owner = copy.deepcopy(owner)
        self._settings = {}
        self._grant(debts)
        return True

    def _grant(self, debts: Mapping[str, Sequence[Debt]]) -> None:
        self._grants = {}
        for name in self._automations.keys() & self.owner.keys():
            entry = self._entries[name]
            asking: list[Any] = [self.owner[name], *(debt.asks_for for debt in debts[name])]
            self._grants[name] = enforcing(entry, union_of([scope_of(one, entry, world.HOME) for one in asking], entry))

    def _debts(self) -> dict[str, tuple[Debt, ...]]:
        documents = State(self._clients).read(*(f"records/{name}" for name in self._automations))
        return {
            name: document.as_type(automation.records).debts()
            for document, (name, automation) in zip(documents, self._automations.items(), strict=True)
        }
