"""Records that are nearly full are an alert, before Firestore refuses to write them."""

from datetime import UTC, datetime

import msgspec
import pytest
from google.api_core.exceptions import InvalidArgument

from localcloud import LocalCloud
from shared.automation import Records
from shared.clients import Clients, RetryPolicy
from shared.errors import in_words
from shared.firestore_values import Builtins
from shared.parts import SPLIT_ABOVE, size_of
from shared.records_size import KIND, LARGEST_COMMIT, LARGEST_DOCUMENT, NEARLY_FULL, commit_size, nearly_full
from shared.state import Document, State

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
VALUES: dict[str, Builtins] = {"none": None, "yes": True, "many": 7, "when": NOW, "words": ["ä", {"half": 0.5}]}


class Words(msgspec.Struct, frozen=True):
    """A document of the tests."""

    words: str = ""
    more: str = ""


class Said(Records, frozen=True, kw_only=True):
    """Records of the tests."""

    words: dict[str, str] = {}


def test_the_size_is_what_firestore_counts() -> None:
    assert size_of(VALUES) == (4 + 1 + 1) + (3 + 1 + 1) + (4 + 1 + 8) + (4 + 1 + 8) + (5 + 1 + 3 + 4 + 1 + 8)
    assert size_of({"words": ("b", "cd")}) == size_of({"words": ["b", "cd"]})
    name = 32 + len("records") + 1 + len("a") + 1 + 16  # what every document has besides: its name, and 32 bytes
    fits = LARGEST_DOCUMENT - name - size_of({"words": "", "more": "x" * 100})
    with LocalCloud(now=NOW) as cloud:
        clients = Clients("p", http_endpoint=cloud.http_address, retry=RetryPolicy(give_up=0.01))
        state = State(clients)
        (known,) = state.read("records/a")
        with pytest.raises(Exception, match="exceeds the maximum") as refused:
            state.write(known, Words("x" * (fits + 1), "x" * 100))
        with pytest.raises(InvalidArgument, match='property "words" is longer than 1048487 bytes'):
            state.write(known, Words("x" * 1_048_488))
        state.write(known, Words("x" * fits, "x" * 100))
        clients.close()
    assert f"{LARGEST_DOCUMENT:,} bytes" in in_words(refused.value)


def _words(count: int) -> dict[str, str]:
    return {f"{number:050}": '"quoted"' * 100 for number in range(count)}


@pytest.mark.parametrize(("share", "alerts"), [(NEARLY_FULL * 0.99, 0), (NEARLY_FULL * 1.01, 1)])
def test_four_fifths_of_a_commit_are_an_alert(share: float, alerts: int) -> None:
    each = commit_size({"words": {**_words(1_000)}}) / 1_000
    found = list(nearly_full("scale_gpu_pools", Said(words=_words(int(share * LARGEST_COMMIT / each)))))
    assert [(one.kind, one.subject) for one in found] == [(KIND, "scale_gpu_pools")] * alerts
    assert all("10,240 KiB" in one.reason and "caretaker.yaml" in one.reason for one in found)


@pytest.mark.one_python
@pytest.mark.no_cover
def test_what_firestore_takes_in_one_commit_is_known() -> None:
    each = commit_size({"words": {**_words(1_000)}}) / 1_000
    with LocalCloud(now=NOW) as cloud:
        clients = Clients("p", http_endpoint=cloud.http_address)
        state = State(clients)
        with pytest.raises(InvalidArgument, match=f"exceeds the limit: {LARGEST_COMMIT} bytes"):
            state.write(Document("records/a"), Said(words=_words(int(1.01 * LARGEST_COMMIT / each))))
        known = state.write(Document("records/a"), Said(words=_words(int(0.99 * LARGEST_COMMIT / each))))
        clients.close()
    assert len(known.parts) > 10


@pytest.mark.parametrize(
    ("size", "alerts"), [(SPLIT_ABOVE, 0), (int(0.79 * LARGEST_DOCUMENT), 0), (int(0.81 * LARGEST_DOCUMENT), 1)]
)
def test_an_entry_that_nearly_fills_a_document_is_an_alert(size: int, alerts: int) -> None:
    found = list(nearly_full("scale_gpu_pools", Said(words={"a": "x" * size, "b": "y"})))
    assert len(found) == alerts
    assert all("1,024 KiB" in one.reason for one in found)
