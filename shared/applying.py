"""Making the changes of a decision, a few at a time: what came of each, for the report and for the records."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Generic

import msgspec

from shared.automation import Answered, Automation, ChangeT, EventT, RecordsT, SectionT
from shared.clients import Clients
from shared.decision import Message, Text
from shared.errors import Refused, StillBusy, cloud_errors, in_words
from shared.report import ChangeReport, Outcome, change_report
from shared.world import NeedT

TIME_IS_UP = Text("time is up; the next run continues")
LEASE_LOST = Text("another run has taken over the lease, and continues")


class Attempt(msgspec.Struct, Generic[ChangeT], frozen=True):
    """One change, and what came of it."""

    change: ChangeT
    report: ChangeReport
    answer: Answered | Exception | None = None
    """The answer or error, for ``learn``."""
    notices: tuple[str, ...] = ()

    @property
    def is_applied(self) -> bool:
        """Whether it was made."""
        return self.report.outcome is Outcome.APPLIED

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to do about it."""
        return self.report.outcome in (Outcome.APPLIED, Outcome.REFUSED)


class Attempts(Generic[SectionT, EventT, RecordsT, NeedT, ChangeT]):
    """All the changes that one run makes, and what came of each."""

    def __init__(self, automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT], clients: Clients) -> None:
        self._automation = automation
        self._clients = clients
        self._settled: set[str] = set()
        """The changes of which nothing more is to be done, in words."""
        self.reports: list[ChangeReport] = []
        """The outcome of each change so far, also for the report of a run that fails."""

    def make(self, changes: Sequence[ChangeT], obstacle: Callable[[], Message | None]) -> tuple[Attempt[ChangeT], ...]:
        """Apply changes in parallel, and note what came of each; those that were made before have not lasted.

        ``obstacle`` says before each of them why this run may begin no more.
        """
        repeated = [change for change in changes if str(change) in self._settled]
        self.reports += [
            change_report(change, Outcome.FAILED, "it was applied, but did not last") for change in repeated
        ]
        fresh = [change for change in changes if change not in repeated]
        made = self._clients.in_parallel(lambda change: _not_begun(change, obstacle) or self._make(change), fresh)
        attempts = tuple(made)
        self.reports += [one.report for one in attempts]
        self._settled |= {str(one.change) for one in attempts if one.is_settled}
        return attempts

    def _make(self, change: ChangeT) -> Attempt[ChangeT]:
        try:
            answer = self._automation.apply(change, self._clients)
        except StillBusy as busy:
            return Attempt(change, change_report(change, Outcome.WAITING, str(busy)))
        except Refused as refused:
            return Attempt(change, change_report(change, Outcome.REFUSED, str(refused)), refused)
        except cloud_errors() as error:
            return Attempt(change, change_report(change, Outcome.FAILED, in_words(error)), error)
        report = change_report(change, Outcome.APPLIED)
        if isinstance(answer, Answered):
            return Attempt(change, report, answer)
        return Attempt(change, report, notices=tuple(in_lines(answer or ())))


def _not_begun(change: ChangeT, obstacle: Callable[[], Message | None]) -> Attempt[ChangeT] | None:
    """Why a change is not begun: nothing was tried, so nothing can be learned from it."""
    try:
        why = obstacle()
    except cloud_errors() as error:
        return Attempt(change, change_report(change, Outcome.FAILED, in_words(error)))
    return Attempt(change, change_report(change, Outcome.WAITING, str(why))) if why else None


def learned(
    automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
    records: RecordsT,
    attempts: Iterable[Attempt[ChangeT]],
    now: datetime,
) -> RecordsT:
    """The records with what the outcomes of changes say."""
    for attempt in attempts:
        if attempt.answer is not None:
            records = automation.learn(records, attempt.change, attempt.answer, now)
    return records


def in_lines(messages: Iterable[Message | str]) -> list[str]:
    """Messages in words."""
    return [str(message) for message in messages]
