"""YAML as version 1.2 means it."""

import pytest
import yaml

from shared.yaml12 import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: actual", {"on": "actual"}),
        ("{at: 0.8, on: forecast, do: [notify]}", {"at": 0.8, "on": "forecast", "do": ["notify"]}),
        ("[on, off, yes, no, y, n, On, OFF, Yes, NO]", ["on", "off", "yes", "no", "y", "n", "On", "OFF", "Yes", "NO"]),
        ("[true, True, TRUE, false, False, FALSE, tRUE]", [True, True, True, False, False, False, "tRUE"]),
        ("[012, -012, +7, 0, 0o30, 0x1F, 1_000]", [12, -12, 7, 0, 24, 31, "1_000"]),
        ("[1e0, 1.5E+3, .5, 5., -1.0, 1:12, 1:12.5]", [1.0, 1500.0, 0.5, 5.0, -1.0, "1:12", "1:12.5"]),
        ("[2026-12-25, 2026-12-25 09:00:00, 0b1, 08]", ["2026-12-25", "2026-12-25 09:00:00", "0b1", 8]),
        ("[truest, falsely, 'true']", ["truest", "falsely", "true"]),
        ("[1, 1.0, 0.50, ~, null, '', word]", [1, 1.0, 0.5, None, None, "", "word"]),
        ("", None),
        ("base: &b {x: 1, y: 1}\nmore: {<<: *b, y: 2}", {"base": {"x": 1, "y": 1}, "more": {"x": 1, "y": 2}}),
    ],
)
def test_plain_words_stay_words(text: str, value: object) -> None:
    assert read_yaml(text) == value


@pytest.mark.parametrize("text", ["{a: 1, b: 2, a: 3}", "a: 1\na: 1", "x: [{a: {b: 1, b: 2}}]"])
def test_a_key_that_comes_twice_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"duplicate key '[ab]'"):
        read_yaml(text)


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "[\n" * 4000])
def test_a_document_that_contains_itself_or_is_too_deep_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"contains itself|nested too deeply"):
        read_yaml(text)


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2", "[", "a: b: c"])
def test_what_is_no_yaml_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml(text)


def test_nothing_is_run() -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml("!!python/object/apply:os.getcwd []")


def test_the_rest_of_the_program_reads_yaml_as_before() -> None:
    assert yaml.safe_load("on") is True
