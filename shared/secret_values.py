"""What Secret Manager keeps: read when it is needed, and never kept, logged or put into an error."""

from typing import Annotated

from msgspec import Meta

from shared.clients import Clients
from shared.errors import CaretakerError

SecretName = Annotated[
    str,
    Meta(
        pattern=r"^projects/[^/]+/secrets/[A-Za-z0-9_-]{1,255}$",
        examples=["projects/my-product/secrets/database-url"],
        description="A secret in full, such as projects/my-product/secrets/github-token.",
    ),
]


class UnreadableSecret(CaretakerError):
    """A secret is there, but is no text."""


def latest_value(secret: str, clients: Clients) -> str:
    """The newest enabled version of a secret, as text without white space around it, read once in a run.

    Raises ``GoogleAPIError``, or ``UnreadableSecret``.
    """
    return clients.once(("latest value", secret), lambda: _read(secret, clients))


def _read(secret: str, clients: Clients) -> str:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    client = clients.of(SecretManagerServiceClient)
    answer = client.access_secret_version(request={"name": f"{secret}/versions/latest"}, **clients.reading)
    try:
        return answer.payload.data.decode().strip()
    except UnicodeDecodeError:
        raise UnreadableSecret(f"{secret}: its latest version is not UTF-8") from None
