"""Finds everything that is wrong in settings, each with its key, its value, what was expected and the nearest value.

msgspec stops at the first error and names neither key nor value, so this walks the data along the type once msgspec has
refused it. The rules are msgspec's own: each leaf is judged by `msgspec.convert`, each part that is right in itself by
its ``__post_init__``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec
from msgspec.inspect import (
    BoolType,
    DateTimeType,
    DateType,
    DecimalType,
    DictType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

from shared.decoding import converted, decoded
from shared.errors import SettingsError
from shared.settings_words import choices, did_you_mean, either, expected, nearest, unwrapped

LEAVES: dict[type[Type], type] = {
    BoolType: bool,
    DateTimeType: datetime,
    DateType: date,
    DecimalType: Decimal,
    FloatType: float,
    IntType: int,
    NoneType: type(None),
    StrType: str,
}


def errors_in(data: object, type_: type, key: str, *, strict: bool = True) -> list[SettingsError]:
    """Each thing for which ``data`` under ``key`` is not of the type; ``strict=False`` takes texts for numbers."""
    return list(_Walk(strict=strict).errors(data, msgspec.inspect.type_info(type_), key))


def child(key: str, name: object) -> str:
    """The key of what is inside another."""
    return f"{key}.{name}" if key else str(name)


def invalid(key: str, value: object, kind: Type, *, strict: bool = True) -> SettingsError:
    """The error of a value that is not of the type."""
    words = expected(kind)
    hint = hint_for(value, kind) if strict else ""
    problem = f"no value for {key}" if value is None else ""
    if not key:
        problem = f"found a {'list' if isinstance(value, list) else 'single value'}"
    return SettingsError(key, value, words, problem=problem, remedy=f"expected {words}{hint}")


class _Walk:
    """One walk through data and its type."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def errors(self, data: object, kind: Type, key: str) -> Iterator[SettingsError]:
        """The errors in the data, from top to bottom."""
        bare, _ = unwrapped(kind)
        match bare:
            case UnionType():
                yield from self._union(data, bare, key)
            case StructType():
                yield from self._struct(data, bare, key)
            case DictType() if isinstance(data, Mapping):
                yield from self._sizes(data, kind, bare, key)
                for name, value in data.items():
                    yield from self._key(name, bare.key_type, key)
                    yield from self.errors(value, bare.value_type, child(key, name))
            case ListType() | VarTupleType() if isinstance(data, list | tuple):
                yield from self._sizes(data, kind, bare, key)
                for place, value in enumerate(data):
                    yield from self.errors(value, bare.item_type, f"{key}[{place}]")
            case _ if not self._is_leaf(data, bare):
                yield invalid(key, data, kind, strict=self._strict)

    def _union(self, data: object, kind: UnionType, key: str) -> Iterator[SettingsError]:
        structs = [one for one in map(_bare, kind.types) if isinstance(one, StructType)]
        if isinstance(data, Mapping) and structs:
            yield from self._one_of(data, structs, key)
        elif all(any(True for _ in self.errors(data, one, key)) for one in kind.types):
            if len(alike := [one for one in kind.types if _fits(data, _bare(one))]) == 1:
                yield from self.errors(data, alike[0], key)
            else:
                yield invalid(key, data, kind, strict=self._strict)

    def _one_of(self, data: Mapping[str, object], structs: Sequence[StructType], key: str) -> Iterator[SettingsError]:
        """The kind that the data's tag names, or the only one there is."""
        tag = structs[0].tag_field
        found = [one for one in structs if one.tag_field is None or data.get(one.tag_field) == one.tag]
        if found:
            yield from self._struct(data, found[0], key)
            return
        known = [str(one.tag) for one in structs]
        yield _wrong_choice(child(key, tag), data.get(tag or ""), known)

    def _struct(self, data: object, kind: StructType, key: str) -> Iterator[SettingsError]:
        if not isinstance(data, Mapping):
            yield invalid(key, data, kind, strict=self._strict)
            return
        fields = {field.encode_name: field for field in kind.fields}
        own = {kind.tag_field} if kind.tag_field else set()
        wrong = [
            error
            for name, value in data.items()
            if name in fields
            for error in self.errors(value, fields[name].type, child(key, name))
        ]
        unknown = [name for name in data if name not in {*fields, *own}] if kind.forbid_unknown_fields else []
        wrong += [_unknown(child(key, name), name, data[name], list(fields)) for name in unknown]
        misspelled = {nearest(name, fields) for name in unknown}
        wrong += [
            SettingsError(child(key, name), None, expected(field.type))
            for name, field in fields.items()
            if field.required and name not in {*data, *misspelled}
        ]
        yield from wrong or self._as_a_whole(data, kind, key)

    def _as_a_whole(self, data: Mapping[str, object], kind: StructType, key: str) -> Iterator[SettingsError]:
        """The refusals of the type's own ``__post_init__``, where every field is right."""
        try:
            self._convert(data, kind.cls)
        except msgspec.ValidationError as error:
            cause = error.__cause__
            if not isinstance(cause, SettingsError):
                yield SettingsError(key, dict(data), expected(kind))
                return
            for one in cause.errors:
                yield one.renamed(child(key, one.key))

    def _key(self, name: object, kind: Type, key: str) -> Iterator[SettingsError]:
        for error in self.errors(name, kind, key):
            where = f" in {key}" if key else ""
            yield SettingsError(
                child(key, name), name, error.expected, problem=f"invalid key {name!r}{where}", remedy=error.remedy
            )

    def _sizes(self, data: object, kind: Type, bare: Type, key: str) -> Iterator[SettingsError]:
        if isinstance(bare, DictType | ListType | VarTupleType) and isinstance(data, Mapping | Sequence):
            longest = len(data) if bare.max_length is None else bare.max_length
            if not (bare.min_length or 0) <= len(data) <= longest:
                yield invalid(key, data, kind, strict=self._strict)

    def _is_leaf(self, data: object, kind: Type) -> bool:
        if isinstance(kind, EnumType | LiteralType):
            return isinstance(data, str | int) and str(data) in choices(kind) and not isinstance(data, bool)
        wanted = LEAVES.get(type(kind))
        if wanted is None:
            return not isinstance(kind, DictType | ListType | VarTupleType)
        try:
            value = self._convert(data, wanted)
        except msgspec.ValidationError:
            return False
        return _is_within(value, kind)

    def _convert(self, data: object, type_: type) -> object:
        if self._strict:
            return decoded(msgspec.json.encode(data), type_)
        return converted(data, type_, strict=False)


def _bare(kind: Type) -> Type:
    return unwrapped(kind)[0]


def _fits(data: object, kind: Type) -> bool:
    """Whether data has the shape of a type, regardless of its content."""
    if isinstance(data, Mapping):
        return isinstance(kind, DictType | StructType)
    if isinstance(data, list):
        return isinstance(kind, ListType | VarTupleType)
    return not isinstance(kind, DictType | StructType | ListType | VarTupleType | NoneType)


def _is_within(value: object, kind: Type) -> bool:
    """Whether a leaf keeps to the bounds, the length and the pattern of its type."""
    if isinstance(kind, IntType | FloatType) and isinstance(value, int | float):
        return (
            (kind.ge is None or value >= kind.ge)
            and (kind.gt is None or value > kind.gt)
            and (kind.le is None or value <= kind.le)
            and (kind.lt is None or value < kind.lt)
        )
    if isinstance(kind, StrType) and isinstance(value, str):
        longest = len(value) if kind.max_length is None else kind.max_length
        return (kind.min_length or 0) <= len(value) <= longest and bool(re.search(kind.pattern or "", value))
    return not (isinstance(kind, DateTimeType) and isinstance(value, datetime) and kind.tz and value.tzinfo is None)


def _wrong_choice(key: str, value: object, known: Sequence[str]) -> SettingsError:
    hint = nearest(value, known) if isinstance(value, str) else ""
    remedy = f"expected {either(known)}{did_you_mean(hint)}"
    return SettingsError(key, value, either(known), remedy=remedy)


def _unknown(key: str, name: str, value: object, known: Sequence[str]) -> SettingsError:
    is_yaml_1_1 = name == "true" and "on" in known
    hint = "on" if is_yaml_1_1 else nearest(name, known)
    words = f"one of {', '.join(known)}" if known else "no key here"
    remedy = f"did you mean {hint}?" if hint else f"expected {words}"
    if is_yaml_1_1:
        remedy += " A program that writes YAML 1.1 has made `true` of it."
    return SettingsError(key, value, words, problem=f"unknown key {key}", remedy=remedy)


def hint_for(value: object, kind: Type) -> str:
    """The nearest value that would be right, if there is one."""
    bare, _ = unwrapped(kind)
    near = ""
    if isinstance(value, str):
        near = nearest(value, choices(kind))
        if isinstance(bare, BoolType):
            near = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), "")
        elif isinstance(bare, IntType | FloatType | DecimalType) and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value):
            near = f"{value}, without quotes"
    if isinstance(bare, ListType | VarTupleType) and isinstance(value, str | int | float):
        near = f"[{value}]"
    return did_you_mean(near)
