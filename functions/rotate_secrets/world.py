"""The resources that `rotate_secrets` reads, as typed values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from functions.rotate_secrets.rotation_state import RotationState

LATEST = "latest"


class Version(msgspec.Struct, frozen=True):
    """A version of a secret, without what it holds."""

    number: int
    is_enabled: bool
    created: datetime


class ExistingSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it is."""

    name: str
    """In full, with its project's id."""
    numbered_name: str
    """The same with its project's number, as Secret Manager answers it."""
    etag: str
    annotations: Mapping[str, str] = {}
    """All of them: what is not ours has to be written back."""
    aliases: Mapping[str, int] = {}
    state: RotationState | None = None
    """The state in our annotation; None if there is none."""
    problem: str = ""
    """Why our annotation cannot be read."""
    is_managed: bool = False
    """Whether Google rotates it."""

    def is_named(self, name: str) -> bool:
        """Whether a full name, with the project's id or number, is the name of this secret."""
        return name in (self.name, self.numbered_name)


class Reference(msgspec.Struct, frozen=True):
    """A variable or a file of a container that comes from a secret."""

    secret: str
    """Its full name, with the id or the number of its project."""
    version: str
    """As it is written: a number, ``latest`` or an alias."""
    is_previous: bool = False
    """Whether it has `previous` in its name, and so takes the version before the current one."""
    is_file: bool = False
    """Whether it is a file, which is read anew: a variable stays as it was when an instance started."""


class Dependent(msgspec.Struct, frozen=True, kw_only=True):
    """Something on Cloud Run that refers to secrets, or serves with a revision that does."""

    name: str
    references: tuple[Reference, ...] = ()
    """The references in its template, which the newest revision is made from."""
    serving: tuple[Reference, ...] = ()
    """The references in what runs, where that may differ from the template."""
    is_in_flight: bool = False
    problem: str = ""
    """Why it is not as its template says, in Google's words."""
    is_pinned: bool = False
    """Whether its traffic goes to revisions by name."""
    has_tag: bool = False
    """Whether an image of it is a tag, and not a digest."""
    is_function: bool = False
    """Whether it was made with the Functions API, whose next deployment overwrites any change made here."""
    cannot_change: str = ""
    """Why nothing can change it, if that is so."""
    resource: Mapping[str, Any] = {}
    """Google's own JSON, to be sent back with other references: only the edge looks into it."""

    @property
    def is_ready(self) -> bool:
        """Whether it is as its template says, and serves so."""
        return not self.is_in_flight and not self.problem
