"""What is to become of one secret now: one change at most, and where its dependents are to be moved."""

from datetime import datetime, timedelta

import msgspec

from functions.rotate_secrets.beginning import begun
from functions.rotate_secrets.changes import Adopt, Finish, GiveUp, Promote, RestoreValue, Retire, SetValue, TakeBack
from functions.rotate_secrets.dependents import Aim, is_on, moves, still_using, using, why_not
from functions.rotate_secrets.due import due_at, is_asked_back, is_overdue, may_retire, why_due
from functions.rotate_secrets.outlook import Outlook, Subject
from functions.rotate_secrets.saga import Attempt, Saga, advanced, given_up, promoted
from functions.rotate_secrets.settings import Step
from functions.rotate_secrets.world import ExistingSecret
from shared.clock import format_time
from shared.plan import Alert

ASKED = "a person asked for it"
OWED_AFTER = 24
"""Hours after the grace period at which a version that could not be retired is told."""
READ_WITHIN = timedelta(minutes=2)
"""Who reads the newest version by itself does so at least once a minute: clocks may differ by another."""


def verdict_on(subject: Subject) -> Outlook:
    """What is to be done about a secret, and what a person should know of it."""
    existing = subject.existing
    if existing is None:
        return Outlook(alerts=(subject.alert("secret_missing", f"there is no {subject.secret.secret}"),))
    if existing.is_managed:
        return Outlook(notices=(f"{subject.key}: Google rotates it, so it is left alone",))
    if existing.problem:
        return subject.refused("readable_annotation", existing.problem)
    outlook = _decided(subject, existing)
    return msgspec.structs.replace(outlook, alerts=(*outlook.alerts, *_alerts(subject)))


def _decided(subject: Subject, existing: ExistingSecret) -> Outlook:
    if existing.saga is None:
        return _adopted(subject, existing)
    saga = existing.saga
    if saga.attempt is None:
        return _idle(subject, saga)
    if saga.attempt.back:
        return _taken_back(subject, saga, saga.attempt)
    if is_asked_back(subject.key, saga, subject.occasion):
        return _take_back(subject, saga, saga.attempt, ASKED)
    return _forward(subject, saga, saga.attempt)


def _adopted(subject: Subject, existing: ExistingSecret) -> Outlook:
    """The newest version that is enabled is the one that counts, since it was made."""
    newest = next((version for version in existing.versions or () if version.is_enabled), None)
    saga = Saga(current=newest.number, promoted=newest.created) if newest else Saga()
    words = subject.words("promoted", "", f"version {saga.current}" if newest else "no version")
    return Outlook(change=Adopt(**words, reason="it has not been rotated here before", saga=saga))


def _idle(subject: Subject, saga: Saga) -> Outlook:
    """Nothing is going on: perhaps something should."""
    if is_asked_back(subject.key, saga, subject.occasion):
        return _asked_back(subject, saga)
    if may_retire(subject.key, subject.secret, saga, subject.occasion):
        return _retired(subject, saga)
    why = why_due(subject.key, subject.secret, subject.here, saga, subject.occasion)
    if not why:
        return Outlook(next=f"due at {format_time(due_at(subject.secret, saga))}")
    if saga.older:
        kept = _numbers(saga.older)
        until = format_time(saga.since + subject.secret.grace)
        return Outlook(next=f"{why}, but version {kept} from before is kept until {until}")
    return begun(subject, saga, why)


def _asked_back(subject: Subject, saga: Saga) -> Outlook:
    """Go back to the version before, as if the rotation that has ended were still under way."""
    before = next((one for one in subject.here.versions or () if one.number == saga.older[0]), None)
    if before is None or not before.is_enabled:
        why = f"version {saga.older[0]} from before is not enabled any more"
        return Outlook(notices=(f"{subject.key}: it cannot be rolled back: {why}",))
    attempt = Attempt(
        epoch=saga.epoch,
        started=subject.occasion.now,
        before=before.number,
        promoted_before=before.created,
        highest=saga.current,
        sha256="",
        step=subject.secret.value.steps[-1],
        version=saga.current,
    )
    return _take_back(subject, saga, attempt, ASKED)


def _forward(subject: Subject, saga: Saga, attempt: Attempt) -> Outlook:
    """Go on with a rotation from where it stands."""
    steps = subject.secret.value.steps
    if attempt.step is Step.CREATE:
        version = attempt.version or subject.here.added
        if not version:
            return begun(subject, saga, "it was begun, and no version holds what was recorded", is_resumed=True)
        # Adding it is what the step was: it goes on with the next.
        attempt = msgspec.structs.replace(attempt, version=version, step=steps[1])
    saga = msgspec.structs.replace(saga, attempt=attempt)
    after = advanced(saga, attempt, steps)
    match attempt.step:
        case Step.SET:
            words = subject.words("value", f"version {attempt.before}", f"version {attempt.version} accepted")
            change = SetValue(
                **words,
                reason="whoever uses it must be accepted",
                saga=after,
                value=subject.secret.value,
                version=attempt.version,
                current=attempt.before,
            )
            return Outlook(change=change)
        case Step.PROMOTE:
            after = advanced(promoted(saga, attempt, subject.occasion.now), attempt, steps)
            words = subject.words("promoted", f"version {attempt.before}", f"version {attempt.version}")
            return Outlook(change=Promote(**words, reason="it is accepted wherever it has to be", saga=after))
    return _rolled(subject, saga, attempt, after)


def _rolled(subject: Subject, saga: Saga, attempt: Attempt, after: Saga) -> Outlook:
    """Move the dependents, watch them, and go back with all of them if one fails."""
    if (
        subject.secret.value.previous_secret
        and (until := _added(subject, attempt) + READ_WITHIN) > subject.occasion.now
    ):
        return Outlook(next=f"version {attempt.version} is read by all receivers at {format_time(until)}")
    movable = [one for one in using(subject.key, subject.world) if not why_not(one, subject.secret)]
    aim = Aim(target=attempt.version, previous=attempt.before, reason=f"version {attempt.version} is promoted")
    to_move = [one for one in movable if moves(one, subject.key, subject.here, aim)]
    moved = [one for one in movable if one not in to_move]
    if failed := next((one for one in moved if one.problem and not one.is_in_flight), None):
        return _take_back(subject, saga, attempt, f"{failed.name}: {failed.problem}")
    if not subject.is_open and to_move:
        return Outlook(next=f"{len(to_move)} dependents follow {subject.opens}", notices=_behind(subject))
    waiting = tuple(f"{subject.key}: {one.name} is on its way" for one in moved if one.is_in_flight)
    if to_move or waiting:
        return Outlook(aim=aim, waiting=waiting, notices=_behind(subject))
    words = subject.words("dependents", f"version {attempt.before}", f"version {attempt.version} serves")
    why = f"{len(moved)} dependents are ready, and serve with it"
    return Outlook(change=Finish(**words, reason=why, saga=after), notices=_behind(subject))


def _added(subject: Subject, attempt: Attempt) -> datetime:
    """When the new version was added."""
    versions = subject.here.versions or ()
    return next((one.created for one in versions if one.number == attempt.version), subject.occasion.now)


def _take_back(subject: Subject, saga: Saga, attempt: Attempt, why: str) -> Outlook:
    attempt = msgspec.structs.replace(attempt, back=why, version=attempt.version or subject.here.added)
    words = subject.words("rotation", f"epoch {attempt.epoch}", "taken back")
    after = msgspec.structs.replace(saga, attempt=attempt)
    return Outlook(change=TakeBack(**words, reason=why, saga=after))


def _taken_back(subject: Subject, saga: Saga, attempt: Attempt) -> Outlook:
    """The system behind it first, so that what goes back is accepted; then the dependents; maintenance or not."""
    value = subject.secret.value
    version = attempt.version or subject.here.added
    attempt = msgspec.structs.replace(attempt, version=version)
    was_set = Step.SET in value.steps and value.steps.index(attempt.step) >= value.steps.index(Step.SET)
    if value.replaces and was_set and version and attempt.before and not attempt.is_restored:
        restored = msgspec.structs.replace(attempt, is_restored=True)
        words = subject.words("value", f"version {version}", f"version {attempt.before} accepted again")
        change = RestoreValue(
            **words,
            reason=attempt.back,
            saga=msgspec.structs.replace(saga, attempt=restored),
            value=value,
            version=attempt.before,
            current=version,
        )
        return Outlook(change=change)
    only = frozenset([version])
    aim = Aim(target=attempt.before, previous=attempt.before, only=only, reason="the rotation is taken back")
    movable = [one for one in using(subject.key, subject.world) if not why_not(one, subject.secret)]
    to_move = [one for one in movable if version and moves(one, subject.key, subject.here, aim)]
    waiting = tuple(f"{subject.key}: {one.name} is on its way back" for one in movable if one.is_in_flight)
    if to_move or waiting:
        return Outlook(aim=aim, waiting=waiting)
    if stuck := [one for one in movable if one.problem and attempt.before]:
        why = f"{stuck[0].name} is not ready on version {attempt.before} either: {stuck[0].problem}"
        return Outlook(alerts=(subject.alert("not_taken_back", why),))
    words = subject.words("rotation", "taken back", f"version {attempt.before} counts")
    after = given_up(saga, attempt, subject.occasion.now)
    return Outlook(change=GiveUp(**words, reason="nobody refers to the new version any more", saga=after))


def _retired(subject: Subject, saga: Saga) -> Outlook:
    """Disable the versions from before, once nobody refers to them: who could not be moved before is moved now."""
    older = saga.older
    if not subject.is_open:
        return Outlook(next=f"version {_numbers(older)} is retired {subject.opens}")
    aim = Aim(target=saga.current, previous=saga.current, only=frozenset(older), reason="the version before is retired")
    movable = [one for one in using(subject.key, subject.world) if not why_not(one, subject.secret)]
    to_move = [one for one in movable if moves(one, subject.key, subject.here, aim)]
    waiting = tuple(f"{subject.key}: {one.name} is on its way" for one in movable if one.is_in_flight)
    if to_move or waiting:
        return Outlook(aim=aim, waiting=waiting)
    if names := still_using(older, subject.key, subject.here, subject.world):
        why = f"version {_numbers(older)} from before cannot be retired: {', '.join(names)} still refers to it"
        return Outlook(notices=(f"{subject.key}: {why}", *_behind(subject)))
    words = subject.words("versions", f"{_numbers(older)} enabled", f"{_numbers(older)} disabled")
    change = Retire(
        **words,
        reason="all dependents serve with the new version, and the grace period is over",
        saga=msgspec.structs.replace(saga, retiring=tuple(number for number in saga.retiring if number not in older)),
        value=subject.secret.value,
        versions=older,
        current=saga.current,
    )
    return Outlook(change=change)


def _behind(subject: Subject) -> tuple[str, ...]:
    """Those that are not moved, and why."""
    return tuple(
        f"{subject.key}: {one.name} is not moved: {why}"
        for one in using(subject.key, subject.world)
        if (why := why_not(one, subject.secret)) and not is_on(one, subject.key, subject.target)
    )


def _alerts(subject: Subject) -> tuple[Alert, ...]:
    """What is so for as long as it is so."""
    saga, now, secret = subject.saga, subject.occasion.now, subject.secret
    found = []
    if is_overdue(secret, saga, now):
        found.append(subject.alert("overdue", f"it was due at {format_time(due_at(secret, saga))}"))
    if saga.failed and saga.why != ASKED:
        found.append(subject.alert("rotation_failed", f"taken back at {format_time(saga.failed)}: {saga.why}"))
    hours = (now - saga.since - secret.grace).total_seconds() / 3600
    if saga.older and hours > OWED_AFTER:
        found.append(subject.alert("retirement_owed", f"version {_numbers(saga.older)} should have been retired"))
    return tuple(found)


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
