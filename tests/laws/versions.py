"""Law 13, versions: what another version stored changes nothing, and is still there afterwards.

After each event the records of the automation, and the spending restrictions, get fields and entries that this version
does not know, as a newer one would leave them behind when it is rolled back.
"""

from typing import Any

import msgspec
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import Document, Write

from shared.parts import WRITE, paths_of_parts
from shared.restrictions import DOCUMENT as RESTRICTIONS
from shared.state import DATABASE
from tests.laws.case import Case
from tests.laws.end_state import that_remember
from tests.laws.harness import Stage
from tests.localcloud.raw_fields import from_fields, to_fields

NAME = "versions"
UNKNOWN = "from_a_newer_version"


def check(case: Case, part: str) -> None:
    """Play the scenario twice: as it is, and with unknown fields put into all documents after each event."""
    del part
    with Stage(case, NAME, is_by_wire=False) as stage:
        past = stage.snapshot()
        stage.play_to_the_end()
        expected = stage.end_state()
        past.restore()
        marked: set[str] = set()
        for event in stage.scenario.events:
            stage.play([event])
            _must_have_kept(stage, marked, event.name)
            marked |= _add_unknown(stage)
        stage.tick()
        if stage.scenario.undo:
            stage.play([stage.scenario.undo])
            stage.tick()
        _must_have_kept(stage, marked, "the end")
        what = "with fields and entries of a newer version in its documents: the end state differs"
        found = _without_unknown(stage.end_state())
        stage.must_be(expected, found | {"records": that_remember(found["records"])}, what)


def _documents(stage: Stage) -> dict[str, dict[str, Any]]:
    """The stored documents that there are, by full name, with their fields: of records in parts, those too."""
    database = f"projects/{stage.scenario.project}/databases/{DATABASE}"
    records, restrictions = (
        f"{database}/documents/{path}" for path in (f"records/{stage.automation.name}", RESTRICTIONS)
    )
    found = _read(stage, database, records, restrictions)
    parts = paths_of_parts(records, found.get(records, {}))
    return found | (_read(stage, database, *parts) if parts else {})


def _read(stage: Stage, database: str, *names: str) -> dict[str, dict[str, Any]]:
    answers = stage.clients.of(FirestoreClient).batch_get_documents(request={"database": database, "documents": names})
    found = (Document.pb(answer.found) for answer in answers if answer.found.name)
    return {document.name: from_fields(document.fields) for document in found}


def _add_unknown(stage: Stage) -> set[str]:
    """Put unknown fields and entries into all documents, and return their names."""
    database = f"projects/{stage.scenario.project}/databases/{DATABASE}"
    documents = _documents(stage)
    for name, fields in documents.items():
        if WRITE in fields:  # a part has no fields of its own, and its entries as JSON
            fields |= {key: _added_to_text(text) for key, text in fields.items() if key != WRITE}
        else:
            fields[UNKNOWN] = "a field"
            for value in fields.values():
                _add_to_entries(value)
        if name.endswith(RESTRICTIONS):
            fields.setdefault("in_force", {})[UNKNOWN] = {"kind": "an entry"}
        write = Write(update=Document(name=name))
        to_fields(fields, Write.pb(write).update.fields)
        stage.clients.of(FirestoreClient).commit(request={"database": database, "writes": [write]})
    return set(documents)


def _added_to_text(text: str) -> str:
    entries = msgspec.json.decode(text)
    _add_to_entries(entries)
    return msgspec.json.encode(entries).decode()


def _add_to_entries(value: object) -> None:
    for entry in value.values() if isinstance(value, dict) else ():
        if isinstance(entry, dict):
            entry[UNKNOWN] = "a field of an entry"


def _must_have_kept(stage: Stage, marked: set[str], when: str) -> None:
    """Records that have an unknown field once have it from then on. Scenarios write restrictions by themselves."""
    for name, fields in _documents(stage).items():
        if name in marked and "/records/" in name and WRITE not in fields and UNKNOWN not in fields:
            raise stage.broken(f"{when}: {name.rpartition('/documents/')[2]} has lost a field of a newer version")


def _without_unknown(state: Any) -> Any:
    """A state as it is without what was put there, and without what holds nothing else."""
    if not isinstance(state, dict):
        return [_without_unknown(one) for one in state] if isinstance(state, list) else state
    plain = {key: _without_unknown(value) for key, value in state.items() if key != UNKNOWN}
    return {key: value for key, value in plain.items() if value != {} or state[key] == {}}
