"""The changes of a suite: desired and existing resources compared, as plain values."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from infra.deploy.resources import AnyResource, Subscription
from shared.errors import without_credentials

CREATE, UPDATE, DELETE = "+", "~", "-"
ACTIONS = {CREATE: "create", UPDATE: "update", DELETE: "delete"}
UNCHANGEABLE = frozenset({"topic", "filter"})
"""Of a subscription, which is then deleted and created again."""


class Change(msgspec.Struct, frozen=True):
    """One resource that is created, changed or deleted, and why."""

    action: str
    resource: AnyResource
    reason: str

    def __str__(self) -> str:
        kind, name = type(self.resource).__name__, self.resource.name
        return f"{self.action} {kind:<12} {name.rpartition('/')[2]} in {name.split('/')[1]}: {self.reason}"


def summary(planned: Iterable[Change]) -> str:
    """The number of changes of each kind."""
    actions = [change.action for change in planned]
    words = {CREATE: "to create", UPDATE: "to change", DELETE: "to delete"}
    return ", ".join(f"{actions.count(action)} {word}" for action, word in words.items() if action in actions)


def changes(existing: Iterable[AnyResource], desired: Iterable[AnyResource]) -> tuple[Change, ...]:
    """The changes from one to the other: deletions first, each before what it needs; then creations, each after."""
    there = {one.name: one for one in existing}
    wanted = {one.name: one for one in desired}
    gone = [Change(DELETE, one, "no longer configured") for name, one in there.items() if name not in wanted]
    return (*reversed(gone), *(change for one in wanted.values() for change in _towards(there.get(one.name), one)))


def _towards(there: AnyResource | None, wanted: AnyResource) -> Iterator[Change]:
    if there is None:
        yield Change(CREATE, wanted, "does not exist")
        return
    differing = dict(_differing(msgspec.structs.asdict(there), msgspec.structs.asdict(wanted)))
    how = ", ".join(f"{at} {how}" for at, how in differing.items())
    if isinstance(wanted, Subscription) and not UNCHANGEABLE.isdisjoint(differing):
        yield Change(DELETE, there, how)
        yield Change(CREATE, wanted, how)
    elif differing:
        yield Change(UPDATE, wanted, how)


def _differing(there: object, wanted: object, at: str = "") -> Iterator[tuple[str, str]]:
    """The differences of two values, within mappings and equally long lists of mappings; credentials are hidden."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys([*there, *wanted]):
            yield from _differing(there.get(key), wanted.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(there, list) and isinstance(wanted, list) and _are_alike(there, wanted):
        for place, (one, other) in enumerate(zip(there, wanted, strict=True)):
            yield from _differing(one, other, f"{at}[{place}]")
    elif there != wanted:
        yield at, f"{_worded(there)} -> {_worded(wanted)}"


def _are_alike(there: list[object], wanted: list[object]) -> bool:
    """Whether two lists can be compared place by place: a list of texts is read more easily as a whole."""
    return len(there) == len(wanted) and all(isinstance(one, Mapping) for one in (*there, *wanted))


def _worded(value: object) -> str:
    if value in (None, ""):
        return "none"
    return without_credentials(value if isinstance(value, str) else msgspec.json.encode(value).decode())
