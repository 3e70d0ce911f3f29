"""The decision of `rotate_secrets`: one change at most for each secret, and updates of dependents. Pure."""

from datetime import timedelta

import msgspec

from functions.rotate_secrets.changes import Move, Roll, RotationChange
from functions.rotate_secrets.decide_secret import decide_secret
from functions.rotate_secrets.dependents import movable, moves, reason_not_movable
from functions.rotate_secrets.messages import Because, short
from functions.rotate_secrets.questions import NotAsked
from functions.rotate_secrets.records import Context, Records
from functions.rotate_secrets.rotation_state import NEVER
from functions.rotate_secrets.secret_decision import SecretDecision, TargetVersions
from functions.rotate_secrets.terms import Terms
from functions.rotate_secrets.upcoming import upcoming
from functions.rotate_secrets.view import SecretView
from functions.rotate_secrets.views import views
from functions.rotate_secrets.world import Dependent
from shared.decision import Decision, Message
from shared.world import World

TOGETHER_WITHIN = timedelta(minutes=10)
"""So long a dependent waits for its other secrets, to be moved for all of them in one update. One that fails again and
again holds up no other."""

RotationDecision = Decision[Records, RotationChange]
Seen = list[tuple[SecretView, SecretDecision]]


def decide(context: Context, world: World, applied: tuple[RotationChange, ...]) -> RotationDecision:
    """The changes that are possible now. A rotation's state is on the secret; records only lose fulfilled terms."""
    del applied
    seen = [(view, decide_secret(view)) for view in views(context, world)]
    decisions = [decision for _, decision in seen]
    changes: list[RotationChange] = [decision.change for decision in decisions if decision.change]
    rolls, later = _rolls(seen, context.settings.at_once)
    return Decision(
        records=_with_terms(context.records, seen),
        changes=(*changes, *rolls),
        refusals=tuple(decision.refusal for decision in decisions if decision.refusal),
        waiting=tuple(dict.fromkeys(line for decision in decisions for line in decision.waiting)),
        next=tuple(upcoming(seen, later, context.settings.at_once)),
        alerts=tuple(alert for decision in decisions for alert in decision.alerts),
        notices=tuple(dict.fromkeys(line for decision in decisions for line in decision.notices)),
    )


def _with_terms(records: Records, seen: Seen) -> Records:
    """The records with the terms of those rotations that have begun and whose old versions are not retired."""
    bound = {view.name for view, _ in seen if view.is_bound}
    kept = {name: terms for name, terms in records.rotations.items() if name in bound}
    kept |= {view.name: terms for view, _ in seen if view.name not in kept and (terms := _terms_of_a_release(view))}
    return records if kept == records.rotations else msgspec.structs.replace(records, rotations=kept)


def _terms_of_a_release(view: SecretView) -> Terms | None:
    """The terms of a rotation that a release began which recorded none, once its dependents are known."""
    if not view.lacks_terms or view.problem:
        return None
    try:
        dependents, was_used = tuple(one.name for one in movable(view)), bool(view.dependents)
    except NotAsked:
        return None
    since = view.state.attempt.started if view.state.attempt else view.state.promoted
    before = view.state.attempt.before if view.state.attempt else max(view.state.older, default=0)
    if not was_used:
        return None  # It may have been, when it began.
    return msgspec.structs.replace(
        view.terms, dependents=dependents, was_used=True, started=since or NEVER, before=before
    )


def _rolls(seen: Seen, at_once: int) -> tuple[list[Roll], int]:
    """The updates that can be made now, and how many more are to follow. A way back waits for nothing."""
    aimed = [(view, decision.targets) for view, decision in seen if decision.targets]
    aimed.sort(key=lambda one: not one[1].is_way_back)
    changing = {one.name: one for view, _ in aimed for one in view.dependents}
    places = at_once - sum(one.is_in_flight for one in changing.values())
    rolls: list[Roll] = []
    later = 0
    for dependent in changing.values():
        found = [
            (move, view, targets)
            for view, targets in aimed
            if not reason_not_movable(dependent, view.settings)
            for move in moves(dependent, view, targets)
        ]
        is_way_back = any(targets.is_way_back for _, _, targets in found)
        if not found or dependent.is_in_flight or (not is_way_back and _waits(dependent, found, seen)):
            continue
        if len(rolls) < (at_once if is_way_back else places):
            reasons = tuple(dict.fromkeys(targets.reason for _, _, targets in found))
            rolls.append(_roll(dependent, [move for move, _, _ in found], Because(reasons)))
        else:
            later += 1
    return rolls, later


def _waits(dependent: Dependent, found: list[tuple[Move, SecretView, TargetVersions]], seen: Seen) -> bool:
    """Whether another secret of a dependent is about to be at the same point, so that both go in one update."""
    is_early = all(
        view.state.attempt and view.now < view.state.attempt.started + TOGETHER_WITHIN for _, view, _ in found
    )
    return is_early and any(decision.change and view.is_used_by(dependent) for view, decision in seen)


def _roll(dependent: Dependent, found: list[Move], reason: Message) -> Roll:
    shown = sorted({(short(move.secret), move.before, move.after) for move in found})
    return Roll(
        target=dependent.name,
        field="references to secrets",
        before=", ".join(f"{secret}:{before}" for secret, before, _ in shown),
        after=", ".join(f"{secret}:{after}" for secret, _, after in shown),
        reason=reason,
        scope=dependent.name,
        moves=tuple(found),
        resource=dependent.resource,
    )
