"""Whether a rotation could move what uses the secrets: reported before one begins."""

from collections.abc import Iterable

from functions.rotate_secrets.movability import Movability, movabilities
from functions.rotate_secrets.settings import Settings
from infra.deploy.doctor.findings import CheckContext, Finding, ok, problem, warning
from shared.settings import parse

AUTOMATION = "rotate_secrets"


def dependents_of_secrets(context: CheckContext) -> Iterable[Finding]:
    """The dependents of each secret that is rotated, and those that cannot be moved, such as images by tag."""
    if AUTOMATION not in context.suite.owner:
        return
    settings = parse(context.suite.owner, AUTOMATION, Settings).section
    for one in movabilities(settings, context.target.clients, context.target.now()):
        if not context.is_missing(_project_of(one.secret)):  # or else reported by `secrets`
            yield from _dependents(one, context)


def _dependents(one: Movability, context: CheckContext) -> Iterable[Finding]:
    if one.is_managed:
        yield ok(f"{one.secret} is rotated by Google (managed rotation): rotate_secrets leaves it alone")
        return
    for unreadable in one.unreadable:
        if not context.is_missing(_project_of(unreadable.resource)):
            fix = "dependents_in in caretaker.yaml: places that exist, with Cloud Run"
            yield problem(f"dependents of {one.secret}: {unreadable}", fix)
    for name, why in one.not_movable.items():
        fix = f"deploy it by digest, or allow it under rotate_secrets.secrets.{one.key} in caretaker.yaml"
        if one.movable:
            yield warning(f"{name} keeps its version of {one.secret}: {why}", fix)
        else:
            yield problem(f"{one.secret} is not rotated, as {name} cannot be moved: {why}", fix)
    if one.movable:
        count = len(one.movable)
        yield ok(f"{one.secret}: {count} {'dependent' if count == 1 else 'dependents'} can be moved")
    elif not one.not_movable and not one.unreadable:
        yield ok(f"{one.secret}: nothing in dependents_in refers to it")


def _project_of(name: str) -> str:
    return name.split("/")[1]
