"""Every secret that is decided on: those of the settings, and those that have left them with something still to do."""

from collections.abc import Mapping

import msgspec

from functions.rotate_secrets.records import Context
from functions.rotate_secrets.settings import Location, Secret, Settings
from functions.rotate_secrets.terms import Terms
from functions.rotate_secrets.view import SecretView, is_bound, lists_of
from functions.rotate_secrets.world import ExistingSecret
from shared.world import World


def views(context: Context, world: World) -> list[SecretView]:
    """Every secret of the settings, and every one that has left them while something is still to be done for it."""
    wanted = {
        secret.secret: Terms(key=key, secret=secret, locations=_locations(secret, context.settings))
        for key, secret in context.settings.secrets.items()
    }
    names = dict.fromkeys((*wanted, *context.records.rotations))
    return [_view(name, wanted.get(name), context, world) for name in names]


def _view(name: str, wanted: Terms | None, context: Context, world: World) -> SecretView:
    """One secret by its name, and by what the settings want, if they have it."""
    recorded = context.records.rotations.get(name)
    if recorded and wanted:
        # A key is a label: reports use today's, not the recorded one.
        recorded = msgspec.structs.replace(recorded, key=wanted.key)
        recorded = recorded if is_bound(_found(recorded.secret, world)) else None
    terms = recorded or wanted or context.records.rotations[name]
    problems = (str(entry) for entry in context.unreadable if (entry.field, entry.key) == ("rotations", name))
    return SecretView(
        terms=terms,
        recorded=recorded,
        context=context,
        world=world,
        wanted_locations=wanted.locations if wanted else (),
        found=_found(terms.secret, world),
        is_removed=wanted is None,
        problem=next(problems, ""),
    )


def _locations(secret: Secret, settings: Settings) -> tuple[Location, ...]:
    return settings.dependents_in if secret.dependents_in is None else secret.dependents_in


def _found(secret: Secret, world: World) -> tuple[ExistingSecret, ...]:
    known = [answer for need in lists_of(secret) if isinstance(answer := world.get(need), Mapping)]
    return tuple(answer[name] for name in secret.names for answer in known if name in answer)
