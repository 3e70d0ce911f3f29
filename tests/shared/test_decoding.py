"""Typed values: what a type is made of is worked out by one thread at a time."""

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from shared import decoding
from shared.decoding import converted, decoded, decoder_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("functions", "infra", "jobs", "local", "localcloud", "report", "shared", "simulate")
TYPED = {"msgspec.convert", "msgspec.json.Decoder", "Decoder", "json.Decoder"}


class Inner(msgspec.Struct, frozen=True):
    """A part."""

    number: int


class Whole(msgspec.Struct, frozen=True):
    """A type of several."""

    inner: Inner


class Other(msgspec.Struct, frozen=True):
    """A type that is used later."""

    inner: Inner


def test_json_and_plain_values_become_the_type() -> None:
    assert decoded(b'{"inner": {"number": 1}}', Whole) == Whole(Inner(1))
    assert converted({"inner": {"number": 1}}, Whole) == Whole(Inner(1))
    assert decoded('["1"]', list[int], strict=False) == converted(["1"], list[int], strict=False) == [1]
    with pytest.raises(msgspec.ValidationError, match="Expected `int`, got `str`"):
        decoded('["1"]', list[int])


def test_the_first_use_of_a_type_waits_for_that_of_another_and_no_other_use_does() -> None:
    assert decoder_of(Whole) is decoder_of(Whole)
    with ThreadPoolExecutor(2) as pool:
        with decoding._FIRST_USE:  # noqa: SLF001 - as a thread has it that uses a third type for the first time
            first = pool.submit(converted, {"inner": {"number": 2}}, Other)
            assert pool.submit(decoded, b'{"inner": {"number": 3}}', Whole).result(60) == Whole(Inner(3))
            with pytest.raises(TimeoutError):
                first.result(0.05)
        assert first.result(60) == Other(Inner(2))


def _typed_reads(path: Path) -> Iterator[int]:
    """The lines on which msgspec itself is asked for a typed value."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            is_typed = name.endswith("json.decode") and (
                len(node.args) > 1 or "type" in [key.arg for key in node.keywords]
            )
            if name in TYPED or is_typed:
                yield node.lineno


@pytest.mark.one_python
def test_all_of_the_suite_reads_typed_values_so() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := list(_typed_reads(path)))
    }
    assert found.keys() == {"shared/decoding.py"}, f"use shared/decoding.py instead: {found}"
