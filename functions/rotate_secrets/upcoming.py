"""The next steps for secrets, each with its time where that is known. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from functions.rotate_secrets.messages import (
    DueAt,
    Follow,
    KeptUntil,
    MoreToMove,
    ReadByAll,
    RetiredWhen,
    StartsWhen,
    WindowOpens,
)
from functions.rotate_secrets.secret_decision import SecretDecision
from functions.rotate_secrets.view import SecretView
from shared.decision import Message, Next


def upcoming(seen: Iterable[tuple[SecretView, SecretDecision]], later: int, at_once: int) -> Iterator[Next]:
    """The next step for each secret, and the number of dependents that wait for `at_once`."""
    for view, decision in seen:
        if decision.next:
            yield Next(view.key, decision.next, _moment_of(decision.next))
    if later:
        yield Next("", MoreToMove(later, at_once))


def _moment_of(message: Message) -> datetime | None:
    match message:
        case DueAt(at=at) | ReadByAll(at=at) | KeptUntil(until=at):
            return at
        case StartsWhen(when=WindowOpens() as opens) | RetiredWhen(when=opens) | Follow(when=opens):
            return opens.at
    return None
