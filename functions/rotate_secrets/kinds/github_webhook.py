"""The secret of a webhook at GitHub, set by its REST API.

https://docs.github.com/rest/repos/webhooks#update-a-webhook-configuration-for-a-repository
"""

import msgspec

from functions.rotate_secrets.kinds.random_text import random_text
from functions.rotate_secrets.settings import ALPHABET, GithubWebhook
from shared.clients import Clients
from shared.errors import CaretakerError
from shared.github import GitHub


class WebhookNotSet(CaretakerError):
    """GitHub has taken a webhook's secret, and yet shows none."""


class HookConfiguration(msgspec.Struct, frozen=True):
    """A webhook's delivery settings. GitHub shows that there is a secret, and hides its value."""

    secret: str = ""


class WebhookSecret(msgspec.Struct, frozen=True):
    """See `Kind`: setting the new secret takes the old one away."""

    settings: GithubWebhook
    clients: Clients

    def generate(self, current: bytes) -> bytes:
        """A new text."""
        del current
        return random_text(self.settings.length, ALPHABET).encode()

    def adapt(self, current: bytes, new: bytes) -> bytes:
        """No other secret holds the same text in another form."""
        raise NotImplementedError

    def test(self, value: bytes) -> None:
        """GitHub shows no secret, so nothing can be tested."""

    def set_value(self, new: bytes, current: bytes) -> None:
        """Have GitHub sign with it. GitHub never returns a secret, so the only possible test is that one is set."""
        del current
        path = f"/repos/{self.settings.repository}/hooks/{self.settings.hook}/config"
        github = GitHub(self.settings.github, self.clients)
        shown = github.send("PATCH", path, {"secret": new.decode()}, HookConfiguration)
        if not shown.secret:
            raise WebhookNotSet(f"{path}: GitHub shows no secret")

    def revoke(self, current: bytes) -> None:
        """GitHub signs with one alone."""
