"""What of Google Cloud `rotate_secrets` looks at, as typed values."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from functions.rotate_secrets.saga import Saga

LATEST = "latest"


class Version(msgspec.Struct, frozen=True):
    """A version of a secret, without what it holds."""

    number: int
    is_enabled: bool
    created: datetime


class ExistingSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it is."""

    name: str
    """In full, as the settings have it."""
    numbered_name: str
    """The same with its project's number, as Secret Manager answers it."""
    etag: str
    annotations: Mapping[str, str] = {}
    """All of them: what is not ours has to be written back."""
    aliases: Mapping[str, int] = {}
    saga: Saga | None = None
    """What our annotation says; None if there is none."""
    problem: str = ""
    """Why our annotation cannot be read."""
    is_managed: bool = False
    """Whether Google rotates it."""
    versions: tuple[Version, ...] | None = None
    """The newest first; None if they were not asked for."""
    added: int = 0
    """The version that holds what the attempt has recorded; 0 if none does."""

    @property
    def newest(self) -> int:
        """The number that ``latest`` stands for, as far as it is known."""
        if self.versions is not None:
            return max((version.number for version in self.versions), default=0)
        saga = self.saga or Saga()
        return max(saga.current, *saga.retiring, saga.attempt.version if saga.attempt else 0)

    def number_of(self, said: str) -> int:
        """The number that a reference stands for now; 0 for an alias that there is not."""
        if said == LATEST:
            return self.newest
        return int(said) if said.isdecimal() else self.aliases.get(said, 0)


class Reference(msgspec.Struct, frozen=True):
    """A variable or a file of a container that comes from a secret."""

    secret: str
    """The owner's key of it."""
    version: str
    """As it is said: a number, ``latest`` or an alias."""
    is_previous: bool = False
    """Whether it has `previous` in its name, and so takes the version before the current one."""
    is_file: bool = False
    """Whether it is a file, which is read anew: a variable stays as it was when an instance started."""
    is_kept: bool = False
    """Whether it is to the secret that keeps the value before (`previous_secret`)."""


class Dependent(msgspec.Struct, frozen=True, kw_only=True):
    """A service or a job of Cloud Run that refers to our secrets, or serves with a revision that does."""

    name: str
    references: tuple[Reference, ...] = ()
    """Those of its template, which the newest revision is made from."""
    serving: tuple[Reference, ...] = ()
    """Those of the revisions that have traffic or a tag, if they are others than the newest."""
    is_in_flight: bool = False
    problem: str = ""
    """Why it is not as its template says, in Google's words."""
    is_pinned: bool = False
    """Whether its traffic goes to revisions by name."""
    has_tag: bool = False
    """Whether an image of it is a tag, and not a digest."""
    is_function: bool = False
    """Whether it was made with the Functions API, whose next deployment overwrites whatever is changed here."""
    resource: object = None
    """Google's own message, to be sent back with other references: only the edge looks into it."""

    @property
    def is_ready(self) -> bool:
        """Whether it is as its template says, and serves so."""
        return not self.is_in_flight and not self.problem


class World(msgspec.Struct, frozen=True):
    """What was read."""

    secrets: Mapping[str, ExistingSecret] = {}
    """By the owner's key; one that is not there does not exist."""
    dependents: tuple[Dependent, ...] | None = None
    """In order of name; None if nothing depends on them now."""
