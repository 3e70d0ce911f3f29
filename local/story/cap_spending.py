"""A month in which the budget is passed: the notifications, what `cap_spending` does about them, and how it reverts."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.request import Request, urlopen

import grpc
from google.cloud.billing.budgets_v1 import ListBudgetsRequest

from functions.cap_spending.spend_caps import IDS, CappedService
from local.story import hands
from local.story.messages import ACCOUNT, BUDGET, DECEMBER, NOVEMBER, command, notify
from local.story.player import Player
from local.suite import Suite
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.state import State

TOPIC = "caretaker-budget-notifications"
WHERE = "projects/my-product/locations/europe-west1"
START = datetime(2026, 11, 9, 9, tzinfo=UTC)


def play(player: Player, suite: Suite) -> None:
    """Play the whole story; every step checks what it has left in the cloud."""
    player.about("cap_spending")
    _routine(player, suite)
    _spend_cap(player, suite)
    _again_and_stale(player, suite, *_over_budget(player, suite))
    _forged(player, suite)
    _by_a_person(player, suite)
    _experiments(player, suite)
    _new_month(player, suite)
    _linked_again(player, suite)


def _routine(player: Player, suite: Suite) -> None:
    player.step("120 of 400 dollars are spent: a routine notification.")
    notify(player, "120.00")
    _check_services(player, suite, api=20, worker=10, admin=5)
    player.step("Half of the budget is spent: a person is notified.", after=timedelta(days=4))
    notify(player, "204.50")
    _check_services(player, suite, api=20, worker=10, admin=5)


def _spend_cap(player: Player, suite: Suite) -> None:
    player.step("Gemini has cost 50 dollars: Google's spend cap pauses it, and the owner lifts the cap.")
    player.cloud.budgets.spend("my-product", IDS[CappedService.GEMINI_API], 50.2)
    player.pass_time(timedelta(minutes=10))
    player.check("spend cap", partial(_cap_state, player), "ENFORCED")
    command(player, suite, "cap_spending", {"type": "lift", "cap": "gemini"})
    player.check("spend cap", partial(_cap_state, player), "AWAITING_NEXT_PERIOD")


def _over_budget(player: Player, suite: Suite) -> tuple[str, datetime]:
    player.step(
        "All of the budget is spent. Half way through, Cloud Run answers 503.", after=timedelta(days=6, hours=5)
    )
    published = player.cloud.clock.now()
    player.cloud.server.fail("Services/UpdateService", grpc.StatusCode.UNAVAILABLE, skip=1)
    message_id = notify(player, "412.30")
    player.check("capped so far", partial(_number_capped, suite), 1)
    player.step("Pub/Sub delivers the notification again, and the rest is done.")
    player.cloud.clock.advance(timedelta(seconds=30))
    player.show(message_id)
    _check_services(player, suite, api=1, worker=1, admin=5)
    _check_jobs(player, suite, batch_import="PAUSED", batch_report="PAUSED", keep_warm="ENABLED")
    player.check("spending restrictions", partial(_restrictions, suite), "gpu_pools_off, previews_off")
    return message_id, published


def _again_and_stale(player: Player, suite: Suite, message_id: str, published: datetime) -> None:
    before = player.number_of_calls
    player.step("The same notification arrives twice, then one published two hours ago: nothing changes.")
    _push(suite, message_id, "412.30", published)
    player.show(message_id)
    _push(suite, "stale-1", "398.10", player.cloud.clock.now() - timedelta(hours=2))
    player.show("stale-1")
    player.check("calls that changed a resource", lambda: _writes(player, before), 0)
    _check_services(player, suite, api=1, worker=1, admin=5)


def _forged(player: Player, suite: Suite) -> None:
    before = player.number_of_calls
    player.step("Someone sends a notification for a budget that is not in the settings.")
    _push(suite, "forged-1", "99999.00", player.cloud.clock.now(), account="FFFFFF-FFFFFF-FFFFFF")
    player.show("forged-1")
    player.check("API calls made for it", lambda: len(player.calls_since(before)), 0)


def _by_a_person(player: Player, suite: Suite) -> None:
    player.step("A person raises the worker to 4 instances by hand. The next notification leaves it at 4.")
    hands.set_max_instances(suite, f"{WHERE}/services/worker", 4)
    player.pass_time(timedelta(minutes=10))
    notify(player, "431.75")
    _check_services(player, suite, api=1, worker=4, admin=5)


def _experiments(player: Player, suite: Suite) -> None:
    player.step(
        "Cost reaches 150 %: as a last resort, the experiments project is detached from billing.",
        after=timedelta(days=3),
    )
    notify(player, "603.00")
    player.check("billing account of the experiments", partial(_account, suite), "none")
    command(player, suite, "cap_spending", {"type": "status"})


def _new_month(player: Player, suite: Suite) -> None:
    player.step(
        "A new month: everything is restored, except what a person has changed.",
        after=DECEMBER + timedelta(hours=3) - player.cloud.clock.now(),
    )
    notify(player, "2.40", interval=DECEMBER)
    _check_services(player, suite, api=20, worker=4, admin=5)
    _check_jobs(player, suite, batch_import="ENABLED", batch_report="ENABLED", keep_warm="ENABLED")
    player.check("spending restrictions", partial(_restrictions, suite), "none")


def _linked_again(player: Player, suite: Suite) -> None:
    player.step("The owner links billing again; only a command does that.")
    player.check("billing account of the experiments", partial(_account, suite), "none")
    command(player, suite, "cap_spending", {"type": "link_billing", "project": "my-product-experiments"})
    player.check("billing account of the experiments", partial(_account, suite), f"billingAccounts/{ACCOUNT}")


def _push(suite: Suite, message_id: str, cost: str, published: datetime, *, account: str = ACCOUNT) -> None:
    """Push one message straight to the function, as Pub/Sub would deliver it: late, again, or for a stranger."""
    data = {
        "budgetDisplayName": "Everything, monthly",
        "costAmount": float(cost),
        "costIntervalStart": f"{NOVEMBER:%Y-%m-%dT%H:%M:%SZ}",
        "budgetAmount": 400.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
    }
    attributes = {"billingAccountId": account, "budgetId": BUDGET.rpartition("/")[2], "schemaVersion": "1.0"}
    message = {
        "data": base64.b64encode(json.dumps(data).encode()).decode(),
        "attributes": attributes,
        "messageId": message_id,
        "publishTime": f"{published:%Y-%m-%dT%H:%M:%SZ}",
    }
    body = json.dumps({"message": message, "subscription": "projects/my-product/subscriptions/by-hand"}).encode()
    request = Request(suite.url("cap_spending", TOPIC), body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30):
        """An answer of 200 acknowledges the message; any other raises here."""


def _check_services(player: Player, suite: Suite, **expected: int) -> None:
    def found() -> str:
        services = hands.services(suite, WHERE)
        return _listed({one.name.rpartition("/")[2]: one.scaling.max_instance_count for one in services})

    player.check("maximum instances", found, _listed(expected))


def _check_jobs(player: Player, suite: Suite, **expected: str) -> None:
    def found() -> str:
        states = {job.name.rpartition("/")[2]: job.state for job in hands.jobs(suite, WHERE)}
        return _listed({name: state for name, state in states.items() if not name.startswith("caretaker-")})

    player.check("scheduler jobs", found, _listed({name.replace("_", "-"): state for name, state in expected.items()}))


def _listed(values: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))


def _number_capped(suite: Suite) -> int:
    return sum(service.scaling.max_instance_count == 1 for service in hands.services(suite, WHERE))


def _cap_state(player: Player) -> str:
    found = player.cloud.budgets.list_budgets(ListBudgetsRequest(parent=f"billingAccounts/{ACCOUNT}")).budgets
    return ", ".join(cap.output_state for one in found if (cap := player.cloud.budgets.cap_of(one.name)))


def _restrictions(suite: Suite) -> str:
    (document,) = State(suite.clients).read(DOCUMENT)
    return ", ".join(sorted(document.as_type(SpendingRestrictions).in_force)) or "none"


def _account(suite: Suite) -> str:
    return hands.billing_account(suite, "my-product-experiments") or "none"


def _writes(player: Player, since: int) -> int:
    """The number of calls that changed something besides what Caretaker remembers, after the first ``since``."""
    return sum(call.mutating and "Firestore" not in call.method for call in player.calls_since(since))
