"""The table of an automation's settings for its README: each key with its default and its meaning, from the types.

A key's meaning is the docstring below its field, or the description in its type.
"""

import ast
import functools
import importlib
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import TypeGuard

import msgspec
from msgspec.inspect import DictType, Field, ListType, Metadata, StructType, Type, UnionType, VarTupleType

from shared.settings_words import expected, unwrapped

HEADING = "## Settings"
ROWS = ("| key in `settings/caretaker.yaml` | default | value | meaning |", "|---|---|---|---|")


def settings_table(automation: str) -> list[str]:
    """The lines of the table of one automation."""
    section = importlib.import_module(f"functions.{automation}.settings").Settings
    kinds: dict[tuple[str, str], list[str]] = {}
    for key, kind, cells in _rows(msgspec.inspect.type_info(section), "", {}):
        kinds.setdefault((key, cells), []).extend([kind] if kind else [])
    return [*ROWS, *(_row(key, found, cells) for (key, cells), found in kinds.items())]


def _row(key: str, kinds: Sequence[str], cells: str) -> str:
    of_kinds = f" ({', '.join(kinds)})" if kinds else ""
    return f"| `{key}`{of_kinds} | {cells} |"


def with_settings(readme: str, automation: str) -> str:
    """A README whose section of settings is the table as it is now; a new section precedes the permissions."""
    table = "\n".join((HEADING, "", *settings_table(automation), ""))
    before, found, after = readme.partition(f"{HEADING}\n")
    if found:
        _, heading, after = after.partition("\n## ")
        return f"{before}{table}{heading}{after}"
    before, heading, after = readme.partition("## Permissions\n")
    return f"{before}{table}\n{heading}{after}"


def _rows(kind: Type, above: str, listed: dict[tuple[type, ...], str]) -> Iterator[tuple[str, str, str]]:
    """For each key that holds a value, also within nested structs: key, tag of its struct, and the other cells.

    Keys of structs that are ``listed`` already, by the key above them, are not repeated.
    """
    classes = tuple(struct.cls for struct in _structs(kind))
    if classes in listed:
        yield above.removesuffix("."), "", f" | the same keys as `{listed[classes].removesuffix('.')}` | "
        return
    listed[classes] = above
    for struct in _structs(kind):
        meanings = _meanings(struct.cls)
        for field in struct.fields:
            inner, name = _below(field.type, f"{above}{field.encode_name}")
            meaning = _escaped(_meaning(field, meanings))
            if any(True for _ in _structs(inner)):
                yield from _rows(inner, f"{name}.", listed)
            elif not meaning.startswith(PUT_IN):
                cells = f"{_default(field)} | {_escaped(expected(field.type))} | {meaning}"
                yield name.removesuffix("[]"), str(struct.tag or ""), cells


PUT_IN = "Put in by the deployment"
"""The beginning of the meaning of a key that no owner writes."""


def _below(kind: Type, name: str) -> tuple[Type, str]:
    """The type inside mappings and lists of a type, and its key as it is written."""
    bare, _ = unwrapped(kind)
    if isinstance(bare, UnionType):
        inner = [one for one in bare.types if any(True for _ in _structs(_below(one, name)[0]))]
        return (_below(inner[0], name) if len(inner) == 1 else (bare, name)) if inner else (bare, name)
    if isinstance(bare, DictType):
        return _below(bare.value_type, f"{name}.KEY")
    if isinstance(bare, ListType | VarTupleType):
        return _below(bare.item_type, f"{name}[]")
    return bare, name


def _structs(kind: Type) -> Iterator[StructType]:
    bare, _ = unwrapped(kind)
    if isinstance(bare, UnionType):
        for one in bare.types:
            yield from _structs(one)
    elif isinstance(bare, StructType):
        yield bare


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT or field.default in (None, "", ()):
        return ""
    value = field.default
    return f"`{value}`" if not isinstance(value, bool) else f"`{str(value).lower()}`"


def _meaning(field: Field, meanings: dict[str, str]) -> str:
    if described := meanings.get(field.name):
        return described
    kind = field.type
    schema = kind.extra_json_schema if isinstance(kind, Metadata) else None
    return str((schema or {}).get("description", ""))


@functools.cache
def _meanings(cls: type) -> dict[str, str]:
    """The docstrings below the fields of a class and its bases, on one line each."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not (issubclass(base, msgspec.Struct) and base.__module__.startswith(("functions.", "shared."))):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in itertools.pairwise(statements):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(text):
                found[field.target.id] = " ".join(ast.literal_eval(text.value).split())
    return found


def _is_text(statement: ast.stmt) -> TypeGuard[ast.Expr]:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _escaped(text: str) -> str:
    """Text for the cell of a table."""
    return text.partition(" matching ")[0].replace("|", "\\|").replace("``", "`")
