"""YAML as a person would write it, line by line: comments, short mappings on one line, no quotes without need."""

import re
from collections.abc import Iterable, Mapping

import msgspec

PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_@./ -]*")
"""Text that YAML 1.2 reads as itself without quotes."""
RESERVED = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def inline(value: object) -> str:
    """A value on one line."""
    match value:
        case bool() | int() | float() | None:
            return msgspec.json.encode(value).decode()
        case str():
            is_plain = PLAIN.fullmatch(value) and value == value.strip() and value.lower() not in RESERVED
            return value if is_plain else msgspec.json.encode(value).decode()
        case Mapping():
            return "{" + ", ".join(f"{inline(key)}: {inline(one)}" for key, one in value.items()) + "}"
        case Iterable():
            return "[" + ", ".join(map(inline, value)) + "]"
    raise TypeError(f"{type(value).__name__} is no value of settings")


def indented(lines: Iterable[str], by: int = 2) -> list[str]:
    """Lines further to the right."""
    return [f"{' ' * by}{line}" if line else "" for line in lines]


def commented(lines: Iterable[str]) -> list[str]:
    """Lines that YAML does not read, to be uncommented by the owner."""
    return [f"# {line}".rstrip() for line in lines]


def key_of(name: str, taken: Iterable[str] = ()) -> str:
    """A key from the name of a thing: lower case, with hyphens, and different from the keys that are taken."""
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"
    known = set(taken)
    return next(one for one in (key, *(f"{key}-{number}" for number in range(2, 10_000))) if one not in known)
