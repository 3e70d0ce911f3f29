"""The initial state of a cloud: the keys of all of its services in one type, and their creation."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from localcloud.core.cloud import Cloud
from localcloud.core.service import Section, Service
from localcloud.core.world_format import BillingAccount, Holder, Project, World
from localcloud.core.world_place import Place, at, full_name


def world_type(services: Iterable[Service[Any]]) -> type[World]:
    """The type of a world with every key that services add to it, its projects and its billing accounts."""
    sections = [section for service in services for section in service.sections]
    project, account = (_with_sections(one, sections) for one in (Project, BillingAccount))
    of_all = {"billing_accounts": dict[str, account], "projects": dict[str, project]}  # type: ignore[valid-type]
    return cast("type[World]", _with_sections(World, sections, of_all))


def seed(cloud: Cloud, world: World) -> None:
    """Create ``world`` in ``cloud``, through the services' own methods, which may refuse it.

    None of it is recorded as a call, and nothing is reconciling afterwards. Raises WorldError.
    """
    services = cloud.services()
    for account_id, account in world.billing_accounts.items():
        with at(f"billing_accounts.{account_id}"):
            for service in services:
                if service.add_account:
                    service.add_account(cloud.of(service), full_name("billingAccounts", account_id), account)
    for project_id, project in world.projects.items():
        with at(f"projects.{project_id}"):
            for service in services:
                if service.add_project:
                    service.add_project(cloud.of(service), project_id, project)
    for service in services:
        for section in service.sections:
            for place, holder in _holders(cloud, world, section):
                section.add(cloud.of(service), place, holder.section(section.key))


def _holders(cloud: Cloud, world: World, section: Section[Any]) -> Iterable[tuple[Place, Holder]]:
    """Each place in a world that has a section's key."""
    now, key = cloud.clock.now(), section.key
    if section.holder is World:
        yield Place(key, "", "", now), world
    if section.holder is Project:
        for project_id, project in world.projects.items():
            yield Place(f"projects.{project_id}.{key}", project_id, project.location, now), project
    if section.holder is BillingAccount:
        for account_id, account in world.billing_accounts.items():
            name = full_name("billingAccounts", account_id)
            yield Place(f"billing_accounts.{account_id}.{key}", name, "", now, frozenset(world.projects)), account


def _with_sections(
    holder: type[Holder], sections: Iterable[Section[Any]], changed: Mapping[str, object] | None = None
) -> type[Holder]:
    """A type with what a holder has, with the keys of these sections that are its own."""
    fields: list[Any] = [(name, kind, msgspec.field(default_factory=dict)) for name, kind in (changed or {}).items()]
    fields += [
        (one.key, one.type, msgspec.field(default_factory=one.default)) for one in sections if one.holder is holder
    ]
    made = msgspec.defstruct(holder.__name__, fields, bases=(holder,), frozen=True, forbid_unknown_fields=True)
    return cast("type[Holder]", made)
