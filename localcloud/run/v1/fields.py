"""The fields of Cloud Run's API version 1 (Knative's form) for those of version 2, as a table read both ways.

https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services and .../v2/projects.locations.services. Both
are JSON here. A path names keys, and places of lists, with ``|`` between them.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from localcloud.core.messages import invalid

Json = dict[str, Any]

GOOGLES = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")
"""Namespaces whose labels and annotations version 2 has as fields."""
PASSED_OVER = frozenset(
    (
        *("run.googleapis.com/client-name", "run.googleapis.com/client-version"),  # of a template
        *("serving.knative.dev/creator", "serving.knative.dev/lastModifier", "run.googleapis.com/ingress-status"),
        *("run.googleapis.com/operation-id", "run.googleapis.com/urls", "cloud.googleapis.com/location"),
        *("run.googleapis.com/lastModifier", "run.googleapis.com/creator"),
        "run.googleapis.com/scalingMode",  # of a worker pool, which has no other mode
    )
)
"""Annotations that Google writes, that version 2 has no field for, and that nothing depends on."""


@dataclass(frozen=True)
class Field:
    """A value that both versions have."""

    v1: str
    v2: str
    down: Callable[[Any], Any] = lambda value: value
    """Makes version 1's form of version 2's."""
    up: Callable[[Any], Any] = lambda value: value
    """Makes version 2's form of version 1's."""
    default: Any = None
    """Version 1's, where that differs from version 2's: what is left out there means this."""


def number(v1: str, v2: str) -> Field:
    """A whole number, which an annotation has as text."""
    return Field(v1, v2, down=str, up=_whole_number(v1))


def flag(v1: str, v2: str, *, default: str | None = None) -> Field:
    """A flag, which an annotation has as text."""
    return Field(v1, v2, down=lambda value: str(value).lower(), up=lambda text: text == "true", default=default)


def enum(v1: str, v2: str, prefix: str) -> Field:
    """An enum, which an annotation has in lower case, with hyphens and without its prefix."""
    return Field(
        v1,
        v2,
        down=lambda value: value.removeprefix(prefix).lower().replace("_", "-"),
        up=lambda text: prefix + text.upper().replace("-", "_"),
    )


def seconds(v1: str, v2: str) -> Field:
    """A duration, in version 1 a number of seconds."""
    return Field(v1, v2, down=lambda text: int(float(text.removesuffix("s"))), up=lambda count: f"{count}s")


def keys(v1: str, v2: str) -> Field:
    """Labels or annotations without Google's own, which are fields."""
    return Field(v1, v2, down=_without_googles, up=_without_googles)


def down(v2: Json, fields: Iterable[Field]) -> Json:
    """Version 1's form of a resource."""
    found: Json = {}
    for field in fields:
        value = get(v2, field.v2)
        if value is not None and (made := field.down(value)) != field.default:
            put(found, field.v1, made)
    return found


def up(v1: Json, fields: Iterable[Field], current: Json | None = None) -> Json:
    """Version 2's form of a resource; what version 1 has no words for stays as it is."""
    found = deepcopy(current or {})
    table = tuple(fields)
    _check_annotations(v1, table)
    for field in table:
        value = get(v1, field.v1)
        value = field.default if value is None else value
        if value is not None:
            put(found, field.v2, field.up(value))
        elif get(found, field.v2) is not None:
            remove(found, field.v2)
    return found


def get(tree: Any, path: str) -> Any:  # noqa: ANN401 - JSON of any kind
    """The value at a path, None if there is none."""
    for key in path.split("|"):
        if isinstance(tree, list):
            tree = tree[int(key)] if int(key) < len(tree) else None
        else:
            tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def put(tree: Json, path: str, value: object) -> None:
    """Set the value at a path; maps are merged, as several fields write to one."""
    *outer, last = path.split("|")
    at: Any = tree
    for key in outer:
        at = at[int(key)] if isinstance(at, list) else at.setdefault(key, {})
    if isinstance(value, Mapping) and isinstance(at.get(last), dict):
        at[last].update(value)
    else:
        at[last] = value


def remove(tree: Json, path: str) -> None:
    """Take away the value at a path, which is there."""
    outer, _, last = path.rpartition("|")
    at = get(tree, outer) if outer else tree
    del at[last]


def is_googles(key: str) -> bool:
    """Whether a label or annotation is in a namespace of Google's."""
    return key.partition("/")[0].endswith(GOOGLES)


def _without_googles(found: Json) -> Json:
    return {key: value for key, value in found.items() if not is_googles(key)}


def _check_annotations(v1: Json, fields: Iterable[Field]) -> None:
    """Refuse what would be lost: annotations of Google's that no field stands for."""
    known = {field.v1 for field in fields}
    for place in ("metadata", "spec|template|metadata"):
        for key in get(v1, f"{place}|annotations") or {}:
            if is_googles(key) and key not in PASSED_OVER and f"{place}|annotations|{key}" not in known:
                raise invalid(f"{place.replace('|', '.')}.annotations: {key!r} is not served by the local cloud")


def _whole_number(path: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not str(text).isdecimal():
            raise invalid(f"{path.replace('|', '.')}: {text!r} is not a whole number")
        return int(text)

    return read
