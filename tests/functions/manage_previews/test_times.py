"""Times of messages: one that GitHub cannot have written changes no record, and one without a zone is UTC."""

import pytest

from tests.functions.manage_previews.stage import NOON, Stage, image


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1999-01-01T00:00:00Z"])
@pytest.mark.parametrize("field", ["created_at", "updated_at"])
def test_a_time_out_of_range_changes_no_record(field: str, moment: str) -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        before = stage.records
        known = (
            stage.comment_data(12, "/preview extend 24h")
            if field == "created_at"
            else stage.event_data(12, "labeled", label="safe to preview")
        )
        stage.push({**known, field: moment}, topic="caretaker-pull-requests")
        assert stage.records == before
        stage.tick()
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_time_without_a_zone_is_utc() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        known = stage.comment_data(12, "/preview")
        stage.push({**known, "created_at": "2026-11-16T12:00:00"}, topic="caretaker-pull-requests")
        assert {request.at for request in stage.records.of("my-team/my-product#12").requests.values()} == {NOON}
