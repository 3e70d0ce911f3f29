"""A run in one line, for a reader of the story: what it changed, in the words of the people who own it."""

import re
from collections.abc import Iterator, Sequence

from shared.report import ChangeReport, Outcome, Report

LONGEST = 110
"""Characters of an explanation."""
HIDDEN = frozenset({"CreateDeployment", "SetDeploymentStatus", "Finish", "GiveUp", "Adopt", "Promote"})
"""Intermediate steps of something that another change of the same run shows."""
VERBS = {
    "PauseJob": "paused",
    "ResumeJob": "resumed",
    "DetachBilling": "detached billing of",
    "LinkBilling": "linked billing of",
    "CreateCap": "spend cap on",
    "LiftCap": "lifted the spend cap on",
    "DeployPreview": "deployed",
    "DeletePreview": "deleted",
    "AddVersion": "new version of",
    "SetValue": "new password set in",
    "Roll": "redeployed",
    "TakeBack": "rolled back",
    "Retire": "disabled the old version of",
}
"""Kinds of changes whose name is clear enough."""
FIELDS = {"SetMaxInstances": "max instances of", "SetAutoscaling": "autoscaling of", "Resize": "nodes of"}
"""Kinds of changes of which a reader wants to know the values."""
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def brief_lines(report: Report) -> list[tuple[str, str]]:
    """A label and a text for each thing that a reader of the story needs of a run; none if it changed nothing."""
    lines: list[tuple[str, str]] = []
    for outcome in (Outcome.FAILED, Outcome.APPLIED):
        changes = [change for change in report.changes if change.outcome is outcome and change.kind not in HIDDEN]
        if words := "; ".join(_grouped(changes)):
            error = f" ({_first_sentence(changes[0].error)})" if outcome is Outcome.FAILED else ""
            lines.append((outcome, f"{report.automation}: {words}{error}"))
    if report.outcome is Outcome.IGNORED:
        lines.append((report.outcome, f"{report.automation}: {report.why.partition(': ')[0]} message"))
    lines += [("refused", f"{report.automation}: {one.scope}: {one.reason}") for one in report.refusals]
    return lines


def brief_alerts(report: Report) -> list[tuple[str, str]]:
    """The subject and title of each alert that begins in a run; refusals that are alerts too are left out."""
    refused = {refusal.reason for refusal in report.refusals}
    begun = [one for one in report.alerts if one.since == report.at and one.reason not in refused]
    return [(one.subject.rpartition("/")[2], one.title or one.kind) for one in begun]


def _grouped(changes: Sequence[ChangeReport]) -> Iterator[str]:
    """Changes of a kind side by side, such as ``paused batch-import, batch-report``."""
    kinds: dict[str, list[ChangeReport]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    for kind, of_kind in kinds.items():
        names = dict.fromkeys(name_of(change) for change in of_kind)
        if kind in FIELDS:
            values = [f"{name_of(one)} {one.before or 'none'} -> {one.after}" for one in of_kind]
            yield f"{FIELDS[kind]} {', '.join(values)}"
        elif kind in VERBS:
            yield f"{VERBS[kind]} {', '.join(names)}"
        else:
            yield _special(kind, of_kind[0], of_kind[-1])


def _special(kind: str, first: ChangeReport, last: ChangeReport) -> str:
    if kind == "Notify":
        return f"notified: {first.reason.removeprefix('cost has reached ')}"
    if kind == "SetRestrictions":
        return f"spending restrictions: {last.after}"
    if kind == "RecordSaving":
        return f"{first.saved:.2f} {first.currency} saved"
    if kind == "WriteComment":
        return f"comment: {last.after}"
    if first.count > 1:
        return f"{_spaced(kind)} of {name_of(first)}: {first.count}"
    return f"{_spaced(kind)} {name_of(first)}"


def name_of(change: ChangeReport) -> str:
    """The short name of what a change is about."""
    return change.target.rpartition("/")[2].partition(",")[0]


def _spaced(kind: str) -> str:
    return WORDS.sub(" ", kind).lower()


def _first_sentence(text: str) -> str:
    """As much of an explanation as fits into a line."""
    short = text.partition(". ")[0]
    return short if len(short) <= LONGEST else f"{short[: LONGEST - 3]}..."
