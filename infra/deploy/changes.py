"""What of a suite would change: what is asked for held against what is there, as plain values."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from infra.deploy.resources import AnyResource, Subscription

CREATE, UPDATE, DELETE = "+", "~", "-"
UNCHANGEABLE = frozenset({"topic", "filter"})
"""Of a subscription, which then goes and comes anew."""
LONGEST = 60


class Change(msgspec.Struct, frozen=True):
    """One thing that is made, changed or taken away, and why."""

    action: str
    resource: AnyResource
    reason: str

    def __str__(self) -> str:
        kind, name = type(self.resource).__name__, self.resource.name.rpartition("/")[2]
        return f"{self.action} {kind:<12} {name}: {self.reason}"


def summary(planned: Iterable[Change]) -> str:
    """How many of them there are of each kind."""
    actions = [change.action for change in planned]
    words = {CREATE: "to create", UPDATE: "to change", DELETE: "to take away"}
    return ", ".join(f"{actions.count(action)} {word}" for action, word in words.items() if action in actions)


def changes(existing: Iterable[AnyResource], desired: Iterable[AnyResource]) -> tuple[Change, ...]:
    """What turns the one into the other: what goes first, each before what it needs; then what comes, each after."""
    there = {one.name: one for one in existing}
    wanted = {one.name: one for one in desired}
    gone = [Change(DELETE, one, "nothing asks for it") for name, one in there.items() if name not in wanted]
    return (*reversed(gone), *(change for one in wanted.values() for change in _towards(there.get(one.name), one)))


def _towards(there: AnyResource | None, wanted: AnyResource) -> Iterator[Change]:
    if there is None:
        yield Change(CREATE, wanted, "it is not there")
        return
    differing = dict(_differing(msgspec.structs.asdict(there), msgspec.structs.asdict(wanted)))
    how = ", ".join(f"{at} {how}" for at, how in differing.items())
    if isinstance(wanted, Subscription) and not UNCHANGEABLE.isdisjoint(differing):
        yield Change(DELETE, there, how)
        yield Change(CREATE, wanted, how)
    elif differing:
        yield Change(UPDATE, wanted, how)


def _differing(there: object, wanted: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Where two values differ, as deep as both are mappings, and how."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys([*there, *wanted]):
            yield from _differing(there.get(key), wanted.get(key), f"{at}.{key}" if at else str(key))
    elif there != wanted:
        yield at, f"{_short(there)} -> {_short(wanted)}"


def _short(value: object) -> str:
    if value in (None, ""):
        return "none"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
