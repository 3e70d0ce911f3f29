"""The settings of the suite's credentials at GitHub."""

from typing import Annotated

from msgspec import Meta

from shared.errors import SettingsError
from shared.settings import Model, SecretName


class App(Model, frozen=True, kw_only=True):
    """A GitHub App, installed in an account."""

    id: Annotated[int, Meta(ge=1)]
    installation: Annotated[int, Meta(ge=1)]
    private_key_secret: SecretName
    """Holds the app's private key (PEM)."""


class GitHubAccess(Model, frozen=True, kw_only=True):
    """The suite's credentials at GitHub: a fine-grained token, or an app. Raises ``SettingsError`` for both."""

    token_secret: SecretName | None = None
    """Holds a fine-grained personal access token."""
    app: App | None = None
    api: Annotated[
        str, Meta(pattern=r"^https://[a-z0-9.-]+(/api/v3)?$", examples=["https://github.example.com/api/v3"])
    ] = "https://api.github.com"
    """Of GitHub Enterprise Server ``https://HOST/api/v3``, of ghe.com ``https://api.SUBDOMAIN.ghe.com``."""

    def __post_init__(self) -> None:
        if (self.token_secret is None) == (self.app is None):
            raise SettingsError("token_secret", self.token_secret, "either `token_secret` or `app`")
