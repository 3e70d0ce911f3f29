"""Whole runs of `prune_backups` on the local cloud: what is in the bucket afterwards, and what is reported."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.pubsub_v1 import types as pubsub

from functions.prune_backups.changes import BATCH
from functions.prune_backups.records import Records, Restoring
from localcloud.storage.listing import LARGEST_PAGE
from localcloud.storage.state import Zeros
from shared.errors import RunFailed
from shared.report import Outcome, Severity, severity
from shared.settings import Mode
from shared.state import State
from tests.functions.prune_backups.examples import DAY, NOW
from tests.functions.prune_backups.stage import BUCKET, HOST, NIGHTLY, SHOP, Interfering, Stage
from tests.functions.stage import PROJECT

pytestmark = pytest.mark.one_python

BATCHES = f"POST {HOST}/batch/storage/v1"
DELETES = f"DELETE {HOST}/storage/v1/b/{BUCKET}/o"
LISTS = f"GET {HOST}/storage/v1/b/{BUCKET}/o"
UNDATED = {"name": "", "time_from": "creation"}
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def restore(**more: object) -> dict[str, object]:
    return {
        "type": "restore",
        "deleted_since": (NOW - DAY).isoformat(),
        "until": (NOW + 30 * DAY).isoformat(),
        **more,
    }


def test_what_no_rule_keeps_is_deleted_in_one_list_and_one_batch(stage: Stage) -> None:
    names = stage.nightly(60)
    report = stage.tick()
    assert stage.names == names[-3:]
    assert (report.outcome, report.counts) == (Outcome.APPLIED, {Outcome.APPLIED: 57})
    assert (len(stage.requests_of(LISTS)), len(stage.requests_of(BATCHES)), len(stage.requests_of(DELETES))) == (
        1,
        1,
        57,
    )
    assert stage.tick().outcome is Outcome.UNCHANGED


def test_deletes_carry_the_generation_that_was_listed(stage: Stage) -> None:
    stage.nightly(4)
    stage.tick()
    (request,) = stage.requests_of(DELETES)
    assert int(request.fields["query"].struct_value.fields["ifGenerationMatch"].string_value) > 1_000_000


def test_every_page_is_listed_before_anything_is_deleted(stage: Stage) -> None:
    count = LARGEST_PAGE + 3 * BATCH
    for number in range(count):
        stage.put((NOW - number * timedelta(hours=1)).strftime(NIGHTLY))
    assert stage.tick().counts == {Outcome.APPLIED: count - 3}
    assert (len(stage.names), len(stage.requests_of(LISTS)), len(stage.requests_of(BATCHES))) == (3, 2, 13)
    methods = [call.method for call in stage.cloud.server.calls if call.method.startswith((LISTS, BATCHES))]
    assert methods.index(BATCHES) > max(place for place, method in enumerate(methods) if method.startswith("GET"))


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED])
def test_a_list_that_fails_on_its_second_page_deletes_nothing_of_its_set(code: grpc.StatusCode) -> None:
    with Stage(other={**SHOP, "bucket": "other-backups"}, shop=SHOP) as stage:
        stage.cloud.storage.add_bucket("my-product", "other-backups")
        for number in range(10):
            night = NOW - number * DAY
            stage.cloud.storage.add_object("other-backups", night.strftime(NIGHTLY), Zeros(1000), created=night)
        for number in range(LARGEST_PAGE + 1):
            stage.put((NOW - number * timedelta(hours=1)).strftime(NIGHTLY))
        before = stage.names
        stage.cloud.server.fail(LISTS, code, skip=1, times=1000)
        with pytest.raises(RunFailed):
            stage.tick()
        assert stage.names == before
        assert len(stage.cloud.storage.names("other-backups")) == 3
        (unreadable,) = stage.reports[-1].unreadable
        assert str(unreadable).startswith("cannot read ListingOf of gs://my-backups/shop: ")
        stage.cloud.server.clear_faults()
        stage.tick()
        assert len(stage.names) == 3


def test_a_bucket_that_is_not_there_is_refused_and_the_others_go_on() -> None:
    with Stage(gone={**SHOP, "bucket": "no-such-bucket"}, shop=SHOP) as stage:
        stage.nightly(10)
        report = stage.tick()
        assert len(stage.names) == 3
        assert (report.outcome, severity(report)) == (Outcome.REFUSED, Severity.ERROR)
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("no_bucket", "gone")]


def test_a_truncated_backup_deletes_nothing_and_is_an_alert() -> None:
    with Stage(shop={**SHOP, "min_size_ratio": 0.5}) as stage:
        names = stage.nightly(60)
        stage.put(names[-1], size=100)
        report = stage.tick()
        assert stage.names == names
        assert (report.outcome, severity(report), stage.requests_of(BATCHES)) == (Outcome.REFUSED, Severity.ERROR, [])
        (alert,) = report.alerts
        assert (alert.kind, alert.subject) == ("small_newest", "shop")
        assert alert.reason.startswith("the newest backup has 100 bytes, less than 500")


def test_what_is_overwritten_between_list_and_delete_is_left_alone(stage: Stage) -> None:
    names = stage.nightly(6)
    report = stage.push({"type": "prune"}, probe=Interfering(BATCHES, lambda: stage.put(names[0], size=77)))
    # It has been looked at again: by its name it is as old as before, so the new version goes as well.
    assert stage.names == names[-3:]
    assert report.notices == (
        f"gs://{BUCKET}/{names[0]} was overwritten after it was listed: its new version is evaluated by itself",
    )
    assert report.outcome is Outcome.APPLIED


def test_a_backup_that_has_come_meanwhile_is_judged_anew() -> None:
    with Stage(shop={**SHOP, **UNDATED}) as stage:
        names = stage.nightly(6)
        report = stage.push({"type": "prune"}, probe=Interfering(BATCHES, lambda: stage.put(names[0], created=NOW)))
        # Dated by its creation, what was the oldest is the newest now.
        assert stage.names == [names[0], *names[-2:]]
        assert len(report.notices) == 1


def test_what_somebody_else_has_deleted_is_not_counted_as_deleted(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    names = stage.nightly(6)

    def somebody_deletes() -> None:
        stage.clients.session.delete(stage.clients.url(f"https://{HOST}/storage/v1/b/{BUCKET}/o/shop%2F{names[0][5:]}"))

    report = stage.push({"type": "prune"}, probe=Interfering(BATCHES, somebody_deletes))
    assert (stage.names, report.outcome) == (names[-3:], Outcome.APPLIED)
    assert report.notices == (f"gs://{BUCKET}/{names[0]}: already deleted by someone else",)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"] == "prune_backups: shop: 2 deleted in this request; processed: 3 of 3"
    assert json.loads(line)["deleted"] == names[1:3]


@pytest.mark.parametrize("hold", ["temporaryHold", "eventBasedHold"])
def test_holds_are_reported_and_the_rest_goes_on(stage: Stage, hold: str) -> None:
    names = stage.nightly(6)
    stage.patch(names[0], **{hold: True})
    report = stage.push({"type": "prune"}, probe=Interfering(BATCHES, lambda: stage.patch(names[1], **{hold: True})))
    assert stage.names == [names[0], names[1], *names[-3:]]
    (notice,) = report.notices
    assert notice.startswith(f"gs://{BUCKET}/{names[1]} is protected: not deleted (Object")
    assert report.outcome is Outcome.APPLIED
    assert stage.tick().outcome is Outcome.UNCHANGED


def test_what_the_bucket_retains_stays_without_a_call() -> None:
    with Stage(bucket={"retentionPolicy": {"retentionPeriod": str(9 * 24 * 3600)}}) as stage:
        names = stage.nightly(12)
        stage.tick()
        assert stage.names == names[-9:]
        assert len(stage.requests_of(DELETES)) == 3
        lines = stage.push({"type": "status"}).status
        assert any(line.endswith(f"{names[-9]}  retained until 2026-11-16 02:00 UTC") for line in lines)


def test_a_note_of_the_owners_pins(stage: Stage) -> None:
    names = stage.nightly(6)
    stage.patch(names[0], metadata={"caretaker-keep": "before the migration"})
    stage.tick()
    assert stage.names == [names[0], *names[-3:]]
    assert "before the migration" not in json.dumps([str(report) for report in stage.reports])


def test_one_failed_call_of_a_batch_is_one_failed_change(stage: Stage) -> None:
    names = stage.nightly(10)
    stage.cloud.server.fail(DELETES, grpc.StatusCode.UNAVAILABLE, skip=2)
    with pytest.raises(RunFailed, match="7 changes failed"):
        stage.tick()
    (change,) = stage.reports[-1].changes
    said = f"1 of 7 calls failed, such as that for {names[2]}: injected UNAVAILABLE"
    assert (change.outcome, change.error) == (Outcome.FAILED, f"ServiceUnavailable: {said}")
    assert stage.names == [names[2], *names[-3:]]
    stage.tick()
    assert stage.names == names[-3:]


def test_a_missing_permission_is_no_hold(stage: Stage) -> None:
    names = stage.nightly(5)
    stage.cloud.server.fail(DELETES, grpc.StatusCode.PERMISSION_DENIED, times=10)
    with pytest.raises(RunFailed):
        stage.tick()
    assert stage.names == names


def test_names_that_do_not_fit_are_left_alone(stage: Stage) -> None:
    names = stage.nightly(6)
    hostile = ["shop/", "shop/\x1b[2J", "shop/20261301T000000Z.dump", "shop/" + "x" * 1000, "shop/\u202e", "shop2/x"]
    for name in hostile:
        stage.put(name, size=0)
    report = stage.push({"type": "status"})
    assert stage.names == sorted([*hostile, *names[-3:]])
    assert report.status[0] == "shop (gs://my-backups/shop): 3 stay, 3 go, 4 names do not fit"


def test_hostile_names_are_deleted_like_any_other_and_printed_harmlessly() -> None:
    with Stage(shop={**SHOP, "name": "{*}{time:%Y%m%d}"}) as stage:
        hostile = ["\x1b[31m", "a%2Fb?x=1#y", "é", "é", "'; --", "\u202e", "☃" * 330, "\tx", "--caretaker_batch"]
        for number, name in enumerate(hostile):
            day = NOW - number * DAY
            stage.put(f"shop/{name}{day:%Y%m%d}", created=day)
        stage.mode = Mode.OBSERVE
        assert all(line.isprintable() for line in stage.tick().table)
        stage.mode = Mode.ACT
        report = stage.tick()
        assert len(stage.names) == 3
        assert all(change.before.isprintable() for change in report.changes)


def test_two_runs_at_once_delete_what_one_would(stage: Stage) -> None:
    names = stage.nightly(30)
    other: list[Outcome] = []

    def another_run() -> None:
        with ThreadPoolExecutor(1) as elsewhere:
            other.append(elsewhere.submit(stage.tick).result().outcome)

    stage.push({"type": "prune"}, probe=Interfering("google.firestore.v1.Firestore/Commit", another_run))
    assert stage.names == names[-3:]
    assert other == [Outcome.APPLIED]


def test_when_its_time_is_up_it_stops_and_wakes_itself(stage: Stage) -> None:
    for number in range(3 * BATCH):
        stage.put((NOW - number * timedelta(hours=1)).strftime(NIGHTLY))
    stage.cloud.pubsub.create_topic(pubsub.Topic(name=f"projects/{PROJECT}/topics/caretaker-prune-backups"))
    stage.seconds = lambda: 181.0 if stage.requests_of(BATCHES) else 0.0
    report = stage.tick()
    assert report.counts == {Outcome.APPLIED: 100, Outcome.WAITING: 197}
    assert report.waiting == ("time is up; the next run continues",)
    (published,) = stage.requests_of("google.pubsub.v1.Publisher/Publish")
    woken = json.loads(published.messages[0].data)
    while len(stage.names) > 3:
        assert stage.push(woken).counts[Outcome.APPLIED]
    assert stage.tick().outcome is Outcome.UNCHANGED


def test_observing_shows_the_plan_as_a_table_and_deletes_nothing() -> None:
    rules = {"keep_last": 2, "keep_daily": 7, "keep_weekly": 4, "keep_monthly": 3, "keep_within": "1d"}
    shop = {**SHOP, "retention": rules, "time_zone": "Europe/Berlin", "floor": 3}
    orders = {**SHOP, "prefix": "orders/", "name": "{group}/{time:%Y-%m-%d}", "retention": {"keep_last": 1}}
    with Stage(shop=shop, orders=orders) as stage:
        names = stage.nightly(60, size=1_234_567)
        stage.patch(names[3], metadata={"caretaker-keep": "x"})
        stage.nightly(3, name="orders/eu/%Y-%m-%d")
        stage.nightly(2, name="orders/us/%Y-%m-%d")
        before = stage.names
        stage.mode = Mode.OBSERVE
        report = stage.tick()
        assert stage.names == before
        assert (report.outcome, report.counts) == (Outcome.OBSERVED, {Outcome.OBSERVED: 50})
        golden = (GOLDEN / "table.txt").read_text(encoding="utf-8")
        assert "\n".join(report.table) + "\n" == golden
        assert stage.push({"type": "status"}).status == report.table


def test_what_is_refused_is_in_the_table_too() -> None:
    with Stage(shop={**SHOP, "floor": 4}) as stage:
        stage.nightly(10)
        stage.mode = Mode.OBSERVE
        assert stage.tick().table[-1] == (
            "shop is refused: 3 complete backups would be left, and the floor is 4 [below_floor]"
        )


def test_a_table_is_not_endless() -> None:
    with Stage(shop={**SHOP, "retention": {"keep_last": -1}}) as stage:
        stage.nightly(200)
        stage.mode = Mode.OBSERVE
        table = stage.tick().table
        assert (len(table), table[-1]) == (82, "  ... and more")


class TestRestoring:
    """The undo: what was deleted is restored, as long as soft delete keeps it, and nothing is deleted meanwhile."""

    def test_what_was_deleted_is_there_again(self, stage: Stage) -> None:
        names = stage.nightly(150)
        stage.tick()
        stage.cloud.clock.advance(timedelta(hours=1))
        report = stage.push(restore(set="shop"))
        assert (stage.names, report.counts) == (names, {Outcome.APPLIED: 147})
        assert stage.tick().outcome is Outcome.UNCHANGED
        assert stage.push({"type": "status"}).status[0] == "shop: nothing is deleted until 2026-12-15 04:00 UTC"
        stage.cloud.clock.advance(timedelta(hours=1))
        stage.push(restore(until=NOW.isoformat()))  # taken back
        assert stage.names == names[-3:]

    def test_what_is_there_again_is_not_written_over(self, stage: Stage) -> None:
        names = stage.nightly(6)
        stage.tick()
        report = stage.push(restore(), probe=Interfering(BATCHES, lambda: stage.put(names[0], size=77)))
        assert stage.names == names
        assert stage.cloud.storage.size(BUCKET, names[0]) == 77
        assert len(report.notices) == 1

    def test_what_was_deleted_before_stays_deleted(self, stage: Stage) -> None:
        names = stage.nightly(6)
        stage.tick()
        stage.cloud.clock.advance(timedelta(hours=1))
        stage.push(restore(deleted_since=(NOW + timedelta(minutes=1)).isoformat()))
        assert stage.names == names[-3:]

    def test_of_several_versions_the_newest_is_restored(self, stage: Stage) -> None:
        names = stage.nightly(5)
        stage.put(names[0], size=77)  # what it overwrites is soft-deleted
        stage.tick()
        stage.push(restore())
        assert stage.cloud.storage.size(BUCKET, names[0]) == 77

    @pytest.mark.parametrize("soft_delete", ["0", "604800"])
    def test_a_bucket_that_keeps_versions(self, soft_delete: str) -> None:
        bucket = {"versioning": {"enabled": True}, "softDeletePolicy": {"retentionDurationSeconds": soft_delete}}
        with Stage(bucket=bucket) as stage:
            names = stage.nightly(150, metadata={"caretaker-keep-not": "x"})
            stage.tick()
            assert stage.names == names[-3:]
            stage.cloud.clock.advance(timedelta(hours=1))
            report = stage.push(restore(set="shop"))
            assert (stage.names, report.counts) == (names, {Outcome.APPLIED: 147})
            assert stage.tick().outcome is Outcome.UNCHANGED
            stage.cloud.clock.advance(timedelta(hours=1))
            stage.push(restore(until=NOW.isoformat()))  # taken back
            assert stage.names == names[-3:]

    def test_a_version_that_was_deleted_too_is_restored_from_soft_delete(self) -> None:
        with Stage(bucket={"versioning": {"enabled": True}}) as stage:
            names = stage.nightly(6)
            stage.tick()
            version = stage.cloud.storage.add_object(BUCKET, names[0], Zeros(77))
            stage.delete(names[0])
            stage.delete(names[0], generation=version.generation)
            stage.push(restore())
            assert stage.names == names
            assert stage.cloud.storage.size(BUCKET, names[0]) == 1000, "what was written late is no such backup"

    def test_the_set_may_be_renamed_meanwhile(self, stage: Stage) -> None:
        """A person's command is stored under the bucket and the prefix."""
        names = stage.nightly(20)
        stage.tick()
        stage.push(restore(set="shop"))
        stage.rename("shop", "store")
        report = stage.tick()
        assert (stage.names, report.outcome) == (names, Outcome.UNCHANGED)
        assert [str(line) for line in report.next] == ["store: nothing is deleted until 2026-12-15 04:00 UTC"]

    def test_a_request_that_was_filed_under_the_key_of_the_set(self, stage: Stage) -> None:
        names = stage.nightly(6)
        state = State(stage.clients)
        (known,) = state.read("records/prune_backups")
        state.write(known, Records(restoring={"shop": Restoring(NOW - DAY, NOW + 30 * DAY, NOW)}))
        stage.tick()
        assert stage.names == names
        (stored,) = state.read("records/prune_backups")
        assert list(stored.as_type(Records).restoring) == [f"gs://{BUCKET}/shop"]

    def test_without_soft_delete_it_fails_loudly(self) -> None:
        with Stage(bucket={"softDeletePolicy": {"retentionDurationSeconds": "0"}}) as stage:
            stage.nightly(6)
            stage.tick()
            with pytest.raises(RunFailed, match="no soft delete policy"):
                stage.push(restore())

    @pytest.mark.parametrize(
        ("sets", "command", "why"),
        [
            ({"shop": SHOP}, restore(set="shed"), "no set is called 'shed': there are shop"),
            ({"shop": {**SHOP, **UNDATED}}, restore(set="shop"), "shop: a restored object has a new time of creation"),
            ({"shop": SHOP}, {"type": "restore", "set": "shop"}, "malformed: Object missing required field"),
            ({"shop": SHOP}, restore(until="0001-01-01T00:00:00+14:00"), "malformed: until is out of range"),
            ({"shop": SHOP}, {"type": "delete_all"}, "malformed"),
        ],
    )
    def test_a_command_that_will_not_do_is_ignored(
        self, sets: dict[str, Any], command: dict[str, object], why: str
    ) -> None:
        with Stage(**sets) as stage:
            names = stage.nightly(6)
            report = stage.push(command)
            assert (report.outcome, stage.names) == (Outcome.IGNORED, names)
            assert report.why.startswith(why)
