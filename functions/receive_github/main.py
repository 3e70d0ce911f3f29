"""Receives GitHub's webhooks: checks the signature, publishes what previews need, answers; nothing else.

What it publishes goes to the topic of pull requests and to no inbox, so nothing that comes from outside can command.
"""

from pathlib import Path

import functions_framework
from flask import Request, Response

from functions.receive_github.bodies import Bodies
from functions.receive_github.publishing import POLICY, Publisher
from functions.receive_github.settings import Settings
from functions.receive_github.webhook import answer
from functions.receive_github.webhook_secrets import WebhookSecrets
from shared.clients import Clients
from shared.settings import from_environment

CONCURRENCY = 80
"""The requests that an instance takes at once (`automations.yaml`): each may need a connection."""

settings = from_environment("receive_github", Settings).section
secrets = WebhookSecrets(Path(settings.secret_file), Path(settings.previous_secret_file))
clients = Clients.from_environment(retry=POLICY, concurrency=CONCURRENCY)
publisher = Publisher(clients)
bodies = Bodies()


@functions_framework.http
def receive_github(request: Request) -> Response:
    """Answer one webhook."""
    return answer(request, secrets, settings, publisher.publish, bodies)
