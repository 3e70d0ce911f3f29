"""Deploys the suite to the local cloud, which Terraform does not reach: the same bundles, settings and map."""

from collections.abc import Callable

import msgspec

from infra.deploy.bundle import write_bundles
from infra.deploy.changes import ACTIONS, Change, changes, summary
from infra.deploy.provisioning import carry_out, database, existing
from infra.deploy.resources import Function, resources_of
from infra.deploy.target import Target
from infra.deploy.terraform import NotDeployed
from infra.suite.deployment import Suite


class LocalDeployment(msgspec.Struct):
    """The suite on the local cloud, as `Terraform` is the one in a project."""

    suite: Suite
    target: Target
    say: Callable[[str], None]
    _changes: tuple[Change, ...] = ()
    _functions: list[Function] = []

    def plan(self, *, destroy: bool = False) -> bool:
        """Show what would change, and keep it to be applied. Returns whether anything would."""
        deployment, target = self.suite.deployment, self.target
        for key in () if destroy else deployment.budgets:
            raise NotDeployed(f"budgets.{key}: no budget is made on the local cloud, so set its id in caretaker.yaml")
        bundles = {name: path.name for name, path in write_bundles(self.suite.automations).items()}
        desired = (
            () if destroy else resources_of(self.suite, bundles, lambda name: f"{target.functions_endpoint}/{name}")
        )
        there = existing(target.clients, target.project, deployment.region, {one.name for one in desired})
        goes_too = destroy and not deployment.keep_state_on_destroy
        remembered = database(target.clients, target.project) if goes_too else ()
        self._changes = changes([*remembered, *there], desired)
        self._functions = [one for one in desired if isinstance(one, Function)]
        for change in self._changes:
            self.say(f"  {change}")
        self.say(summary(self._changes) or "no changes")
        return bool(self._changes)

    def planned(self) -> list[dict[str, str]]:
        """The plan that was shown, for a program."""
        return [
            {
                "action": ACTIONS[change.action],
                "kind": type(change.resource).__name__,
                "name": change.resource.name,
                "reason": change.reason,
            }
            for change in self._changes
        ]

    def apply(self) -> None:
        """Apply the plan that was shown. What was applied before something failed remains: run it again."""
        carry_out(self.target.clients, self._changes, self._functions)
