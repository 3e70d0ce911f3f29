"""Decisions are plain values, and what is refused is judged on all changes of one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from shared.automation import AnyAutomation, Automation, Records, RunContext
from shared.decision import Alert, Change, Decision, Message, Next, Refusal, Text, is_suites_own
from shared.events import Dated, Tick
from shared.looking import guarded
from shared.restrictions import SpendingRestrictions
from shared.settings import Section
from shared.world import World


class Drop(Change, frozen=True, kw_only=True):
    """A change for the tests."""

    guard: ClassVar[str] = "not_too_many"


def drop(scope: str, target: str = "t") -> Drop:
    """Something that is dropped."""
    return Drop(target=target, field="size", before="2", after="1", reason=Text("because"), scope=scope)


def not_too_many(_context: object, _world: World, changes: tuple[Drop, ...]) -> Iterable[Refusal]:
    """Refuses each scope of which more than one thing would be dropped."""
    scopes = [change.scope for change in changes]
    return [Refusal(one, "not_too_many", "too many") for one in dict.fromkeys(scopes) if scopes.count(one) > 1]


def with_guards(**guards: Any) -> AnyAutomation:
    """An automation with these guards, and nothing else that counts here."""

    def unused(*_: object) -> Any:
        raise AssertionError("not called")

    return Automation(
        name="a",
        section=Section,
        records=Records,
        parse=unused,
        fold=unused,
        needs=unused,
        look=unused,
        decide=unused,
        apply=unused,
        guards=guards,
    )


CONTEXT = RunContext[Section, Tick, Records](
    event=Dated(Tick(every_seconds=600), "1", datetime(2026, 11, 15, 12, tzinfo=UTC)),
    records=Records(),
    restrictions=SpendingRestrictions(),
    settings=Section(),
    now=datetime(2026, 11, 15, 12, tzinfo=UTC),
    project="caretaker-home",
)


def judged(decision: Decision[Records, Drop], **guards: Any) -> Decision[Records, Drop]:
    """The decision after these guards, `not_too_many` among them unless it is replaced."""
    return guarded(with_guards(**{"not_too_many": not_too_many, **guards}), CONTEXT, World(), decision)


def test_a_refusal_stops_its_scope_and_no_other() -> None:
    decision = Decision(
        records=Records(),
        changes=(drop("a"), drop("b"), drop("a", "u")),
        waiting=(Text("w"),),
        next=(Next("", Text("n")),),
    )
    refusal = Refusal("a", "not_too_many", "too many")
    assert judged(decision) == Decision(
        records=Records(), changes=(drop("b"),), refusals=(refusal,), waiting=(Text("w"),), next=(Next("", Text("n")),)
    )


def test_a_refusal_can_be_an_alert_too() -> None:
    refusal = Refusal("b", "too_old", "9 days", is_alert=True)
    decision = Decision(records=Records(), changes=(drop("a"), drop("b")), alerts=(Alert("smoke", "a", "it smokes"),))
    found = judged(decision, too_old=lambda *_: [refusal])
    assert found.alerts == (Alert("smoke", "a", "it smokes"), Alert("too_old", "b", "9 days"))
    assert found.changes == (drop("a"),)


def test_guards_judge_all_changes_before_any_of_them_has_taken_from_them() -> None:
    def stops_b(*_: object) -> Iterable[Refusal]:
        return [Refusal("b", "stops_b", "no")]

    decision = Decision(records=Records(), changes=(drop("a"), drop("b"), drop("b")))
    found = judged(decision, stops_b=stops_b)
    assert {refusal.guard for refusal in found.refusals} == {"stops_b", "not_too_many"}
    assert found.changes == (drop("a"),)


def test_a_decision_that_refuses_already_stays_so() -> None:
    decision = Decision(records=Records(), changes=(drop("a"), drop("b")), refusals=(Refusal("a", "before", "no"),))
    assert judged(decision).changes == (drop("b"),)


def test_a_change_whose_guard_does_not_exist_is_refused() -> None:
    decision = Decision(records=Records(), changes=(drop("a"),))
    found = guarded(with_guards(another=lambda *_: []), CONTEXT, World(), decision)
    assert found.changes == ()
    (refusal,) = found.refusals
    assert (refusal.scope, refusal.guard) == ("a", "not_too_many")
    assert "does not exist" in refusal.reason


def test_a_message_without_words_is_a_fault() -> None:
    with pytest.raises(NotImplementedError):
        str(Message())


def test_a_change_in_words() -> None:
    assert (drop("a").kind, str(drop("a")), drop("a").guard) == ("Drop", "Drop t: size 2 -> 1", "not_too_many")


def test_what_is_the_suites_own() -> None:
    assert is_suites_own("projects/p/locations/l/jobs/caretaker-cap-spending-tick")
    assert is_suites_own("caretaker-x")
    assert not is_suites_own("projects/caretaker-home/locations/l/jobs/batch")
    assert not is_suites_own("projects/p/locations/l/jobs/my-caretaker-")
    assert not is_suites_own("")
