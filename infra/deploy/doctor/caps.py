"""Whether a spend cap of Google's could stop Caretaker itself."""

from collections.abc import Iterable

from functions.cap_spending.cap_cloud import capped_budgets
from functions.cap_spending.settings import Settings
from functions.cap_spending.spend_caps import IDS, RUNNING_CARETAKER, cap_name, title_of
from infra.deploy.doctor.findings import CheckContext, Finding, ok, warning
from shared.settings import parse


def caps_on_the_suite(context: CheckContext) -> Iterable[Finding]:
    """Spend caps in the suite's own project, on what Caretaker runs on."""
    if "cap_spending" not in context.suite.owner:
        return
    section = parse(context.suite.owner, "cap_spending", Settings).section
    project, clients = context.suite.deployment.project, context.target.clients
    accounts = {one.billing_account for one in section.budgets.values()}
    accounts |= {one.billing_account for one in section.spend_caps.values()}
    services = {IDS[service]: service for service in RUNNING_CARETAKER}
    found = False
    for account in sorted(accounts):
        ours = {title_of(cap_name(account, project, service), project) for service in RUNNING_CARETAKER}
        for budget in capped_budgets(f"billingAccounts/{account}", project, clients):
            for service in sorted(services[one] for one in budget.budget_filter.services if one in services):
                if budget.display_name not in ours:
                    found = True
                    yield warning(
                        f"the budget {budget.display_name!r} caps {service} in {project}: once it is enforced,"
                        " Caretaker stops too",
                        f"gcloud billing budgets delete {budget.name.rpartition('/')[2]} --billing-account={account},"
                        " or move what it caps to another project",
                    )
    if not found:
        yield ok(f"no other spend cap in {project} can stop Caretaker")
