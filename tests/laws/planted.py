"""Bugs to plant into `cap_spending`: for each law at least one automation that is wrong in just that way."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from google.api_core.exceptions import GoogleAPICallError, from_http_status
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.run_v2 import ServicesClient
from google.pubsub_v1 import PublisherClient

from functions.cap_spending.automation import AUTOMATION
from functions.cap_spending.changes import CapSpendingChange, Notify, SetMaxInstances
from functions.cap_spending.decide import CapSpendingDecision
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import BudgetRecord, Context, Newest, Records
from functions.cap_spending.settings import Settings
from functions.cap_spending.world import AmountOf, BillingOf, BudgetAmount, CapSpendingNeed, ProjectBilling, ServicesIn
from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.decision import Change, Text
from shared.events import Dated, PubsubMessage, Tick, inbox_of
from shared.holds import HeldChange, confirmed
from shared.state import DATABASE, State
from shared.world import World

Applied = tuple[CapSpendingChange, ...]
API = "projects/my-product/locations/europe-west1/services/api"


class ThisRun(threading.local):
    """A bug's memory of the run in its thread."""

    decisions = 0
    has_notified = False
    is_tick = False
    message_id = ""


def says_it_again() -> AnyAutomation:
    """Tells of every rung in force on every run, and not once."""
    this_run = ThisRun()

    def parse(message: PubsubMessage, settings: Settings) -> Event:
        this_run.has_notified = False
        return AUTOMATION.parse(message, settings)

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        right = AUTOMATION.decide(context, world, applied)
        if right.changes or this_run.has_notified or not right.records.in_force or not context.settings.budgets:
            return right
        (budget,) = context.settings.budgets.values()
        (rung,) = budget.ladder
        again = Notify(
            target="budgets/monthly",
            field="rung",
            before="",
            after=rung.name,
            reason=Text("still in force"),
            scope="monthly",
            budget="monthly",
            rung=rung,
        )
        return msgspec.structs.replace(right, changes=(again,))

    def apply(change: CapSpendingChange, clients: Clients) -> None:
        this_run.has_notified |= isinstance(change, Notify)
        AUTOMATION.apply(change, clients)

    return msgspec.structs.replace(AUTOMATION, parse=parse, decide=decide, apply=apply)


def says_that_it_looks() -> AnyAutomation:
    """Publishes that it has found something, while it is only looking."""
    this_run = ThisRun()

    def parse(message: PubsubMessage, settings: Settings) -> Event:
        event = AUTOMATION.parse(message, settings)
        this_run.is_tick, this_run.has_notified = isinstance(event, Tick), False
        return event

    def look(need: CapSpendingNeed, clients: Clients) -> object:
        if not this_run.is_tick and not this_run.has_notified:
            this_run.has_notified = True
            topic = f"projects/{clients.project}/topics/{inbox_of('cap_spending')}"
            clients.of(PublisherClient).publish(
                request={"topic": topic, "messages": [{"data": b"looking"}]}, **clients.writing
            )
        return AUTOMATION.look(need, clients)

    return msgspec.structs.replace(AUTOMATION, parse=parse, look=look)


def acts_in_small_steps() -> AnyAutomation:
    """Plans everything when it is asked, and only the last thing when it acts."""
    this_run = ThisRun()

    def parse(message: PubsubMessage, settings: Settings) -> Event:
        this_run.decisions = 0
        return AUTOMATION.parse(message, settings)

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        this_run.decisions += 1
        right = AUTOMATION.decide(context, world, applied)
        return right if this_run.decisions == 1 else msgspec.structs.replace(right, changes=right.changes[-1:])

    return msgspec.structs.replace(AUTOMATION, parse=parse, decide=decide)


def saves_the_original_afterwards() -> AnyAutomation:
    """Records what a resource was when it has been changed, and not before."""

    class Forgetful(Records, frozen=True, kw_only=True):
        def before(self, changes: Sequence[Change]) -> "Forgetful":
            del changes
            return self

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        decision = AUTOMATION.decide(context, world, applied)
        late = {one.target: confirmed(one.hold) for one in applied if isinstance(one, HeldChange) and one.hold}
        records = msgspec.structs.replace(decision.records, holds=decision.records.holds | late)
        return msgspec.structs.replace(decision, records=records)

    return msgspec.structs.replace(AUTOMATION, records=Forgetful, decide=decide)


def takes_a_copy_for_news() -> AnyAutomation:
    """Adds up the costs of a notification's copies, as if each were a new cost."""

    def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
        known = records.budgets.get("monthly")
        said = event.event
        if not isinstance(said, BudgetNotification) or known is None or known.newest.message_id != event.message_id:
            return AUTOMATION.fold(records, event, settings)
        more = msgspec.structs.replace(said, cost=said.cost + known.current.highest_cost)
        return AUTOMATION.fold(records, Dated(more, event.message_id, event.published), settings)

    return msgspec.structs.replace(AUTOMATION, fold=fold)


def looks_before_it_leaps() -> AnyAutomation:
    """Counts what is not counted yet, without a precondition on the write: two runs may both count."""
    this_run = ThisRun()

    def parse(message: PubsubMessage, settings: Settings) -> Event:
        event = AUTOMATION.parse(message, settings)
        this_run.is_tick, this_run.message_id = isinstance(event, Tick), message.message_id
        return event

    def look(need: CapSpendingNeed, clients: Clients) -> object:
        if not this_run.is_tick:
            path = f"records/seen_{this_run.message_id}"
            database = f"projects/{clients.project}/databases/{DATABASE}"
            if State(clients).read(path)[0].fields is None:
                once_more = {"field_path": "times", "increment": {"integer_value": 1}}
                document = {"name": f"{database}/documents/{path}"}
                write = {"update": document, "update_mask": {}, "update_transforms": [once_more]}
                clients.of(FirestoreClient).commit(request={"database": database, "writes": [write]}, **clients.writing)
        return AUTOMATION.look(need, clients)

    return msgspec.structs.replace(AUTOMATION, parse=parse, look=look)


def believes_the_last_to_arrive() -> AnyAutomation:
    """Takes the notification that came last for the newest."""

    def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
        folded = AUTOMATION.fold(records, event, settings)
        if not isinstance(said := event.event, BudgetNotification):
            return folded
        newest = Newest(event.published, event.message_id, said.interval_start, said.amount, said.cost)
        last = BudgetRecord(newest, folded.budgets[said.budget].intervals)
        return msgspec.structs.replace(folded, budgets=folded.budgets | {said.budget: last})

    return msgspec.structs.replace(AUTOMATION, fold=fold)


def takes_a_failed_read_for_nothing() -> AnyAutomation:
    """Finds nothing where it could not look."""

    def look(need: CapSpendingNeed, clients: Clients) -> object:
        try:
            return AUTOMATION.look(need, clients)
        except GoogleAPICallError:
            match need:
                case BillingOf(parent=project):
                    return ProjectBilling(project, "")
                case AmountOf():
                    return BudgetAmount(exists=True)
            return ()

    return msgspec.structs.replace(AUTOMATION, look=look)


def goes_by_the_short_name() -> AnyAutomation:
    """Sets every service of that name, in another region too."""

    def apply(change: CapSpendingChange, clients: Clients) -> None:
        if isinstance(change, SetMaxInstances):
            twin = change.target.replace("europe-west1", "europe-west4")
            AUTOMATION.apply(msgspec.structs.replace(change, target=twin, etag=""), clients)
        AUTOMATION.apply(change, clients)

    return msgspec.structs.replace(AUTOMATION, apply=apply)


def edits_what_others_wrote() -> AnyAutomation:
    """Reports on GitHub in the first comment that exists, even if a user wrote it."""

    def ask(clients: Clients, verb: str, path: str, body: dict[str, str] | None = None) -> Any:
        url = clients.url(f"https://api.github.com/repos/acme/shop/issues/comments{path}")
        bearing = {"Authorization": "Bearer ghp_planted"}
        answer = clients.session.request(verb, url, json=body, headers=bearing, timeout=30)
        if not answer.ok:
            raise from_http_status(answer.status_code, answer.text)
        return answer.json()

    def apply(change: CapSpendingChange, clients: Clients) -> None:
        if isinstance(change, SetMaxInstances):
            (first, *_) = ask(clients, "GET", "")
            ask(clients, "PATCH", f"/{first['id']}", {"body": f"{change.max_instances} instances"})
        AUTOMATION.apply(change, clients)

    return msgspec.structs.replace(AUTOMATION, apply=apply)


def looks_twice() -> AnyAutomation:
    """Gets a service that it has listed, without the permission."""

    def look(need: CapSpendingNeed, clients: Clients) -> object:
        if isinstance(need, ServicesIn):
            clients.of(ServicesClient).get_service(request={"name": API}, **clients.reading)
        return AUTOMATION.look(need, clients)

    return msgspec.structs.replace(AUTOMATION, look=look)


def logs_what_it_gets() -> AnyAutomation:
    """Logs each message, for debugging."""

    def parse(message: PubsubMessage, settings: Settings) -> Event:
        logging.getLogger(__name__).debug("received %s", message.data)
        return AUTOMATION.parse(message, settings)

    return msgspec.structs.replace(AUTOMATION, parse=parse)


def never_gives_back() -> AnyAutomation:
    """Lowers limits, and does not raise them again."""

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        right = AUTOMATION.decide(context, world, applied)
        raising = [one for one in right.changes if isinstance(one, SetMaxInstances) and one.max_instances > 1]
        return msgspec.structs.replace(right, changes=tuple(one for one in right.changes if one not in raising))

    return msgspec.structs.replace(AUTOMATION, decide=decide)


def refuses_what_it_does_not_know() -> AnyAutomation:
    """Takes no document with a field that a newer version has written."""

    class Strict(Records, frozen=True, kw_only=True, forbid_unknown_fields=True):
        """The same records."""

    return msgspec.structs.replace(AUTOMATION, records=Strict)


def forgets_what_no_setting_names() -> AnyAutomation:
    """Drops what is held for budgets that the settings no longer have."""

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        right = AUTOMATION.decide(context, world, applied)
        keys = context.settings.budgets.keys()
        lost = {
            name
            for name, hold in context.records.holds.items()
            if keys.isdisjoint(rung.partition("/")[0] for rung in hold.held_by)
        }
        holds = {name: hold for name, hold in right.records.holds.items() if name not in lost}
        return msgspec.structs.replace(
            right,
            records=msgspec.structs.replace(right.records, holds=holds),
            changes=tuple(one for one in right.changes if one.target not in lost),
        )

    return msgspec.structs.replace(AUTOMATION, decide=decide)


def stops_when_something_cannot_be_read() -> AnyAutomation:
    """Changes nothing at all if any of its reads failed."""

    def decide(context: Context, world: World, applied: Applied) -> CapSpendingDecision:
        right = AUTOMATION.decide(context, world, applied)
        return msgspec.structs.replace(right, changes=()) if world.unreadable else right

    return msgspec.structs.replace(AUTOMATION, decide=decide)


class Planted(msgspec.Struct, frozen=True):
    """A bug, the law that it breaks, and the other laws that it breaks by the way."""

    law: str
    bug: Callable[[], AnyAutomation]
    also: dict[str, str] = {}
    """By law, why it cannot hold either."""


PLANTED = (
    Planted("settled", says_it_again),
    Planted("dry_run_is_the_truth", says_that_it_looks),
    Planted("dry_run_is_the_truth", acts_in_small_steps),
    Planted(
        "crash_equivalence",
        saves_the_original_afterwards,
        {"errors": "an answer that is lost is like a crash to the change that it answers"},
    ),
    Planted(
        "duplicates",
        takes_a_copy_for_news,
        {
            "settled": "the second delivery writes a higher cost",
            "crash_equivalence": "how often a message was counted depends on where its run died",
            "errors": "the same, where its run failed",
        },
    ),
    Planted(
        "duplicates",
        looks_before_it_leaps,
        {"dry_run_is_the_truth": "it writes while it is only looking"},
    ),
    Planted("order", believes_the_last_to_arrive),
    Planted(
        "errors",
        takes_a_failed_read_for_nothing,
        {"isolation": "what could not be read is not reported"},
    ),
    Planted("ownership", goes_by_the_short_name, {"isolation": "the twin of a service depends on reads of the other"}),
    Planted(
        "ownership",
        edits_what_others_wrote,
        {
            "least_privilege": "it has no permission to write comments",
            "undo": "it does not say again what was said before",
            "settings": "what it is not permitted ends its runs where permissions are enforced",
            "isolation": "what it asks GitHub is not reported when it fails",
        },
    ),
    Planted("least_privilege", looks_twice, {"isolation": "the service that it gets is in one region of two"}),
    Planted("no_secret_leaves", logs_what_it_gets),
    Planted("undo", never_gives_back, {"settings": "the command that a debt names does not restore it either"}),
    Planted("settings", forgets_what_no_setting_names),
    Planted("isolation", stops_when_something_cannot_be_read),
    Planted("versions", refuses_what_it_does_not_know),
)
