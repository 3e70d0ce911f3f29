"""Reads YAML as version 1.2 means it, where `on`, `off`, `yes` and `no` are plain words, as Terraform does too."""

import re

import yaml


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader, in which only `true` and `false` are booleans."""

    # PyYAML reads YAML 1.1, in which the key `on` of a rung would be the boolean true.
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_yaml(text: str) -> object:
    """The value that the text holds. Raises ``yaml.YAMLError`` if it is no YAML."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of the safe loader
