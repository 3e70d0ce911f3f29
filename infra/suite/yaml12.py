"""Reads YAML as version 1.2 means it, as Terraform does too.

`on`, `off`, `yes` and `no` are plain words, and a key that comes twice is an error.
"""

import re
from collections.abc import Hashable
from pathlib import Path

import yaml

from shared.errors import SettingsError

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


def load_yaml(path: Path) -> object:
    """The value that a file holds. Raises ``SettingsError`` with the file, what is wrong in it, and what would do."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), None, f"a readable file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), error.object[error.start : error.end], f"UTF-8 ({error.reason})") from error
    try:
        return read_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        written = text.splitlines()[line:][:1] or text.splitlines()[-1:]
        raise SettingsError(f"{path}, line {line + 1}", "".join(written), f"YAML ({error.problem})") from error
    except yaml.reader.ReaderError as error:
        raise SettingsError(str(path), chr(int(error.character)), f"YAML ({error.reason})") from error


def read_yaml(text: str) -> object:
    """The value that the text holds. Raises ``yaml.YAMLError`` if it is no YAML."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of the safe loader
