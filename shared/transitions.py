"""The difference between two records: for the history, and the beginning and end of alerts. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from shared.automation import ChangeT, Records, RecordsT
from shared.decision import Alert, Decision
from shared.events import Command, Dated
from shared.moments import AlertBegan, AlertEnded, Commanded, Moment, Owed, Paid

TITLES = {
    "unreadable_record": "a record of another version",
    "held_while_observing": "still changed, while only observing",
    "held_unreadable": "still changed, and cannot be read",
    "records_nearly_full": "records are nearly full",
}
"""The titles of the engine's own alerts."""


def moments_between(before: Records, after: Records, alerts: Iterable[Alert], now: datetime) -> Iterator[Moment]:
    """Debts that are new, in another state or paid; alerts that began or ended; and what the automation adds."""
    owed = {debt.key: debt for debt in before.debts()}
    owing = {debt.key: debt for debt in after.debts()}
    for key, debt in owing.items():
        known = owed.get(key)
        if known is None or (known.state, known.by_hand, known.applied) != (debt.state, debt.by_hand, debt.applied):
            yield Owed(at=now, debt=debt.without_needs())
    for key in sorted(owed.keys() - owing.keys()):
        yield Paid(at=now, debt=owed[key].without_needs())
    current = {alert.key: alert for alert in alerts}
    for began in sorted(after.alerting.keys() - before.alerting.keys()):
        if alert := current.get(began):
            yield AlertBegan(at=now, alert=alert.kind, subject=alert.subject, title=alert.title, reason=alert.reason)
    for ended in sorted(before.alerting.keys() - after.alerting.keys()):
        kind, _, subject = ended.partition("/")
        yield AlertEnded(at=now, alert=kind, subject=subject)
    yield from after.moments_since(before)


def with_dated_alerts(
    decision: Decision[RecordsT, ChangeT], titles: Mapping[str, str], now: datetime, *, is_all: bool
) -> Decision[RecordsT, ChangeT]:
    """The decision with its alerts titled, and since when they are reported, which its records remember.

    An alert ends only if the run has looked at everything (``is_all``): others see but their own subject.
    """
    known = decision.records.alerting
    alerts = tuple(
        msgspec.structs.replace(
            alert,
            title=titles.get(alert.kind) or TITLES.get(alert.kind) or alert.kind.replace("_", " "),
            since=known.get(alert.key, now),
        )
        for alert in decision.alerts
    )
    current = {alert.key: alert.since or now for alert in alerts}
    alerting = dict(sorted((current if is_all else {**known, **current}).items()))
    records = decision.records
    if alerting != known:
        records = msgspec.structs.replace(records, alerting=alerting)
    return msgspec.structs.replace(decision, records=records, alerts=alerts)


def without_alerting(records: RecordsT) -> RecordsT:
    """Records besides when alerts began, which no decision depends on."""
    return msgspec.structs.replace(records, alerting={})


def commanded(event: Dated[object], sent_by: str) -> Iterator[Commanded]:
    """That a person asked for something, if that is what the event is."""
    command = event.event
    if isinstance(command, Command):
        given = {name: getattr(command, name) for name in command.__struct_fields__}
        arguments = {name: str(value) for name, value in given.items() if value not in ("", None)}
        yield Commanded(at=event.published, command=type(command).__name__, arguments=arguments, sent_by=sent_by)
