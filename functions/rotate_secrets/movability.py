"""The dependents that a rotation could move, for `./deploy.sh doctor` and `plan` to report before one starts."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from functions.rotate_secrets.automation import AUTOMATION
from functions.rotate_secrets.dependents import reason_not_movable
from functions.rotate_secrets.questions import RotationNeed
from functions.rotate_secrets.records import Context, Records
from functions.rotate_secrets.settings import Settings
from functions.rotate_secrets.views import views
from shared.clients import Clients
from shared.events import Dated, Tick
from shared.looking import read_world
from shared.restrictions import SpendingRestrictions
from shared.world import Unreadable, World


class Movability(msgspec.Struct, frozen=True, kw_only=True):
    """The dependents of one secret that a rotation would meet."""

    key: str
    secret: str
    """Its full name."""
    is_managed: bool
    """Whether Google rotates it."""
    movable: tuple[str, ...]
    """Full names of dependents."""
    not_movable: dict[str, str]
    """By full name of a dependent, the reason."""
    unreadable: tuple[Unreadable, ...]


def movabilities(settings: Settings, clients: Clients, now: datetime) -> Iterator[Movability]:
    """For each secret, as far as it and its dependents can be read."""
    context = Context(
        event=Dated(Tick(every_seconds=600), "", now),
        records=Records(),
        restrictions=SpendingRestrictions(),
        settings=settings,
        now=now,
        project=clients.project,
    )
    world = read_world(msgspec.structs.replace(AUTOMATION, needs=_everything), context, clients, World())
    for view in views(context, world):
        reasons = {one.name: reason_not_movable(one, view.settings) for one in view.dependents}
        follows = bool(view.value.previous_secret)
        yield Movability(
            key=view.key,
            secret=view.name,
            is_managed=any(one.is_managed for one in view.found),
            movable=tuple(name for name, why in reasons.items() if follows or not why),
            not_movable={name: str(why) for name, why in reasons.items() if why and not follows},
            unreadable=view.unreadable,
        )


def _everything(context: Context, world: World) -> Iterator[RotationNeed]:
    for view in views(context, world):
        yield from view.lists
        yield from view.locations
