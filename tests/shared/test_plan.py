"""Plans are plain values, and what is refused is judged on the whole of one."""

from collections.abc import Iterable
from typing import ClassVar

from shared.ownership import is_suites_own
from shared.plan import Alert, Change, Plan, Refusal, guarded


class Drop(Change, frozen=True, kw_only=True):
    """A change for the tests."""

    guard: ClassVar[str] = "not_too_many"


def drop(subject: str, target: str = "t") -> Drop:
    """Something that is dropped."""
    return Drop(target=target, field="size", before="2", after="1", reason="because", subject=subject)


def not_too_many(plan: Plan[Drop]) -> Iterable[Refusal]:
    """Refuses each subject of which more than one thing would be dropped."""
    subjects = [change.subject for change in plan.changes]
    return [Refusal(one, "not_too_many", "too many") for one in dict.fromkeys(subjects) if subjects.count(one) > 1]


def test_a_refusal_stops_its_subject_and_no_other() -> None:
    plan = Plan(changes=(drop("a"), drop("b"), drop("a", "u")), waiting=("w",), next=("n",))
    told = guarded(plan, [not_too_many])
    assert told == Plan((drop("b"),), (Refusal("a", "not_too_many", "too many"),), ("w",), ("n",))


def test_a_refusal_can_be_an_alert_too() -> None:
    refusal = Refusal("b", "too_old", "9 days", is_alert=True)
    plan = Plan(changes=(drop("a"), drop("b")), alerts=(Alert("smoke", "a", "it smokes"),))
    told = guarded(plan, [lambda _: [refusal]])
    assert told.alerts == (Alert("smoke", "a", "it smokes"), Alert("too_old", "b", "9 days"))
    assert told.changes == (drop("a"),)


def test_guards_judge_the_whole_plan_before_any_of_them_has_taken_from_it() -> None:
    def stops_b(_plan: Plan[Drop]) -> Iterable[Refusal]:
        return [Refusal("b", "stops_b", "no")]

    told = guarded(Plan(changes=(drop("a"), drop("b"), drop("b"))), [stops_b, not_too_many])
    assert [refusal.guard for refusal in told.refusals] == ["stops_b", "not_too_many"]
    assert told.changes == (drop("a"),)


def test_a_plan_that_refuses_already_stays_so() -> None:
    plan = Plan(changes=(drop("a"), drop("b")), refusals=(Refusal("a", "before", "no"),))
    assert guarded(plan, []).changes == (drop("b"),)


def test_a_change_in_words() -> None:
    assert (drop("a").kind, str(drop("a")), drop("a").guard) == ("Drop", "Drop t: size 2 -> 1", "not_too_many")


def test_what_is_the_suites_own() -> None:
    assert is_suites_own("projects/p/locations/l/jobs/caretaker-cap-spending-tick")
    assert is_suites_own("caretaker-x")
    assert not is_suites_own("projects/caretaker-home/locations/l/jobs/batch")
    assert not is_suites_own("projects/p/locations/l/jobs/my-caretaker-")
    assert not is_suites_own("")
