"""Things that need a person, and what would follow. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from report.picture import Attention, LastRun, Plan, Step
from report.sources import Sources
from report.words import change_words, counted, name_words, sentence_words, source_of, without_time
from shared.report import Outcome, Report, Upcoming
from shared.settings import Mode

MOST_STEPS = 8
FAR = timedelta(days=3650)


def attention_of(sources: Sources) -> Iterator[Attention]:
    """Alerts, changes that matter to the bill and failed, jobs that failed, automations that do not run."""
    for automation, report in sources.reports.items():
        source = source_of(automation)
        if report:
            yield from _of_report(report, source, sources)
        elif automation in sources.has_run:  # else it was just deployed
            yield _attention(sources, "has not run for two days", source, "run ./deploy.sh doctor", source, None)
    for job in sources.jobs:
        if job.has_failed:
            yield _attention(sources, "failed", job.job.replace("_", " "), job.why, "Jobs", job.at)


def _of_report(report: Report, source: str, sources: Sources) -> Iterator[Attention]:
    for alert in {alert.key: alert for alert in report.alerts}.values():
        subject = sources.name_of(alert.subject)
        yield _attention(sources, alert.title or alert.kind, subject, alert.reason, source, alert.since)
    for change in report.changes:
        if change.outcome is Outcome.FAILED and change.is_money:
            name = sources.name_of(change.target)
            yield _attention(sources, "a change failed", name, change.error, source, report.at)
    alerting = {alert.subject for alert in report.alerts}
    for unreadable in report.unreadable:
        if unreadable.resource not in alerting:
            name = sources.name_of(unreadable.resource)
            yield _attention(sources, "cannot be read", name, unreadable.error, source, report.at)


def _attention(  # noqa: PLR0917 - a row of a table
    sources: Sources, title: str, subject: str, reason: str, source: str, since: datetime | None
) -> Attention:
    return Attention(name_words(title), subject, sentence_words(sources.text(reason)), source, since)


def steps_of(sources: Sources) -> tuple[Step, ...]:
    """The next steps: first those with a time, in its order."""
    found = [
        Step(sources.name_of(one.subject), _what(one, sources), one.at, source_of(automation))
        for automation, report in sources.reports.items()
        if report
        for one in report.upcoming
        if "@" not in one.subject  # the ladder shows its rungs itself
    ]
    far = sources.now + FAR
    steps = sorted(found, key=lambda step: step.at or far)
    more = len(steps) - MOST_STEPS
    rest = (Step("", f"... and {counted(more, 'step')} more", None, ""),) if more > 0 else ()
    return (*steps[:MOST_STEPS], *rest)


def _what(one: Upcoming, sources: Sources) -> str:
    return sources.text(without_time(one.what) if one.at else one.what)


def plans_of(sources: Sources) -> Iterator[Plan]:
    """While observing: every change that the newest reports would make."""
    for automation, report in sources.reports.items():
        if report and report.mode is Mode.OBSERVE:
            for change in report.changes:
                if change.outcome is Outcome.OBSERVED:
                    name = sources.name_of(change.target)
                    follows = tuple(sources.text(text) for text in change.follows)
                    what = sources.text(change_words(msgspec.structs.replace(change, outcome=Outcome.APPLIED)))
                    yield Plan(name, what, sources.text(change.reason), follows, source_of(automation))


def last_runs(sources: Sources) -> Iterator[LastRun]:
    """The last run of each automation."""
    for automation, report in sources.reports.items():
        yield LastRun(source_of(automation), report.at if report else None)
