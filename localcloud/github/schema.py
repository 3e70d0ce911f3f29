"""GitHub's own OpenAPI description, as far as it is served: what requests must be like, and what answers have.

``infra/tools/github_openapi.py`` makes the file from npm's ``@octokit/openapi`` (MIT: the licence is beside it).
"""

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from shared.decoding import decoded

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

HOST = "api.github.com"
API = f"https://{HOST}"
FILE = Path(__file__).parents[1] / "data/github_openapi.json"

Json = dict[str, object]

WITH_SLASHES = {"ref"}
"""A branch such as ``feature/sale`` is asked for by its name as it is, or with the slash encoded."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter in the path or the query."""

    name: str
    place: str = msgspec.field(name="in")
    schema: Json = {}

    @property
    def is_integer(self) -> bool:
        """Whether it is a number."""
        return self.schema.get("type") == "integer"


class Body(msgspec.Struct, frozen=True):
    """The parameters and body of a request."""

    required: bool
    schema: Json


class Operation(msgspec.Struct, frozen=True):
    """An operation of the API; ``answers`` has the schema of each good answer, by status, None for no content."""

    verb: str
    path: str
    documentation_url: str
    parameters: tuple[Parameter, ...]
    answers: dict[str, Json | None]
    body: Body | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The paths of its requests, under GitHub's host."""
        path = re.sub(
            r"\\{(\w+)\\}",
            lambda found: f"(?P<{found[1]}>{'.+' if found[1] in WITH_SLASHES else '[^/]+'})",
            re.escape(self.path),
        )
        return re.compile(re.escape(HOST) + path)

    def named(self, place: str) -> Mapping[str, Parameter]:
        """The parameters in the path or the query, by name."""
        return {one.name: one for one in self.parameters if one.place == place}


class Description(msgspec.Struct, frozen=True):
    """The whole file: operations by GitHub's ids, and the schemas that they refer to."""

    source: str
    operations: dict[str, Operation]
    components: dict[str, dict[str, Json]]


@functools.cache
def description() -> Description:
    """GitHub's description."""
    return decoded(FILE.read_bytes(), Description)


def problems(schema: Json, value: object) -> Iterator[str]:
    """The fault of a value, in words; none if it matches the schema."""
    for error in sorted(_validator(msgspec.json.encode(schema)).iter_errors(value), key=lambda one: one.json_path):
        where = "/".join(f"properties/{key}" if isinstance(key, str) else f"items/{key}" for key in error.absolute_path)
        yield f"For '{where}', {error.message}." if where else f"{error.message}."


@functools.cache
def _validator(schema: bytes) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator({**msgspec.json.decode(schema), "components": description().components})


def completed(name: str, known: Json) -> Json:
    """A response that matches the schema: the known fields, and an empty value for every other required field.

    The empty value is null if the schema allows it, else an empty text or list, 0, false, the API's address, or the
    first choice.
    """
    return {**_filled(name), **known}


@functools.cache
def _filled(name: str) -> Json:
    """An object of this schema with empty values, even where null is allowed."""
    return cast("Json", _empty({**description().components["schemas"][name], "type": "object"}))


@functools.cache
def _saying_nothing(name: str) -> object:
    return _empty(description().components["schemas"][name])


def _empty(schema: Json) -> object:
    if isinstance(reference := schema.get("$ref"), str):
        return _saying_nothing(reference.rpartition("/")[2])
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            choices = cast("list[Json]", schema[alternatives])
            return None if {"type": "null"} in choices else _empty(choices[0])
    if isinstance(schema.get("type"), list):
        return None
    return cast("list[object]", schema["enum"])[0] if "enum" in schema else _empty_of_type(schema)


def _empty_of_type(schema: Json) -> object:
    match schema["type"]:
        case "object":
            parts = cast("dict[str, Json]", schema.get("properties", {}))
            return {name: _empty(parts[name]) for name in cast("list[str]", schema.get("required", []))}
        case "string":
            return {"uri": f"{API}/", "date-time": "1970-01-01T00:00:00Z"}.get(str(schema.get("format")), "")
    return {"integer": 0, "boolean": False, "array": []}[str(schema["type"])]
