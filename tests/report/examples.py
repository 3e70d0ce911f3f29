"""Worlds for the tests of the report, as sources: five states that it must show well, and one that is hostile."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from functions.cap_spending.folding import fold
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.records import Records as SpendingRecords
from functions.cap_spending.settings import Settings as SpendingSettings
from functions.scale_gpu_pools.records import Interval
from functions.scale_gpu_pools.savings import SavingsBook
from report.sources import JobRun, Month, Sources
from shared.debts import Debt, DebtState
from shared.decision import Alert
from shared.events import Dated
from shared.moments import AlertBegan, AnyMoment, Changed, Commanded, Costed, Owed, Paid
from shared.report import ChangeReport, Outcome, Report, Upcoming
from shared.restrictions import InForce, Restriction, SpendingRestrictions
from shared.settings import Mode, convert

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = datetime(2026, 11, 1, 8, tzinfo=UTC)
POOL = "projects/my-product/locations/europe-west4/clusters/research/nodePools/gpu"
RUN = "projects/my-product/locations/europe-west1/services"
JOBS = "projects/my-product/locations/europe-west1/jobs"
RUNG = ("monthly/actual@1",)
UNDO = "./deploy.sh send cap_spending undo --budget monthly"
WHY = "cost has reached 405.37 USD, past 100 % of 400.00 USD (monthly/actual@1)"
LADDER = [
    {"at": 0.5, "do": ["notify"]},
    {"at": 1.0, "do": ["notify", "gpu_pools_off", "previews_off", "pause_schedules", "limit_cloud_run"]},
    {"at": 1.5, "do": ["notify", "detach_billing"]},
]
SPENT = [4, 9, 13, 19, 24, 30, 37, 45, 52, 61, 90, 132, 171, 204, 238, 272, 305, 341, 381, 420, 436, 445, 449, 452]


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A time in November."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def settings(**budgets: object) -> SpendingSettings:
    """Settings with these budgets, or with the usual one."""
    usual = {
        "billing_account": "0A1B2C-3D4E5F-6A7B8C",
        "id": "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a",
        "currency": "USD",
        "ladder": LADDER,
        "may_touch": {
            "limit_cloud_run": {
                "projects": ["my-product"],
                "regions": ["europe-west1"],
                "services": ["api"],
                "max_instances": 1,
            },
            "pause_schedules": {"projects": ["my-product"], "locations": ["europe-west1"], "job_prefix": "batch-"},
            "detach_billing": {"projects": ["my-product-experiments"]},
        },
    }
    given = {key: {**usual, **one} for key, one in budgets.items() if isinstance(one, dict)}
    return convert({"budgets": given or {"monthly": usual}}, SpendingSettings, "cap_spending")


def spent(
    costs: Iterable[float], known: SpendingSettings, key: str = "monthly", amount: str = "400"
) -> tuple[SpendingRecords, list[AnyMoment]]:
    """The records and the history of a budget that has reported a cost each noon."""
    return _more((SpendingRecords(), []), costs, known, key, amount)


def _more(
    before: tuple[SpendingRecords, list[AnyMoment]],
    costs: Iterable[float],
    known: SpendingSettings,
    key: str,
    amount: str,
) -> tuple[SpendingRecords, list[AnyMoment]]:
    records, moments = before
    for number, cost in enumerate(costs, start=1):
        said = BudgetNotification(key, NOVEMBER, Decimal(str(cost)), Decimal(amount), None)
        after = fold(records, Dated(said, f"{key}-{number}", at(number)), known)
        moments += [
            msgspec.structs.replace(one, automation="cap_spending", message_id=f"{key}-{number}")
            for one in after.moments_since(records)
            if isinstance(one, Costed)
        ]
        records = after
    return records, moments


def debt(resource: str, field: str, original: str, applied: str, **more: object) -> Debt:
    """Something that the budget holds since the 20th."""
    given = {"held_by": RUNG, "since": at(20), "undo": UNDO, "reason": WHY, "is_hold": True, **more}
    return Debt(resource, field, original, applied, **given)  # type: ignore[arg-type] # given by name


def change(kind: str, target: str, **more: object) -> ChangeReport:
    """A change that was applied."""
    given = {"field": "f", "before": "", "after": "", "reason": WHY, "outcome": Outcome.APPLIED, **more}
    return ChangeReport(kind, target, **given)  # type: ignore[arg-type] # given by name


def report(automation: str, now: datetime, **more: object) -> Report:
    """The newest report of an automation."""
    given = {"event": "Tick", "message_id": "1", "outcome": Outcome.UNCHANGED, "mode": Mode.ACT, **more}
    return Report(automation=automation, at=now, **given)  # type: ignore[arg-type] # given by name


def sources(now: datetime, **more: object) -> Sources:
    """Sources with nothing in them but what is given."""
    given = {"mode": Mode.ACT, "zone": BERLIN, "month": Month.around(now, BERLIN), "names": {POOL: "training"}, **more}
    return Sources(project="my-product", now=now, **given)  # type: ignore[arg-type] # given by name


ALERT = Alert(
    "small_newest",
    "shop",
    "the newest backup has 3 MiB, less than 20 MiB, which is 50 % of the median of the 13 before it",
    "the newest backup is too small",
    at(24, 5, 30),
)
HELD = (
    debt(f"{JOBS}/batch-import", "state", "ENABLED", "PAUSED"),
    debt(f"{JOBS}/batch-report", "state", "ENABLED", "PAUSED"),
    debt(f"{RUN}/api", "max_instances", "20", "1"),
    debt(
        f"{RUN}/worker",
        "max_instances",
        "10",
        "1",
        state=DebtState.BY_HAND,
        by_hand="4",
        by_hand_seen=at(22, 9),
    ),
)
NIGHT = "./deploy.sh send scale_gpu_pools awake --until TIME"


def _nights() -> list[AnyMoment]:
    moments: list[AnyMoment] = []
    for day in range(2, 20):
        night = debt(
            POOL,
            "initial_node_count",
            "2",
            "0",
            held_by=("training",),
            since=at(day, 18),
            undo=NIGHT,
            reason="out of hours",
        )
        moments.append(
            Owed(
                at=at(day, 18),
                automation="scale_gpu_pools",
                message_id=f"n{day}",
                debt=msgspec.structs.replace(night, state=DebtState.INTENDED),
            )
        )
        moments.append(
            Changed(
                at=at(day, 18),
                automation="scale_gpu_pools",
                message_id=f"n{day}",
                change=change("Resize", POOL, before="2", after="0", reason="out of hours"),
            )
        )
        moments.append(Paid(at=at(day + 1, 7), automation="scale_gpu_pools", message_id=f"m{day}", debt=night))
        saved = {"saved": 14.04, "currency": "USD", "reason": "2 nodes did not run, which saved 14.04 USD"}
        moments.append(
            Changed(
                at=at(day + 1, 7),
                automation="scale_gpu_pools",
                message_id=f"m{day}",
                change=change("RecordSaving", POOL, **saved),
            )
        )
    return moments


def over_budget() -> Sources:
    """The 24th: past the budget, five things held, one changed by hand, one alert."""
    known = settings()
    records, moments = spent(SPENT, known)
    for one in HELD:
        moments.append(
            Owed(
                at=at(20),
                automation="cap_spending",
                message_id="monthly-20",
                debt=msgspec.structs.replace(one, state=DebtState.INTENDED, by_hand="", by_hand_seen=None),
            )
        )
    pool = debt(
        POOL,
        "initial_node_count",
        "2",
        "0",
        undo=UNDO,
        reason="the spending restriction gpu_pools_off is in force, by monthly/actual@1",
    )
    kinds: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("SetRestrictions", "restrictions/spending", {"after": "gpu_pools_off, previews_off"}),
        ("PauseJob", f"{JOBS}/batch-import", {}),
        ("PauseJob", f"{JOBS}/batch-report", {}),
        ("SetMaxInstances", f"{RUN}/api", {"before": "20", "after": "1"}),
        ("SetMaxInstances", f"{RUN}/worker", {"before": "10", "after": "1"}),
    )
    moments += [
        Changed(at=at(20), automation="cap_spending", message_id="monthly-20", change=change(kind, target, **more))
        for kind, target, more in kinds
    ]
    moments += [
        Changed(
            at=at(14),
            automation="cap_spending",
            message_id="monthly-14",
            change=change(
                "Notify",
                "budgets/monthly",
                after="actual@0.5",
                reason="cost has reached 204.00 USD, past 50 % of 400.00 USD",
            ),
        )
    ]
    moments += [Owed(at=at(20, 12, 1), automation="scale_gpu_pools", message_id="g", debt=pool)]
    moments += [Owed(at=at(22, 9), automation="cap_spending", message_id="hand", debt=HELD[3])]
    moments += [
        Commanded(
            at=at(13, 11),
            automation="cap_spending",
            message_id="c",
            command="Snooze",
            arguments={"until": "2026-11-13 18:00"},
            sent_by="ada@laptop",
        )
    ]
    moments += [
        AlertBegan(
            at=at(24, 5, 30),
            automation="prune_backups",
            message_id="b",
            alert="small_newest",
            subject="shop",
            title=ALERT.title,
            reason=ALERT.reason,
        )
    ]
    moments += _nights()
    now = at(24, 12)
    book = {POOL: tuple(Interval(at(day, 18), 2, 0.54, "USD", at(day + 1, 7)) for day in range(2, 20))}
    following = (Upcoming("monthly/actual@1.5", "notify, detach_billing at 600.00 USD (150 %)"),)
    return sources(
        now,
        spending=known,
        spending_records=records,
        restrictions=SpendingRestrictions(
            {one: InForce(at(20), RUNG) for one in Restriction if one in {"gpu_pools_off", "previews_off"}}
        ),
        debts={"cap_spending": HELD, "scale_gpu_pools": (pool,)},
        moments=tuple(sorted(moments, key=lambda one: one.at)),
        book=SavingsBook(book),
        reports={
            "cap_spending": report("cap_spending", now, upcoming=following),
            "scale_gpu_pools": report("scale_gpu_pools", now),
            "rotate_secrets": report(
                "rotate_secrets",
                now,
                upcoming=(
                    Upcoming("session-key", "due at 2026-12-02 10:30 UTC", datetime(2026, 12, 2, 10, 30, tzinfo=UTC)),
                ),
            ),
            "prune_backups": report("prune_backups", now, alerts=(ALERT,)),
        },
        jobs=(
            JobRun(
                "prove_backup",
                at(24, 3),
                has_failed=False,
                why="gs://my-backups/shop/20261124.dump is proved: restored in 41.2 s",
            ),
        ),
    )


def calm() -> Sources:
    """The 6th: nothing is wrong."""
    known = settings()
    records, moments = spent(SPENT[:6], known)
    now = at(6, 15)
    reports = {name: report(name, now) for name in ("cap_spending", "scale_gpu_pools")}
    return sources(now, spending=known, spending_records=records, moments=tuple(moments), reports=reports)


def observing() -> Sources:
    """Past the budget, and nothing may be changed."""
    known = settings()
    records, moments = spent(SPENT, known)
    now = at(24, 12)
    planned = (
        change(
            "SetRestrictions",
            "restrictions/spending",
            after="gpu_pools_off, previews_off",
            outcome=Outcome.OBSERVED,
            follows=("scale_gpu_pools then enforces gpu_pools_off", "manage_previews then enforces previews_off"),
        ),
        change("PauseJob", f"{JOBS}/batch-import", outcome=Outcome.OBSERVED),
        change("SetMaxInstances", f"{RUN}/api", before="20", after="1", outcome=Outcome.OBSERVED),
    )
    pool = (
        change(
            "SetAutoscaling",
            POOL,
            before="1 to 4 nodes",
            after="off",
            reason="out of hours",
            outcome=Outcome.OBSERVED,
            follows=(
                "training would then be resized: initial_node_count 2 -> 0",
                "training would save 1.08 an hour: 2 nodes that do not run",
            ),
        ),
    )
    reports = {
        "cap_spending": report("cap_spending", now, mode=Mode.OBSERVE, changes=planned),
        "scale_gpu_pools": report("scale_gpu_pools", now, mode=Mode.OBSERVE, changes=pool),
    }
    return sources(
        now, mode=Mode.OBSERVE, spending=known, spending_records=records, moments=tuple(moments), reports=reports
    )


def first_day() -> Sources:
    """Just deployed: no budget has notified, nothing has run."""
    now = at(3, 9)
    return sources(
        now,
        spending=settings(),
        reports={"cap_spending": report("cap_spending", now), "scale_gpu_pools": report("scale_gpu_pools", now)},
    )


def many() -> Sources:
    """Three budgets in three currencies, forty things held, a job that failed."""
    known = settings(
        monthly={},
        team={
            "id": "1" * 8 + "-0a9e-4d5c-8b7a-6f5e4d3c2b1a",
            "currency": "EUR",
            "ladder": [{"at": 0.8, "do": ["notify"]}, {"at": 1.0, "on": "forecast", "do": ["notify"]}],
        },
        research={
            "id": "2" * 8 + "-0a9e-4d5c-8b7a-6f5e4d3c2b1a",
            "currency": "JPY",
            "ladder": [{"at": 1.0, "do": ["notify"]}],
        },
    )
    records, moments = spent([one * 1.2 for one in SPENT], known)
    records, moments = _more((records, moments), [one * 0.8 for one in SPENT], known, "team", "900")
    records, moments = _more((records, moments), [one * 700 for one in SPENT], known, "research", "250000")
    held = tuple(debt(f"{RUN}/service-{number:02}", "max_instances", str(number + 4), "1") for number in range(40))
    moments += [Owed(at=at(18), automation="cap_spending", message_id="monthly-18", debt=one) for one in held]
    now = at(24, 12)
    failed = JobRun(
        "prove_backup",
        at(24, 3),
        has_failed=True,
        why="gs://my-backups/shop/20261124.dump: the check query answers false",
    )
    return sources(
        now,
        spending=known,
        spending_records=records,
        debts={"cap_spending": held},
        moments=tuple(sorted(moments, key=lambda one: one.at)),
        jobs=(failed,),
        reports={"cap_spending": report("cap_spending", now)},
    )


HOSTILE = "<script>document.title='owned'</script>\u202e\x00\x1b[31m\"'`{{7*7}}{% raw %}&lt;&amp;" + "x" * 3000


def hostile() -> Sources:
    """Titles, names, reasons and errors that try to be markup, code, or very long."""
    known = settings()
    records, moments = spent(SPENT, known)
    held = (
        debt(
            f"{RUN}/{HOSTILE}", "max_instances", HOSTILE, "1", reason=HOSTILE, undo="./deploy.sh send cap_spending undo"
        ),
    )
    moments += [
        Changed(
            at=at(21),
            automation="cap_spending",
            message_id="h",
            change=change(
                "SetMaxInstances",
                f"{RUN}/{HOSTILE}",
                reason=HOSTILE,
                error=HOSTILE,
                outcome=Outcome.FAILED,
                is_money=True,
            ),
        )
    ]
    now = at(24, 12)
    alerts = (Alert("stock_out", HOSTILE, HOSTILE, HOSTILE, at(20)),)
    reports = {
        "cap_spending": report("cap_spending", now, alerts=alerts, upcoming=(Upcoming(HOSTILE, HOSTILE, at(28)),))
    }
    return sources(
        now,
        spending=known,
        spending_records=records,
        debts={"cap_spending": held},
        moments=tuple(sorted(moments, key=lambda one: one.at)),
        reports=reports,
        notes=(HOSTILE,),
    )


STATES = {
    "over_budget": over_budget,
    "calm": calm,
    "observing": observing,
    "first_day": first_day,
    "many": many,
    "hostile": hostile,
}
