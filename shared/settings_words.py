"""The expectation of a settings type, in words, and the nearest value or key to a wrong one."""

import difflib
from collections.abc import Iterable, Sequence

from msgspec.inspect import (
    AnyType,
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
    Metadata,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

WORDS: dict[type[Type], str] = {
    AnyType: "any value",
    BoolType: "true or false",
    DateType: "a date such as 2026-12-25",
    DecimalType: "a number",
    FloatType: "a number",
    IntType: "a whole number",
    ListType: "a list",
    VarTupleType: "a list",
    DateTimeType: "a time such as 2026-11-01T09:00:00Z",
    DictType: "a mapping",
    NoneType: "no value",
    StrType: "text",
}


def expected(kind: Type) -> str:
    """The description of a type's values, such as ``a whole number from 1 to 10``."""
    bare, examples = unwrapped(kind)
    if isinstance(bare, UnionType):
        return either([expected(one) for one in bare.types if not isinstance(one, NoneType)])
    if found := choices(bare):
        return either(found)
    word = WORDS.get(type(bare), "a value")
    if examples:
        return f"{word} such as {examples[0]}{_bounds(bare)}"
    if isinstance(bare, StructType):
        return f"a mapping with {listed([field.encode_name for field in bare.fields if field.required] or ['keys'])}"
    return word + _bounds(bare)


def unwrapped(kind: Type) -> tuple[Type, Sequence[object]]:
    """A type without what is only said about it, and the examples that are."""
    if not isinstance(kind, Metadata):
        return kind, ()
    inner, examples = unwrapped(kind.type)
    return inner, (kind.extra_json_schema or {}).get("examples", examples)


def choices(kind: Type) -> list[str]:
    """The values of an enumeration or a literal; none for any other type."""
    kind, _ = unwrapped(kind)
    if isinstance(kind, UnionType):
        return [choice for one in kind.types for choice in choices(one)]
    if isinstance(kind, LiteralType):
        return [str(value) for value in kind.values]
    return [str(one.value) for one in kind.cls] if isinstance(kind, EnumType) else []


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like a wrong one, ignoring case; "" if none is."""
    by_folded = {one.lower().replace("-", "_"): one for one in known}
    close = difflib.get_close_matches(word.strip().lower().replace("-", "_"), by_folded, n=1)
    return by_folded[close[0]] if close else ""


def did_you_mean(near: str) -> str:
    """The end of a remedy: `` (did you mean api?)``; "" if nothing is near."""
    return f" (did you mean {near}?)" if near else ""


def either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def _bounds(kind: Type) -> str:
    if isinstance(kind, IntType | FloatType):
        if kind.ge is not None and kind.le is not None:
            return f" from {kind.ge} to {kind.le}"
        bounds = {
            "of at least": kind.ge,
            "greater than": kind.gt,
            "of at most": kind.le,
            "less than": kind.lt,
        }
        return "".join(f" {words} {bound:g}" for words, bound in bounds.items() if bound is not None)
    if isinstance(kind, StrType | ListType | VarTupleType | DictType):
        unit = "character" if isinstance(kind, StrType) else "entry"
        parts = [
            f"{words} {size} {unit if size == 1 else {'character': 'characters', 'entry': 'entries'}[unit]}"
            for words, size in (("at least", kind.min_length), ("at most", kind.max_length))
            if size is not None
        ]
        pattern = f" matching {kind.pattern}" if isinstance(kind, StrType) and kind.pattern else ""
        return (f" of {listed(parts)}" if parts else "") + pattern
    return ""
