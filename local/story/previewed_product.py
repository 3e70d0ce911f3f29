"""The example product in the images of the previews' story, with the database that its previews share."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.story.databases import Databases
from local.story.player import Player
from local.suite import Suite
from localcloud.run.rules import address

if TYPE_CHECKING:
    from shared.connections import Answer

PARENT = "projects/my-product-previews/locations/europe-west1"
ORDER = '{"item": "tea", "quantity": 2}'


def with_database(owner: Mapping[str, object], variables: Mapping[str, str]) -> dict[str, object]:
    """The owner's settings, with the variables of the previews' database, which holds nothing of value."""
    section: Any = owner["manage_previews"]
    repositories = {
        name: repository | {"env": repository["env"] | variables}
        for name, repository in section["repositories"].items()
    }
    return {**owner, "manage_previews": {**section, "repositories": repositories}}


class PreviewedProduct:
    """The answers of previews, if they have a database; otherwise the console says so once."""

    def __init__(self, player: Player, suite: Suite, databases: Databases | None, service_id: str) -> None:
        self._player = player
        self._suite = suite
        self._is_there = databases is not None
        self._address = address(PARENT, service_id)
        if databases:
            databases.made.result()
        else:
            said = "what previews answer, 4 skipped: PostgreSQL is not installed, so nothing runs in them"
            player.console.say("skipped", said, "yellow")

    def orders(self) -> None:
        """A visitor places an order on the preview."""
        if self._is_there:
            self._player.console.detail("event", "a visitor places an order on the preview")
            self._ask("POST", "/orders", ORDER)

    def check(self, expected: str) -> None:
        """Hold what the preview answers at its address against what it should."""
        if self._is_there:
            self._player.check("what its address answers", self._health, expected)

    def _health(self) -> str:
        """The commit that it reports, and its orders; or else the status code of its response."""
        health = self._ask("GET", "/health")
        if health.status != 200:
            return str(health.status)
        orders = json.loads(self._ask("GET", "/orders").content)
        return f"commit {json.loads(health.content)['commit']}, orders: {len(orders)}"

    def _ask(self, verb: str, path: str, body: str = "") -> "Answer":
        headers = {"Content-Type": "application/json"}
        return self._suite.clients.send(verb, f"{self._address}{path}", content=body.encode(), headers=headers)
