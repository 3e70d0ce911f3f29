"""The initial state of the local cloud: read from ``--world FILE`` or from data, and created."""

from pathlib import Path

from localcloud import LocalCloud
from localcloud.core.world import seed, world_type
from localcloud.core.world_format import World
from localcloud.core.world_place import WorldError
from shared.settings import convert
from shared.yaml_file import YamlFile, located_in, read_yaml_file

__all__ = ["World", "WorldError", "load_world", "read_world", "seed", "world_from"]

_TYPE = world_type(LocalCloud.services())


def load_world(path: Path) -> World:
    """Read a world from a YAML file. Raises SettingsError with every key that is wrong, and its line."""
    return read_world(path)[1]


def read_world(path: Path) -> tuple[YamlFile, World]:
    """A world, and the lines of its keys for what `seed` may refuse. Raises SettingsError."""
    file = read_yaml_file(path)
    if file.data is not None:
        file.mapping("`projects`, `billing_accounts` or `github`")
    with located_in(file):
        return file, world_from(file.data)


def world_from(data: object) -> World:
    """Read a world from data that is parsed already; None is an empty one. Raises SettingsError."""
    return convert({} if data is None else data, _TYPE, "", may_end_in_line_break=True)
