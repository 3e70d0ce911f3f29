"""Every command of every automation has an answer, whether it can be followed or not."""

import importlib
from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from functions.cap_spending.spend_caps import CappedService, SpendCap
from shared.events import Command
from shared.report import Report
from tests.functions.cap_spending.examples import INBOX
from tests.functions.cap_spending.simulation import ACCOUNT_NAME
from tests.functions.cap_spending.stage import Stage as CapSpending
from tests.functions.manage_previews.stage import Stage as ManagePreviews
from tests.functions.prune_backups.stage import SHOP
from tests.functions.prune_backups.stage import Stage as PruneBackups
from tests.functions.rotate_secrets.stage import Stage as RotateSecrets
from tests.functions.rotate_secrets.stage import a_secret, a_world, settings_of
from tests.functions.scale_gpu_pools.stage import Stage as ScaleGpuPools

pytestmark = pytest.mark.one_python

SOON, LONG_AGO = "2026-11-20T00:00:00Z", "2026-11-01T00:00:00Z"
Said = dict[str, object]
UNDO: Said = {"type": "undo"}
LINK: Said = {"type": "link_billing", "project": "my-experiments"}
ACCEPT: Said = {"type": "accept", "rung": "actual@1"}
SNOOZE: Said = {"type": "snooze", "until": SOON}
AWAKE: Said = {"type": "awake", "until": SOON}
OFF: Said = {"type": "off", "until": SOON}
RESTORE: Said = {"type": "restore", "deleted_since": LONG_AGO, "until": SOON}
ROTATE: Said = {"type": "rotate", "secret": "key"}
ROLL_BACK: Said = {"type": "roll_back", "secret": "key"}
LIFT_CAP: Said = {"type": "lift", "cap": "run"}
ARM_CAP: Said = {"type": "arm", "cap": "run"}
REMOVE_CAPS: Said = {"type": "remove_spend_caps"}
CAP = SpendCap(
    billing_account=ACCOUNT_NAME.removeprefix("billingAccounts/"),
    project="my-product",
    service=CappedService.CLOUD_RUN,
    amount=50,
    currency="USD",
)
CAPPED = "run: cloud_run in my-product, at most 50 USD a month"
COMMANDS: dict[str, set[str]] = {
    "cap_spending": {"undo", "link_billing", "accept", "snooze", "lift", "arm", "remove_spend_caps"},
    "scale_gpu_pools": {"awake", "off"},
    "prune_backups": {"prune", "restore", "retire"},
    "rotate_secrets": {"rotate", "roll_back"},
    "manage_previews": {"pause", "resume"},
}
"""The commands that are answered below, by automation: `status` has tests of its own."""


@pytest.mark.parametrize("automation", COMMANDS)
def test_none_is_forgotten(automation: str) -> None:
    known = get_args(importlib.import_module(f"functions.{automation}.parse").Inbox)
    tags = {one.__struct_config__.tag for one in known if issubclass(one, Command)}
    assert tags == COMMANDS[automation] | {"status"}


def answer(report: Report) -> str:
    """The one line that a report answers."""
    (line,) = report.status
    return line


def test_cap_spending() -> None:
    with CapSpending() as stage:

        def said(command: Said) -> str:
            return answer(stage.push(command, topic=INBOX, after=1))

        assert said(UNDO) == "monthly: no rung is passed, so there is nothing to undo"
        assert said(ACCEPT) == "monthly: no notification yet, so there is no period that actual@1 could be accepted for"
        assert said(LINK) == "my-experiments: it is not detached; nothing to do"
        snoozed = "monthly: nothing new is done before 2026-11-20 00:00 UTC; what is in force stays so"
        assert said(SNOOZE) == snoozed
        assert said({"type": "status"}) == "monthly: no notification yet, snoozed until 2026-11-20 00:00 UTC"
        assert said(SNOOZE | {"until": LONG_AGO}) == "monthly: it is not snoozed, as 2026-11-01 00:00 UTC has gone by"
        before = stage.cloud.clock.now()
        stage.notify(610, after=1)
        too_early = "monthly: actual@1 is not accepted, as this was said before the present period"
        assert answer(stage.push(ACCEPT, topic=INBOX, published=before)) == too_early
        assert said(LINK) == f"my-experiments: linked again to {ACCOUNT_NAME}"
        assert said(ACCEPT) == "monthly: actual@1 is accepted, and does nothing until the next period"
        assert said(UNDO) == (
            "monthly: let go of what was in force at 2026-11-15 22:00 UTC; accepted until the next period: actual@0.5, "
            "actual@1, actual@1.5"
        )
        stage.settings = msgspec.structs.replace(stage.settings, spend_caps={"run": CAP})
        assert said(ARM_CAP) == f"{CAPPED}: there is no cap; made now"
        stage.cloud.budgets.spend("my-product", "services/152E-C115-5142", 51)
        assert said(LIFT_CAP) == f"{CAPPED}: ENFORCED; lifted now"
        assert said(ARM_CAP) == f"{CAPPED}: AWAITING_NEXT_PERIOD; armed now"
        assert said(REMOVE_CAPS).startswith("all spend caps")


def test_scale_gpu_pools() -> None:
    with ScaleGpuPools() as stage:
        assert answer(stage.push(OFF)) == "gpu: kept off until 2026-11-20 00:00 UTC"
        assert answer(stage.push(AWAKE, 1)) == "gpu: kept on until 2026-11-20 00:00 UTC"
        stage.restrict(because="monthly/actual@1")
        assert answer(stage.push(AWAKE | {"until": "2026-11-21T00:00:00Z"}, 1)) == (
            "gpu: kept on until 2026-11-21 00:00 UTC, but not while the spending restriction gpu_pools_off is in force"
        )
        assert (
            answer(stage.push(AWAKE | {"until": LONG_AGO}, 1))
            == "gpu: it is not kept on, as 2026-11-01 00:00 UTC has gone by"
        )


def test_prune_backups() -> None:
    with PruneBackups(shop=SHOP, wiki=SHOP | {"prefix": "wiki/", "name": "{*}.dump", "time_from": "creation"}) as stage:
        assert answer(stage.push({"type": "prune"})) == "checked now: shop, wiki"
        assert stage.push(RESTORE).status == (
            (
                "shop: restoring what was deleted since 2026-11-01 00:00 UTC; "
                "nothing is deleted until 2026-11-20 00:00 UTC"
            ),
            "wiki: cannot be restored, because its names have no time",
        )
        stage.cloud.clock.advance(timedelta(minutes=1))
        assert answer(stage.push(RESTORE | {"set": "shop", "until": LONG_AGO})) == (
            "shop: 2026-11-01 00:00 UTC is over, so backups that no rule keeps are deleted again"
        )
        assert answer(stage.push({"type": "retire", "set": "shop", "group": "old"})) == (
            "group old of shop: no backup is there"
        )
        stage.cloud.clock.advance(timedelta(minutes=1))
        assert answer(stage.push({"type": "retire", "set": "shop", "group": "old", "retired": False})) == (
            "group old of shop: its newest backup is checked"
        )


def test_rotate_secrets() -> None:
    with RotateSecrets() as stage:
        stage.tick()
        nowhere = "key: it cannot be rolled back: no rotation is in progress, and no previous version is kept"
        assert answer(stage.push(ROLL_BACK, minutes=1)) == nowhere
        assert answer(stage.push(ROTATE, minutes=1)) == "key: rotation requested"
        assert answer(stage.push(ROLL_BACK, minutes=1)) == "key: back to version 1"
        assert answer(stage.push(ROLL_BACK, minutes=1)) == nowhere
        assert stage.state().current == 1


def test_rotate_secrets_while_a_rotation_is_under_way() -> None:
    secrets = {"key": a_secret(), "gone": a_secret("gone")}
    with RotateSecrets(settings_of(secrets)) as stage:
        stage.tick()
        stage.cloud.run.operation_delay = timedelta(hours=1)
        assert stage.push({"type": "rotate"}, minutes=1).status == (
            "key: rotation requested",
            "gone: there is no projects/my-product/secrets/gone",
        )
        assert answer(stage.push(ROTATE, minutes=1)) == "key: a rotation is already in progress"
        assert answer(stage.push(ROLL_BACK, minutes=1)) == "key: the rotation in progress is rolled back"
        assert (
            answer(stage.push(ROLL_BACK | {"secret": "gone"})) == "gone: there is no projects/my-product/secrets/gone"
        )


def test_rotate_secrets_by_a_word_that_comes_late() -> None:
    with RotateSecrets() as stage:
        stage.tick()
        early = stage.cloud.clock.now()
        stage.push(ROTATE, minutes=1)
        assert answer(stage.push_late(ROTATE, early)) == "key: it has changed since the request"
        late = "key: it cannot be rolled back: the current version is newer than the request"
        assert answer(stage.push_late(ROLL_BACK, early)) == late


def test_rotate_secrets_where_google_does() -> None:
    with RotateSecrets(world=a_world(secrets={"key": {"versions": ["one"], "managed_rotation": True}})) as stage:
        assert answer(stage.push(ROTATE)) == answer(stage.push(ROLL_BACK)) == "key: Google rotates it"


def test_manage_previews() -> None:
    with ManagePreviews() as stage:
        paused = "previews are paused: all are deleted, and none is created until `resume`"
        assert answer(stage.command("pause")) == paused
        stage.cloud.clock.advance(timedelta(minutes=1))
        assert answer(stage.command("resume")) == "previews are not paused"
