"""Reads YAML 1.2, as editors and most other programs do; PyYAML alone reads YAML 1.1.

Plain words and numbers are those of the core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `on` and `no` are
text, `012` is twelve, `1:12` is text, `0o30` is 24, `1e0` is a number, and a date is text.
"""

import re
from collections.abc import Hashable, Iterator

import yaml

MERGE = "tag:yaml.org,2002:merge"
MOST_NODES = 100_000
"""Values in a document once its aliases are expanded; the largest world of the tests has a tenth of them."""

_CORE = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", "~nN"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


class TooLargeError(yaml.YAMLError):
    """A document whose aliases make it too large, or let it contain itself."""


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the core schema of YAML 1.2."""

    yaml_implicit_resolvers = {"<": [(MERGE, re.compile("^<<$"))]}  # of YAML 1.1, and widely used

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002
        """The mapping of a node. Raises ``yaml.YAMLError`` for a duplicate key, where PyYAML takes the last."""
        for first, again in duplicate_keys(node):
            raise yaml.constructor.ConstructorError(
                "in a mapping", first.start_mark, f"duplicate key {again.value!r}", again.start_mark
            )
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """A whole number: decimal even with a leading zero, octal with `0o`, hexadecimal with `0x`."""
        text = str(node.value)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


for _name, (_pattern, _first) in _CORE.items():
    firsts = [*_first, ""] if _name == "null" else list(_first)
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), firsts)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)


def read_yaml(text: str) -> object:
    """The value that the text holds. Raises ``yaml.YAMLError`` if it is no YAML, or too large."""
    return value_of(*compose(text))


def compose(text: str) -> tuple[Loader, yaml.Node | None]:
    """The nodes of a text, which know their lines. Raises ``yaml.YAMLError``."""
    loader = Loader(text)
    try:
        node = loader.get_single_node()
    except RecursionError:
        raise TooLargeError("nested too deeply") from None
    if node is not None and _size(node, {}, set()) > MOST_NODES:
        raise TooLargeError(f"more than {MOST_NODES} values once its aliases are expanded")
    return loader, node


def value_of(loader: Loader, node: yaml.Node | None) -> object:
    """The value of composed nodes. Raises ``yaml.YAMLError``."""
    return None if node is None else loader.construct_document(node)


def duplicate_keys(node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
    """The keys that a mapping has more than once: where it was first, and each time that it comes again."""
    seen: dict[str, yaml.ScalarNode] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
            first = seen.setdefault(key.value, key)
            if first is not key:
                yield first, key


def children(node: yaml.Node) -> list[yaml.Node]:
    """The nodes directly inside a node."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _size(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """The number of values in a node with its aliases expanded, counted without expanding them."""
    if id(node) in above:
        raise TooLargeError("contains itself through an alias")
    if id(node) not in known:
        known[id(node)] = 1 + sum(_size(child, known, above | {id(node)}) for child in children(node))
    return known[id(node)]
