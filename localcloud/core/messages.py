"""Handling of messages that several services share: update masks, pages, versions."""

import base64
import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from localcloud.core.server import ApiError


class Named(Protocol):
    """A resource that is known by its full name."""

    name: str


def duration(delta: timedelta) -> Duration:
    """A length of time as APIs carry it."""
    message = Duration()
    message.FromTimedelta(delta)
    return message


def timestamp(moment: datetime) -> Timestamp:
    """A moment (aware) as APIs carry it."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


@functools.lru_cache
def project_number(project: str) -> str:
    """The number of a project, twelve digits that are made from its id."""
    return f"{int.from_bytes(sha256(project.encode()).digest()[:8]) % 10**12:012}"


Resource = TypeVar("Resource", bound=Named)


def invalid(message: str) -> ApiError:
    """The error of a request that could never succeed (INVALID_ARGUMENT)."""
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, message)


def merge(target: Message, source: Message, paths: Iterable[str]) -> None:
    """Take over the fields at ``paths`` ("scaling.max_instance_count") of ``source`` into ``target``.

    A field that ``source`` leaves empty is cleared in ``target``; repeated fields and maps are replaced whole
    (https://google.aip.dev/161). Raises INVALID_ARGUMENT for a path that the message does not have.
    """
    for path in paths:
        _take_over(target, source, path.split("."), path)


def _take_over(target: Message, source: Message, names: Sequence[str], path: str) -> None:
    name, rest = names[0], names[1:]
    field = target.DESCRIPTOR.fields_by_name.get(name)
    if field is None or (rest and (field.is_repeated or field.message_type is None)):
        raise invalid(f"Invalid field mask: {target.DESCRIPTOR.full_name} has no field {name!r} (in path {path!r}).")
    if rest:
        _take_over(getattr(target, name), getattr(source, name), rest, path)
        return
    target.ClearField(name)
    if field.is_repeated:
        getattr(target, name).MergeFrom(getattr(source, name))
    elif field.message_type is not None:
        if source.HasField(name):
            getattr(target, name).CopyFrom(getattr(source, name))
    elif not field.has_presence or source.HasField(name):
        setattr(target, name, getattr(source, name))


def page(
    resources: Mapping[str, Resource], size: int, token: str, *, default: int, maximum: int
) -> tuple[list[Resource], str]:
    """One page of ``resources`` (by name) and the token of the next page ("" after the last).

    ``size`` 0 means ``default``; more than ``maximum`` means ``maximum`` (https://google.aip.dev/158).
    A token holds the last name given out, so that a deletion between two pages skips nothing.
    Raises INVALID_ARGUMENT for a negative size or a token that no earlier page gave.
    """
    if size < 0:
        raise invalid("page_size must not be negative.")
    last = _name_in(token)
    names = sorted(name for name in resources if name > last)
    shown = names[: min(size or default, maximum)]
    next_token = base64.urlsafe_b64encode(shown[-1].encode()).decode() if len(names) > len(shown) else ""
    return [resources[name] for name in shown], next_token


def _name_in(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise invalid("page_token is not one that an earlier page gave.") from error
