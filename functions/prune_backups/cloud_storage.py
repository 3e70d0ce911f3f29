"""Backups that are objects of Cloud Storage, by its JSON API: https://cloud.google.com/storage/docs/json_api/v1."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode

from functions.prune_backups import batch
from functions.prune_backups.batch import Part
from functions.prune_backups.changes import DeleteBackups, RestoreBackups
from functions.prune_backups.formatting import printable
from functions.prune_backups.listing import listed
from functions.prune_backups.messages import AlreadyDeleted, ExistsAgain, NoLongerRestorable, Overwritten, Protected
from functions.prune_backups.progress import Progress
from functions.prune_backups.world import Restorable
from shared.clients import Clients
from shared.decision import Message

__all__ = ["delete", "listed", "restore"]

_HELD = "is under active"


def delete(change: DeleteBackups, clients: Clients) -> Sequence[Message]:
    """See `BackupSource`."""
    backups = list(change.backups())
    calls = [
        f"DELETE {_path(change.bucket, backup.name)}?{urlencode({'ifGenerationMatch': backup.generation})}"
        for backup in backups
    ]
    kept: dict[str, Message] = {}
    gone: list[str] = []
    for name, part in _answers([backup.name for backup in backups], batch.send(clients, calls)):
        if part.status == HTTPStatus.PRECONDITION_FAILED:
            kept[name] = Overwritten(change.bucket, name)
        elif part.status == HTTPStatus.FORBIDDEN:
            kept[name] = Protected(change.bucket, name, part.refused.message)
        elif part.status == HTTPStatus.NOT_FOUND:
            gone.append(name)
    deleted = [backup.name for backup in backups if backup.name not in kept and backup.name not in gone]
    what = f"prune_backups: {change.scope}: {len(deleted)} deleted in this request; processed"
    Progress(what, change.earlier + len(backups), change.total).log(bucket=change.bucket, deleted=deleted)
    return [*kept.values(), *([AlreadyDeleted(change.bucket, gone[0], len(gone))] if gone else [])]


def restore(change: RestoreBackups, clients: Clients) -> Sequence[Message]:
    """See `BackupSource`."""
    calls = [_restoring(change.bucket, one) for one in change.objects]
    left: list[Message] = []
    for name, part in _answers([one.name for one in change.objects], batch.send(clients, calls)):
        if part.status == HTTPStatus.PRECONDITION_FAILED:
            left.append(ExistsAgain(change.bucket, name))
        elif part.status == HTTPStatus.NOT_FOUND:
            left.append(NoLongerRestorable(change.bucket, name))
    return left


def _restoring(bucket: str, one: Restorable) -> str:
    """The call that makes a deleted version live again, where nothing has its name.

    A noncurrent version becomes live by being copied over its own name, as
    https://cloud.google.com/storage/docs/using-versioned-objects#restore says; a soft-deleted one is restored.
    """
    path = _path(bucket, one.name)
    if one.is_noncurrent:
        copied = path.removeprefix("/storage/v1")
        return f"POST {path}/copyTo{copied}?{urlencode({'sourceGeneration': one.generation, 'ifGenerationMatch': 0})}"
    return f"POST {path}/restore?{urlencode({'generation': one.generation, 'ifGenerationMatch': 0})}"


def _answers(names: Sequence[str], parts: Sequence[Part]) -> list[tuple[str, Part]]:
    """The answers by name. Raises what Google's client would if a call failed for another reason than the object."""
    from google.api_core.exceptions import from_http_status

    answers = list(zip(names, parts, strict=True))
    failed = [(name, part) for name, part in answers if part.status >= HTTPStatus.BAD_REQUEST and not _is_final(part)]
    if failed:
        name, part = failed[0]
        error = f"{len(failed)} of {len(names)} calls failed, such as that for {printable(name)}: "
        raise from_http_status(part.status, error + part.refused.message)
    return answers


def _is_final(part: Part) -> bool:
    """Whether an error is about the object, which another one has overwritten, deleted or protected."""
    is_protected = part.status == HTTPStatus.FORBIDDEN and _is_protected(part)
    return is_protected or part.status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}


def _is_protected(part: Part) -> bool:
    """Whether a 403 is a hold's or a retention's, and not that of a missing permission.

    A hold is documented to have the reason objectUnderActiveHold, and was measured to have no reason of its own.
    """
    reasons = {error.reason for error in part.refused.errors}
    return bool(reasons & {"retentionPolicyNotMet", "objectUnderActiveHold"}) or _HELD in part.refused.message


def _path(bucket: str, name: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"
