"""Names of changes, actions, automations and amounts on the page."""

import math
import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.debts import Debt
from shared.errors import presentable, shortened
from shared.report import ChangeReport, Outcome

SOURCES = {
    "cap_spending": "Spending",
    "scale_gpu_pools": "GPU pools",
    "rotate_secrets": "Secrets",
    "prune_backups": "Backups",
    "manage_previews": "Previews",
    "receive_github": "GitHub",
    "notify_chat": "Chat",
}
ACTIONS = {
    "notify": "notify",
    "gpu_pools_off": "GPU pools off",
    "previews_off": "previews off",
    "pause_schedules": "schedules paused",
    "limit_cloud_run": "Cloud Run limited",
    "pause_usage": "usage paused",
    "detach_billing": "projects detached from billing",
}
COMMANDS = {"LinkBilling": "link billing", "RollBack": "roll back"}
MINOR = frozenset({"WriteComment", "CreateDeployment", "SetDeploymentStatus", "Promote", "Adopt", "Finish", "SetValue"})
"""Kinds of changes that are steps of others, which the page shows."""
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def source_of(automation: str) -> str:
    """The name of an automation or a job."""
    return SOURCES.get(automation, automation.replace("_", " ").capitalize())


def action(name: str) -> str:
    """The name of an action of a rung."""
    return ACTIONS.get(name, name.replace("_", " "))


def command(name: str) -> str:
    """The name of a command, by the name of its type."""
    return COMMANDS.get(name, spaced(name))


def spaced(name: str) -> str:
    """The words of a name in capitals: ``DeployPreview`` is ``deploy preview``."""
    return _CAPITALS.sub(" ", name).lower()


def listed(words: Iterable[str]) -> str:
    """Words in a row: ``a, b and c``."""
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}" if every else ""


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: ``1 thing``, ``4 things``."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def rounded(amount: float) -> float:
    """As exact as a guess may look: two figures."""
    step = 10 ** max(math.floor(math.log10(amount)) - 1, 0) if amount >= 1 else 1
    return float(round(amount / step) * step)


def money(amount: float, currency: str = "") -> str:
    """An amount without cents, if it is more than a handful: ``1,066 USD``, ``4.20 USD``."""
    number = f"{amount:,.0f}" if abs(amount) >= 20 or amount == round(amount) else f"{amount:,.2f}"
    return f"{number}\u00a0{currency}" if currency else number


IS_AND_WAS = {
    "max_instances": "at most {value}, was {original}",
    "manual_instance_count": "{value} instances, was {original}",
    "autoscaling": "autoscaling {value}, was {original}",
    "state": "{value}, was {original}",
    "billing_account": "detached from billing",
}
"""By field, what it is and was."""
DONE = {
    "PauseJob": "paused",
    "ResumeJob": "resumed",
    "DetachBilling": "detached from billing",
    "LinkBilling": "linked to billing",
    "SetMaxInstances": "at most {after}, was {before}",
    "SetManualInstances": "{after} instances, was {before}",
    "Resize": "{before} to {after} nodes",
    "SetAutoscaling": "autoscaling {after}",
    "DeployPreview": "deployed",
    "DeletePreview": "deleted",
    "DeleteBackups": "{count} backups deleted",
    "RestoreBackups": "{count} backups restored",
    "AddVersion": "new version",
    "Roll": "redeployed",
    "TakeBack": "rolled back",
    "Retire": "old version disabled",
}
"""By kind of change, what was done to a resource."""
PARTICIPLES = frozenset({"paused", "resumed", "deployed", "deleted", "redeployed"})
LONGEST_NAME, LONGEST_TEXT = 80, 400
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::\d\d)?(?: UTC|Z|\+00:00)")
_RUNGS = re.compile(r"\s*\((?:[\w-]+/(?:actual|forecast|projected|anomaly)@[\d.]+(?:, )?)+\)")
_RUNG = re.compile(r"\b([\w-]+)/((?:actual|forecast|projected|anomaly)@[\d.]+)")
_RUNG_ALONE = re.compile(r"\b(?:actual|forecast|projected)@[\d.]*\d")
_BYTES = re.compile(r"\b(\d{1,3}(?:,\d{3}){2,})(?: bytes)?")
_ENFORCES = re.compile(r"\b\w+ then enforces (\w+)")
_SIZE = re.compile(r"\b(?:initial_node_count|manual_instance_count|min_instance_count) (\d+) -> (\d+)")
ENFORCED = {"gpu_pools_off": "GPU pools then go to zero", "previews_off": "previews are then deleted"}
"""By spending restriction, what the automation that obeys it does."""
NO_MAXIMUM = "no maximum"


def is_and_was(debt: Debt) -> str:
    """The value of a held field, now and before."""
    values = {"value": debt.by_hand or debt.applied, "original": debt.original}
    if debt.field == "max_instances":
        values = {name: NO_MAXIMUM if value in {"", "0"} else value for name, value in values.items()}
    is_size = "count" in debt.field or "size" in debt.field or "instances" in debt.field
    usual = "at {value}, was {original}" if is_size else f"{debt.field.replace('_', ' ')} {{value}}, was {{original}}"
    words = IS_AND_WAS.get(debt.field, usual)
    return words.format(**{name: (value or "none").lower() for name, value in values.items()}).replace(
        "at 0,", "at zero,"
    )


def name_words(name: str) -> str:
    """A name as the page shows it: one line, and not endless."""
    return shortened(presentable(name), LONGEST_NAME)


def text_words(text: str, zone: ZoneInfo) -> str:
    """A sentence of a report as the page shows it: times in its zone, no codes of rungs, sizes in MiB, bounded."""
    text = _RUNGS.sub("", presentable(text))
    text = _RUNG.sub(lambda found: f"{_rung(found[2])} of {found[1]}", text)
    text = _RUNG_ALONE.sub(lambda found: _rung(found[0]), text)
    text = _ENFORCES.sub(lambda found: ENFORCED.get(found[1], found[0]), text)
    text = _SIZE.sub(r"from \1 to \2", text)
    text = _BYTES.sub(lambda found: f"{int(found[1].replace(',', '')) / 2**20:,.0f} MiB", text)
    return shortened(_MOMENT.sub(lambda found: _local(found, zone), text), LONGEST_TEXT)


def without_time(text: str) -> str:
    """A next step without its time, which stands beside it: ``due at 2026-12-02 10:30 UTC`` is ``due``."""
    return re.sub(r"(?: (?:at|until|when the maintenance window opens at))? " + _MOMENT.pattern, "", text)


def _local(found: re.Match[str], zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00").astimezone(zone)
    return f"{moment:%-d %b, %H:%M}"


def sentence_words(text: str) -> str:
    """A text as a sentence of its own."""
    ended = text if text.endswith((".", "!", "?", "...")) else f"{text}."
    is_address = "://" in ended.partition(" ")[0]
    return ended if is_address else f"{ended[:1].upper()}{ended[1:]}"


def change_words(change: ChangeReport, name: str = "") -> str:
    """One change in a few words: ``api: at most 1, was 20``, or without a name ``at most 1, was 20``."""
    done = _done(change, name)
    return f"{done}: failed" if change.outcome is Outcome.FAILED else done


def _done(change: ChangeReport, name: str) -> str:
    if change.kind == "SetRestrictions":
        wanted = [action(one.strip()) for one in change.after.split(",") if one.strip() not in {"", "none"}]
        return listed(wanted) or "restrictions lifted"
    if change.kind == "RecordSaving":
        return f"{money(change.saved, change.currency)} saved{f' on {name}' if name else ''}"
    if change.kind == "Notify":
        return f"{name} passed {_rung(change.after)}".strip()
    values = {"before": change.before or "none", "after": change.after or "none"}
    if change.kind == "SetMaxInstances":
        values = {field: NO_MAXIMUM if value == "0" else value for field, value in values.items()}
    words = DONE.get(change.kind, spaced(change.kind)).format(count=change.count, **values)
    between = " " if words in PARTICIPLES or words.startswith(("detached", "linked", "at most")) else ": "
    return f"{name}{between}{words}" if name else words


def _rung(name: str) -> str:
    """A rung as a person says it: ``actual@0.5`` is ``50 %``."""
    basis, _, ratio = name.partition("@")
    try:
        share = f"{float(ratio) * 100:g} %"
    except ValueError:
        return name
    words = {
        "forecast": f"{share}, as Google forecasts",
        "projected": f"{share}, as projected",
        "anomaly": f"an anomaly of {ratio}",
    }
    return words.get(basis, share)
