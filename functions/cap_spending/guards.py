"""What stands before the changes of `cap_spending` that cannot simply be undone. Pure."""

from collections.abc import Iterable

from functions.cap_spending.changes import CapSpendingChange, DetachBilling
from functions.cap_spending.records import Occasion
from functions.cap_spending.world import World
from shared.plan import Guard, Plan, Refusal


def guards(occasion: Occasion, world: World) -> tuple[Guard[CapSpendingChange], ...]:
    """The guard of each kind of change that has one."""
    accounts = {project.name: project.account for project in world.projects}

    def may_be_detached(plan: Plan[CapSpendingChange]) -> Iterable[Refusal]:
        """Only a project linked to the very account of the budget; the suite's own only if that is said twice."""
        for change in plan.changes:
            if not isinstance(change, DetachBilling) or change.hold is None:
                continue
            budgets = [occasion.settings.budgets[name.split("/")[0]] for name in change.hold.held_by]
            project = change.target.removeprefix("projects/")
            ours = {f"billingAccounts/{budget.billing_account}" for budget in budgets}
            twice = {scope.even_the_suites_own_project for b in budgets if (scope := b.may_touch.detach_billing)}
            if accounts[change.target] not in ours:
                reason = f"{project} is linked to {accounts[change.target]}, which is not the account of this budget"
                yield Refusal(change.scope, "may_be_detached", reason)
            if project == occasion.project and project not in twice:
                reason = (
                    f"{project} is the project that Caretaker runs in, and would stop it too; to allow that, set "
                    f"`may_touch.detach_billing.even_the_suites_own_project: {project}`"
                )
                yield Refusal(change.scope, "may_be_detached", reason)

    return (may_be_detached,)
