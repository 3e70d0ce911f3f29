"""The registration of a service of the local cloud: its constructor, its transports, its part of a world.

A folder's ``registration.py`` has one `Service` value for each API of the service, and `LocalCloud` names them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from localcloud.core.cloud import Cloud
    from localcloud.core.rpcs import Api
    from localcloud.core.world_format import BillingAccount, Holder, Project
    from localcloud.core.world_place import Place

T = TypeVar("T")


@dataclass(frozen=True)
class Section(Generic[T]):
    """A key of a world, or of each project or billing account in it, whose value a service creates."""

    holder: type[Holder]
    """The place of the key: `World`, `Project` or `BillingAccount`."""
    key: str
    type: Any
    """The type of its value, for msgspec."""
    add: Callable[[T, Place, Any], None]
    """Creates what the value describes, each at its key of the place (`Place.key`). Raises WorldError."""
    default: Callable[[], object] = dict


@dataclass(eq=False)
class Service(Generic[T]):
    """One API of the local cloud. As an attribute of a class of clouds it is, in each cloud, what ``make`` made."""

    make: Callable[[Cloud], T]
    """Makes it for a cloud, with other services of this cloud (`Cloud.of`)."""
    transports: tuple[type | Api, ...] = ()
    """The gRPC APIs, or transports of official clients, that it answers, by methods named like theirs in snake case."""
    is_http: bool = False
    """Whether it answers over HTTP too: it has ``routes``."""
    surfaces: tuple[tuple[str, str], ...] = ()
    """Its other HTTP surface, imported when first needed: module and name of a `Surface` of the cloud."""
    needs_billing: bool = False
    """Whether it refuses what is asked of a project that was detached from its billing account."""
    sections: tuple[Section[T], ...] = ()
    add_project: Callable[[T, str, Project], None] | None = None
    """Registers each project of a world with it, by id, before anything is created there."""
    add_account: Callable[[T, str, BillingAccount], None] | None = None
    """The same for each billing account, by its full name."""
    happenings: tuple[Callable[..., object], ...] = ()
    """Methods by which people and programs act without an API call, such as a push to GitHub."""
    close: Callable[[T], None] | None = None
    """Ends what it has started."""
    name: str = field(default="", init=False)
    """The attribute of the cloud."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, cloud: None, owner: type) -> Service[T]: ...

    @overload
    def __get__(self, cloud: Cloud, owner: type) -> T: ...

    def __get__(self, cloud: Cloud | None, owner: type) -> Service[T] | T:
        return self if cloud is None else cloud.of(self)
