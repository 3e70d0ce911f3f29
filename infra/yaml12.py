"""Reads YAML as version 1.2 means it, as Terraform does too.

`on`, `off`, `yes` and `no` are plain words, and a key that comes twice is an error.
"""

import re
from collections.abc import Hashable

import yaml

MERGE = "tag:yaml.org,2002:merge"


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader, in which only `true` and `false` are booleans."""

    # PyYAML reads YAML 1.1, in which the key `on` of a rung would be the boolean true.
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002
        """The mapping of a node. Raises ``yaml.YAMLError`` for a key that comes twice, where PyYAML takes the last."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        "in a mapping", node.start_mark, f"the key {key.value!r} comes twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_yaml(text: str) -> object:
    """The value that the text holds. Raises ``yaml.YAMLError`` if it is no YAML."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of the safe loader
