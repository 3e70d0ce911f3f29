"""Values from Secret Manager: read when needed, and never kept, logged or put into an error."""

import msgspec

from shared import rest
from shared.clients import Clients
from shared.errors import CaretakerError

API = "https://secretmanager.googleapis.com/v1"
RPC = "google.cloud.secretmanager.v1.SecretManagerService"


class DamagedPayload(CaretakerError):
    """The payload from Secret Manager does not match the checksum that it sends along."""


class UnreadableSecret(CaretakerError):
    """A secret is there, but is no text."""


def latest_value(secret: str, clients: Clients) -> str:
    """The newest enabled version of a secret, as text without white space around it, read once in a run.

    Raises ``GoogleAPIError``, ``DamagedPayload`` or ``UnreadableSecret``.
    """
    return clients.once(("latest value", secret), lambda: _read(secret, clients))


def _read(secret: str, clients: Clients) -> str:
    try:
        return payload_of(f"{secret}/versions/latest", clients).decode().strip()
    except UnicodeDecodeError:
        raise UnreadableSecret(f"{secret}: its latest version is not UTF-8") from None


class _Payload(msgspec.Struct, frozen=True):
    data: bytes = b""
    # msgspec's camel case would be dataCrc32C.
    data_crc32c: rest.Int64 = msgspec.field(name="dataCrc32c", default="0")


class _Version(msgspec.Struct, frozen=True):
    payload: _Payload


def payload_of(version: str, clients: Clients) -> bytes:
    """The payload of a version, by its full name. Raises ``GoogleAPIError``, or ``DamagedPayload``."""
    answer = rest.get(clients, f"{API}/{version}:access", {}, _Version, rpc=f"{RPC}/AccessSecretVersion")
    if int(answer.payload.data_crc32c) != crc32c(answer.payload.data):
        raise DamagedPayload(f"{version}: the payload does not have its checksum")
    return answer.payload.data


def crc32c(data: bytes) -> int:
    """The checksum that Secret Manager keeps of a payload."""
    import google_crc32c

    return int.from_bytes(google_crc32c.Checksum(data).digest())
