"""Events in the local cloud without an API call: people on GitHub, images that CI pushes, new objects.

Each is a method of one of the local cloud's services, with its name and its arguments.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from localcloud.core.cloud import Cloud
from shared.errors import SettingsError
from shared.settings import convert
from shared.settings_words import nearest


def happenings_of(kind: type[Cloud]) -> Mapping[str, Callable[..., object]]:
    """Every happening of a kind of cloud: its method, by ``service.method``."""
    return {f"{service.name}.{method.__name__}": method for service in kind.services() for method in service.happenings}


def check_happening(happening: str, arguments: Mapping[str, object], kind: type[Cloud]) -> None:
    """Raises ``SettingsError`` for what cannot happen, and for arguments that are not of the method's types."""
    _typed(happening, arguments, kind)


def happen(happening: str, arguments: Mapping[str, object], cloud: Cloud) -> None:
    """Let it happen. Raises ``SettingsError``, and what the method raises."""
    service, _, method = happening.partition(".")
    typed = _typed(happening, arguments, type(cloud))
    getattr(getattr(cloud, service), method)(**{name: getattr(typed, name) for name in arguments})


def _typed(happening: str, arguments: Mapping[str, object], kind: type[Cloud]) -> msgspec.Struct:
    happenings = happenings_of(kind)
    if happening not in happenings:
        near = nearest(happening, happenings)
        expected = f"one of {', '.join(happenings)}"
        remedy = f"did you mean {near}?" if near else ""
        raise SettingsError("happening", happening, expected, remedy=remedy)
    type_ = _arguments_of(happening, happenings[happening])
    return convert(arguments, type_, "arguments")


@functools.cache
def _arguments_of(happening: str, method: Callable[..., object]) -> type[msgspec.Struct]:
    """The arguments of a happening, with the types that its method has for them."""
    _, *parameters = inspect.signature(method).parameters.values()
    fields: list[Any] = [
        (one.name, one.annotation) if one.default is one.empty else (one.name, one.annotation, one.default)
        for one in parameters
    ]
    return msgspec.defstruct(happening, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
