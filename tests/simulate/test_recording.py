"""Exported time series are read strictly: a file that is not a whole answer is an error with a remedy."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud.monitoring_v3 import ListTimeSeriesResponse

from shared.errors import SettingsError
from simulate.recording import read_recording

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def page(*values: tuple[int, float], token: str = "") -> ListTimeSeriesResponse:
    """An answer of the service, as its own client writes it: values by minutes after noon."""
    points = [
        {
            "interval": {"start_time": NOON + timedelta(minutes=at), "end_time": NOON + timedelta(minutes=at)},
            "value": {"double_value": value},
        }
        for at, value in values
    ]
    return ListTimeSeriesResponse({"time_series": [{"points": points}], "next_page_token": token})


def written(path: Path, *pages: ListTimeSeriesResponse) -> Path:
    path.write_text("\n".join(ListTimeSeriesResponse.to_json(one) for one in pages), encoding="utf-8")
    return path


def test_an_answer_as_google_writes_it_is_read(tmp_path: Path) -> None:
    found = read_recording(written(tmp_path / "a.json", page((0, 1.0), (2, 3.5))))
    assert found.between(NOON, 4) == [1.0, None, 3.5, None]


def test_whole_numbers_are_texts_and_the_highest_series_counts(tmp_path: Path) -> None:
    end = "2026-11-02T12:00:30.5Z"
    series = [{"points": [{"interval": {"endTime": end}, "value": {"int64Value": value}}]} for value in ("7", "12")]
    (tmp_path / "a.json").write_text(json.dumps({"timeSeries": series}))
    assert read_recording(tmp_path / "a.json").values == {NOON + timedelta(minutes=1): 12.0}


def test_pages_one_after_another_are_one_answer(tmp_path: Path) -> None:
    found = read_recording(written(tmp_path / "a.json", page((0, 1.0), token="2"), page((1, 2.0))))  # noqa: S106
    assert found.between(NOON, 2) == [1.0, 2.0]


def test_no_series_is_no_value(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert read_recording(tmp_path / "a.json").values == {}


def test_what_monitoring_left_out_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"timeSeries": [], "executionErrors": [{"code": 14, "message": "a shard"}]}')
    assert read_recording(tmp_path / "a.json").is_partial


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no such file"),
        ("", "the file is empty"),
        ('{"timeSeries": [{"points": [', "it is not JSON, or it is cut short"),
        ('{"timeSeries": 3}', "this is no answer of timeSeries.list: Expected `array`, got `int`"),
        ('{"timeSeries": [{"points": [{"value": {}}]}]}', "this is no answer of timeSeries.list"),
        ('{"error": {"code": 403}}', "this is an error that Google answered"),
        ('{"timeSeries": [], "nextPageToken": "x"}', "the answer has another page"),
        (
            '{"timeSeries": [{"points": [{"interval": {"endTime": "2026-11-02T12:00:00Z"}, "value": {}}]}]}',
            "a point has no number",
        ),
    ],
)
def test_what_is_no_whole_answer_is_an_error(tmp_path: Path, text: str | None, problem: str) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_recording(path)
    assert str(path) in str(raised.value)
    assert problem in str(raised.value)
    assert "; " in str(raised.value)
