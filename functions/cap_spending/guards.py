"""Guards on the changes of `cap_spending` that cannot simply be undone. Pure."""

from collections.abc import Iterable

from functions.cap_spending.cap_changes import MAY_BE_CAPPED, ArmCap, CapChange, CreateCap, SetCapAmount
from functions.cap_spending.changes import CapSpendingChange, DetachBilling
from functions.cap_spending.messages import CapWouldStopCaretaker
from functions.cap_spending.records import Context
from functions.cap_spending.settings import Budget
from functions.cap_spending.spend_caps import RUNNING_CARETAKER, parts_of
from functions.cap_spending.world import AMOUNT, BillingOf, ProjectBilling
from shared.decision import Refusal
from shared.world import World

MAY_BE_DETACHED = "may_be_detached"


def may_be_detached(context: Context, world: World, changes: tuple[CapSpendingChange, ...]) -> Iterable[Refusal]:
    """Only a project linked to the account of the budget; the suite's own only if the settings name it twice."""
    for change in changes:
        if not isinstance(change, DetachBilling) or change.hold is None:
            continue
        budgets = [budget for name in change.hold.held_by if (budget := _budget_of(name, context))]
        project, seen = change.target.removeprefix("projects/"), world.get(BillingOf(change.target))
        account = seen.account if isinstance(seen, ProjectBilling) else "an account that could not be read"
        if account not in {f"billingAccounts/{budget.billing_account}" for budget in budgets}:
            reason = f"{project} is linked to {account}, which is not the account of this budget"
            yield Refusal(change.scope, MAY_BE_DETACHED, reason)
        allowed = {scope.even_the_suites_own_project for one in budgets if (scope := one.may_touch.detach_billing)}
        if project == context.project and project not in allowed:
            reason = (
                f"{project} is the project that Caretaker runs in, and would stop it too; to allow that, set "
                f"`may_touch.detach_billing.even_the_suites_own_project: {project}`"
            )
            yield Refusal(change.scope, MAY_BE_DETACHED, reason)


def may_be_capped(context: Context, world: World, changes: tuple[CapSpendingChange, ...]) -> Iterable[Refusal]:
    """Cloud Run and its functions in the suite's own project only if the settings name it twice."""
    del world
    for change in changes:
        if not isinstance(change, CreateCap | SetCapAmount | ArmCap) or _is_given_back(change):
            continue
        _, project, service = parts_of(change.target)
        rungs = change.hold.held_by if change.hold else ()
        scopes = [
            scope for name in rungs if (one := _budget_of(name, context)) and (scope := one.may_touch.pause_usage)
        ]
        kept = [cap for cap in context.settings.spend_caps.values() if cap.name == change.target and not change.hold]
        allowed = {one.even_the_suites_own_project for one in scopes}
        allowed |= {one.even_the_suites_own_project for one in kept}
        if project == context.project and service in RUNNING_CARETAKER and project not in allowed:
            yield Refusal(change.scope, MAY_BE_CAPPED, str(CapWouldStopCaretaker(project, service)))


def _is_given_back(change: CapChange) -> bool:
    """Whether a cap that a rung has lowered gets its own amount again."""
    return change.hold is not None and change.hold.fields[AMOUNT].original == change.after


def _budget_of(rung: str, context: Context) -> Budget | None:
    return context.settings.budgets.get(rung.split("/", maxsplit=1)[0])
