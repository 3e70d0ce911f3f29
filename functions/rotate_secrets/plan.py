"""The decision of `rotate_secrets`, pure: what to look at, what to change and why, and what to remember."""

from collections.abc import Mapping

from functions.rotate_secrets.changes import Move, Retire, Roll, RotationChange
from functions.rotate_secrets.commands import Status
from functions.rotate_secrets.dependents import moves, still_using, why_not
from functions.rotate_secrets.due import is_active
from functions.rotate_secrets.outlook import Outlook, Subject
from functions.rotate_secrets.records import Occasion, Records
from functions.rotate_secrets.saga import Saga
from functions.rotate_secrets.settings import Step
from functions.rotate_secrets.verdicts import verdict_on
from functions.rotate_secrets.world import Dependent, ExistingSecret, World
from shared.events import RerunRequested
from shared.legacy import Settled
from shared.plan import Guard, Plan, Refusal

Existing = Mapping[str, ExistingSecret]


def to_look_into(occasion: Occasion, listed: Existing) -> list[str]:
    """The keys of the secrets whose versions matter now: something is to begin, or to be recognised."""
    return [
        key
        for key, existing in listed.items()
        if is_active(key, occasion.settings.secrets[key], existing, occasion)
        and not (existing.saga and existing.saga.attempt and existing.saga.attempt.version)
    ]


def are_dependents_needed(occasion: Occasion, listed: Existing) -> bool:
    """Whether it matters now who uses the secrets: not while one is only told to the system behind it, or promoted."""
    return isinstance(occasion.event.event, Status | RerunRequested) or any(
        existing.saga
        and is_active(key, occasion.settings.secrets[key], existing, occasion)
        and not _is_between(existing.saga)
        for key, existing in listed.items()
    )


def subjects(occasion: Occasion, world: World) -> list[Subject]:
    """Every secret of the settings."""
    return [
        Subject(key=key, secret=secret, world=world, occasion=occasion)
        for key, secret in occasion.settings.secrets.items()
    ]


def settle(occasion: Occasion, world: World, applied: tuple[RotationChange, ...]) -> Settled[Records]:
    """The records as they are: what is seen is on the secrets themselves. What a person should know comes with them."""
    del applied
    notices = [notice for one in subjects(occasion, world) for notice in verdict_on(one).notices]
    return Settled(occasion.records, tuple(notices))


def plan(occasion: Occasion, world: World) -> Plan[RotationChange]:
    """One change at most for each secret, and updates of dependents, each for all secrets that it is moved for."""
    seen = [(one, verdict_on(one)) for one in subjects(occasion, world)]
    verdicts = [verdict for _, verdict in seen]
    changes: list[RotationChange] = [verdict.change for verdict in verdicts if verdict.change]
    rolls, later = _rolls(seen, world, occasion.settings.at_once)
    return Plan(
        changes=(*changes, *rolls),
        refusals=tuple(verdict.refusal for verdict in verdicts if verdict.refusal),
        waiting=tuple(dict.fromkeys([line for verdict in verdicts for line in verdict.waiting])),
        next=tuple(
            [f"{one.key}: {verdict.next}" for one, verdict in seen if verdict.next]
            + ([f"{later} more dependents follow, {occasion.settings.at_once} at once"] if later else [])
        ),
        alerts=tuple(alert for verdict in verdicts for alert in verdict.alerts),
    )


def guards(occasion: Occasion, world: World) -> tuple[Guard[RotationChange], ...]:
    """What is revoked cannot be had back: nobody may refer to it."""
    by_name = {one.secret.secret: one for one in subjects(occasion, world)}

    def still_in_use(planned: Plan[RotationChange]) -> list[Refusal]:
        found = []
        for change in planned.changes:
            if not isinstance(change, Retire):
                continue
            subject = by_name[change.target]
            users = still_using(change.versions, subject.key, subject.here, world)
            if users or world.dependents is None or change.current in change.versions:
                why = f"{', '.join(users) or 'nobody knows who'} refers to what would be disabled"
                found.append(Refusal(change.scope, Retire.guard, why))
        return found

    return (still_in_use,)


def intend(occasion: Occasion, changes: tuple[RotationChange, ...]) -> Records:
    """Nothing more: what must be durable before a change is made is written on the secret with it."""
    del changes
    return occasion.records


def _is_between(saga: Saga) -> bool:
    return saga.attempt is not None and not saga.attempt.back and saga.attempt.step in (Step.SET, Step.PROMOTE)


def _rolls(seen: list[tuple[Subject, Outlook]], world: World, at_once: int) -> tuple[list[Roll], int]:
    """The updates that can be made now, and how many more are to follow."""
    aimed = [(one, verdict.aim) for one, verdict in seen if verdict.aim]
    # What is on its way to the same point goes together: a dependent is moved for all its secrets in one update.
    still_changing = {one.key for one, verdict in seen if verdict.change}
    places = at_once - sum(one.is_in_flight for one in world.dependents or ())
    rolls: list[Roll] = []
    later = 0
    for dependent in world.dependents or ():
        found = [
            (move, aim.reason)
            for one, aim in aimed
            if not why_not(dependent, one.secret)
            for move in moves(dependent, one.key, one.here, aim)
        ]
        is_held = any(reference.secret in still_changing for reference in dependent.references)
        if not found or dependent.is_in_flight or is_held:
            continue
        if len(rolls) < places:
            rolls.append(
                _roll(dependent, [move for move, _ in found], "; ".join(dict.fromkeys(why for _, why in found)))
            )
        else:
            later += 1
    return rolls, later


def _roll(dependent: Dependent, found: list[Move], reason: str) -> Roll:
    told = sorted({(move.secret.rpartition("/")[2], move.before, move.after) for move in found})
    return Roll(
        target=dependent.name,
        field="references to secrets",
        before=", ".join(f"{secret}:{before}" for secret, before, _ in told),
        after=", ".join(f"{secret}:{after}" for secret, _, after in told),
        reason=reason,
        scope=dependent.name,
        moves=tuple(found),
        resource=dependent.resource,
    )
