"""The owner's keys are labels: what is remembered of a budget follows it when its key changes. Pure."""

import msgspec

from functions.cap_spending.records import Records
from functions.cap_spending.settings import Settings
from shared.cached import cached_by_identity


@cached_by_identity
def labelled(records: Records, settings: Settings) -> Records:
    """The records under the keys that the settings give their budgets now.

    What is known of a budget that the settings no longer have stays under its old key or, if that is taken now, under
    its own name.
    """
    now = {key: budget.name for key, budget in settings.budgets.items()}
    keys = {name: key for key, name in now.items()}
    renamed = {
        key: new
        for key, name in records.labels.items()
        if (new := keys.get(name, key if now.get(key, name) == name else name)) != key
    }
    remembered = (records.budgets, records.anomalies, records.undone, records.accepted, records.snoozed)
    used = {key for by_key in remembered for key in by_key} | holding_budgets(records)
    labels = {
        renamed.get(key, key): name for key in used if (name := records.labels.get(key) or now.get(key)) is not None
    }
    if not renamed and labels == records.labels:
        return records

    def rung(name: str) -> str:
        key, slash, rest = name.partition("/")
        return renamed.get(key, key) + slash + rest

    return msgspec.structs.replace(
        records,
        budgets={renamed.get(key, key): one for key, one in records.budgets.items()},
        anomalies={renamed.get(key, key): one for key, one in records.anomalies.items()},
        undone={renamed.get(key, key): one for key, one in records.undone.items()},
        accepted={renamed.get(key, key): one for key, one in records.accepted.items()},
        snoozed={renamed.get(key, key): one for key, one in records.snoozed.items()},
        in_force=dict(sorted((rung(key), one) for key, one in records.in_force.items())),
        holds={
            name: msgspec.structs.replace(hold, held_by=tuple(sorted(map(rung, hold.held_by))))
            for name, hold in records.holds.items()
        },
        labels=dict(sorted(labels.items())),
    )


def holding_budgets(records: Records) -> set[str]:
    """The keys of the budgets that hold something, whether the settings still have them or not."""
    return {rung.split("/")[0] for hold in records.holds.values() for rung in hold.held_by}
