"""Cloud Logging's answers, in shapes that the local cloud does not give."""

import re
from datetime import UTC, datetime

import msgspec

from infra.deploy.logs import newest_entry
from infra.deploy.target import Target
from localcloud import LocalCloud
from localcloud.core.http import HttpRequest, Route
from shared.clients import Clients

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


class SlowLogging:
    """A search that takes several pages: those that come to their end before it has found anything are empty."""

    pages = (
        {"nextPageToken": "further"},
        {"entries": [{"timestamp": NOON.isoformat(), "jsonPayload": {"found": True}}], "nextPageToken": "more"},
    )

    def __init__(self) -> None:
        self.tokens: list[object] = []

    @property
    def routes(self) -> tuple[Route, ...]:
        """Listing entries."""
        return (Route("POST", re.compile(r"logging\.googleapis\.com/v2/entries:list"), self.list_),)

    def list_(self, request: HttpRequest) -> object:
        """One page after another."""
        self.tokens.append(msgspec.json.decode(request.body).get("pageToken"))
        return self.pages[len(self.tokens) - 1]


def test_the_search_goes_on_past_an_empty_page() -> None:
    logging = SlowLogging()
    with LocalCloud(now=NOON) as cloud:
        cloud.http.add(logging)
        clients = Clients("my-product", http_endpoint=cloud.http_address)
        try:
            entry = newest_entry(Target("my-product", clients), "jsonPayload.found=true", NOON)
        finally:
            clients.close()
    assert entry
    assert entry.json_payload == {"found": True}
    assert logging.tokens == [None, "further"]
