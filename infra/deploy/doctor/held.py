"""Whether the settings would strand something that Caretaker holds."""

from collections.abc import Iterable

from infra.deploy.doctor.findings import CheckContext, Finding, ok, problem
from infra.deploy.held import stranded, with_debts


def held(context: CheckContext) -> Iterable[Finding]:
    """The holds of Caretaker. With these settings, someone must be left to give it back."""
    suite = with_debts(context.suite, context.target)
    found = stranded(suite)
    for one in found:
        yield problem(str(one), one.debt.undo)
    count = sum(map(len, suite.debts.values()))
    if count and not found:
        yield ok(f"{count} fields are held, and the automations that hold them are still configured")
