"""Publishing confirms each message, or nothing."""

import re
from datetime import UTC, datetime

import pytest

from localcloud import LocalCloud
from localcloud.core.http import HttpRequest, Route
from shared.clients import Clients
from shared.publishing import Message, publish_all
from shared.rest import UnknownAnswer


class Forgetful:
    """A Pub/Sub that answers with the id of one message alone."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Publishing."""
        return (Route("POST", re.compile(r"pubsub\.googleapis\.com/v1/forgetful:publish"), self.publish),)

    def publish(self, request: HttpRequest) -> object:
        """One id."""
        del request
        return {"messageIds": ["1"]}


@pytest.mark.parametrize("number", [1, 2])
def test_each_message_has_an_id(number: int) -> None:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        cloud.http.add(Forgetful())
        clients = Clients("p", http_endpoint=cloud.http_address)
        messages = [Message(b"{}")] * number
        if number == 1:
            assert publish_all(clients, "forgetful", messages) == ("1",)
        else:
            with pytest.raises(UnknownAnswer, match="1 ids of 2 messages"):
                publish_all(clients, "forgetful", messages)
        clients.close()
