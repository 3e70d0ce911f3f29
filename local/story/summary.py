"""The story's summary: capped and restored, saved, rotated, pruned and previewed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from local.brief import name_of
from shared.report import ChangeReport, Outcome, Report

RESTORED_BY = {"PauseJob": "ResumeJob", "DetachBilling": "LinkBilling"}


def summary(reports: Iterable[Report], *, checks: int, wrong: int) -> list[tuple[str, str]]:
    """A label and a sentence for each part, counted from the reports of all runs."""
    listed = list(reports)
    changes = [change for report in listed for change in report.changes if change.outcome is Outcome.APPLIED]
    count = Counter(change.kind for change in changes)
    parts = [
        ("spending", _spending(changes)),
        ("GPU pools", _pools(changes)),
        ("secrets", _secrets(changes, count)),
        ("previews", f"{count['DeployPreview']} deployed, {count['DeletePreview']} deleted"),
        ("backups", _backups(changes, listed)),
        ("failures", f"{sum(report.outcome is Outcome.FAILED for report in listed)} runs failed and were repeated"),
        ("checks", f"{checks - wrong} of {checks} end states are as expected"),
    ]
    return [(label, words) for label, words in parts if words]


def _spending(changes: list[ChangeReport]) -> str:
    caps: dict[str, list[ChangeReport]] = {}
    for change in changes:
        if change.kind == "SetMaxInstances":
            caps.setdefault(name_of(change), []).append(change)
    paused = {name_of(one) for one in changes if one.kind == "PauseJob"}
    detached = {name_of(one) for one in changes if one.kind == "DetachBilling"}
    restored = {name_of(one) for one in changes if one.kind in RESTORED_BY.values()}
    by_hand = [f"{name} stays at {of[-1].after}" for name, of in caps.items() if _differs(of)]
    kept = [f"{name} is not" for name in sorted((paused | detached) - restored)]
    exceptions = f", but {', '.join((*by_hand, *kept))}" if by_hand or kept else ""
    return (
        f"capped {len(caps)} services, paused {len(paused)} jobs, detached {len(detached)} project from billing;"
        f" all restored{exceptions}"
    )


def _differs(of_one: list[ChangeReport]) -> bool:
    """Whether a service ended at another maximum than it began with."""
    return of_one[0].before != of_one[-1].after


def _pools(changes: list[ChangeReport]) -> str:
    saved: dict[str, float] = {}
    for change in changes:
        saved[change.currency] = saved.get(change.currency, 0.0) + change.saved
    amounts = ", ".join(f"{amount:.2f} {currency}" for currency, amount in saved.items() if currency)
    off = sum(change.kind == "Resize" and change.after == "0" for change in changes)
    against = "against the pool's own hours and autoscaler" if amounts else ""
    return f"to zero {_times(off)}, and restored; saved {amounts or 'nothing'} {against}".rstrip()


def _secrets(changes: list[ChangeReport], count: Counter[str]) -> str:
    rotated = Counter(name_of(change) for change in changes if change.kind == "Finish")
    each = ", ".join(f"{name} {'once' if times == 1 else _times(times)}" for name, times in rotated.items())
    return f"rotated {each or 'none'}; {count['TakeBack']} rolled back because a service did not start"


def _backups(changes: list[ChangeReport], reports: list[Report]) -> str:
    deleted, restored = (_total(changes, kind) for kind in ("DeleteBackups", "RestoreBackups"))
    refused = sum(len(report.refusals) for report in reports if report.automation == "prune_backups")
    return f"{deleted} deleted, {restored} restored on request; deleting was refused {_times(refused)}"


def _times(count: int) -> str:
    return f"{count} time{'' if count == 1 else 's'}"


def _total(changes: Iterable[ChangeReport], kind: str) -> int:
    return sum(change.count for change in changes if change.kind == kind)


def reading(*, is_verbose: bool) -> Iterator[str]:
    """The next commands to run and pages to read."""
    if not is_verbose:
        yield "./deploy.sh local --verbose    every event, plan, change and reason"
    yield "./deploy.sh local --serve      an empty local cloud to try your own settings on (docs/local-cloud.md)"
    yield "./deploy.sh init               settings for your own project (docs/deploy.md)"
