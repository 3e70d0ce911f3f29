"""What happens in the local cloud without a call of any API: people on GitHub, images that CI pushes, new objects.

Each is a method of one of the local cloud's services, with its name and its arguments.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from localcloud import LocalCloud
from localcloud.artifact_registry.service import ArtifactRegistry
from localcloud.github.people import Activity
from localcloud.run.services import CloudRun
from localcloud.storage.service import CloudStorage
from shared.errors import SettingsError
from shared.settings import convert
from shared.settings_words import nearest

_ON_GITHUB = (
    *(Activity.open_pull_request, Activity.push, Activity.close, Activity.reopen, Activity.delete_fork),
    *(Activity.set_draft, Activity.label, Activity.unlabel, Activity.comment, Activity.deploy),
    *(Activity.set_permission, Activity.add_installation),
)
_IN_ARTIFACT_REGISTRY = (ArtifactRegistry.push_image, ArtifactRegistry.delete_image)
HAPPENINGS: Mapping[str, Callable[..., object]] = {
    **{f"github.{method.__name__}": method for method in _ON_GITHUB},
    **{f"artifact_registry.{method.__name__}": method for method in _IN_ARTIFACT_REGISTRY},
    "run.fail_instances": CloudRun.fail_instances,
    "storage.write": CloudStorage.write,
    "run.reject_version": CloudRun.reject_version,
}
"""By the service's name in `LocalCloud` and the method's."""


def check_happening(happening: str, arguments: Mapping[str, object]) -> None:
    """Raises ``SettingsError`` for what cannot happen, and for arguments that are not of the method's types."""
    _typed(happening, arguments)


def happen(happening: str, arguments: Mapping[str, object], cloud: LocalCloud) -> None:
    """Let it happen. Raises ``SettingsError``, and what the method raises."""
    service, _, method = happening.partition(".")
    typed = _typed(happening, arguments)
    getattr(getattr(cloud, service), method)(**{name: getattr(typed, name) for name in arguments})


def _typed(happening: str, arguments: Mapping[str, object]) -> msgspec.Struct:
    if happening not in HAPPENINGS:
        near = nearest(happening, HAPPENINGS)
        expected = f"one of {', '.join(HAPPENINGS)}"
        remedy = f"did you mean {near}?" if near else ""
        raise SettingsError("happening", happening, expected, remedy=remedy)
    type_ = _arguments_of(happening)
    return convert(arguments, type_, "arguments")


@functools.cache
def _arguments_of(happening: str) -> type[msgspec.Struct]:
    """The arguments of a happening, with the types that its method has for them."""
    _, *parameters = inspect.signature(HAPPENINGS[happening]).parameters.values()
    fields: list[Any] = [
        (one.name, one.annotation) if one.default is one.empty else (one.name, one.annotation, one.default)
        for one in parameters
    ]
    return msgspec.defstruct(happening, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
