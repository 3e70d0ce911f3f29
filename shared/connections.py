"""HTTP connections to Google's APIs, kept open: urllib3, with the credentials that google-auth finds.

They are the way for all calls of automations (docs/decisions/0030-all-calls-by-rest.md).
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.auth.transport.urllib3 import AuthorizedHttp
    from urllib3 import PoolManager

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
APIS = "googleapis.com"


class Answer(msgspec.Struct, frozen=True):
    """The answer to a request, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Their names are found in any case."""
    content: bytes


class Connections:
    """Open connections, and who sends requests on them."""

    def __init__(self, pool: "PoolManager", timeout: float, credentials: "Credentials | None" = None) -> None:
        self.pool = pool
        self.credentials = credentials
        self._sender = _authorized(pool, credentials) if credentials else pool
        self._timeout = timeout

    @classmethod
    def to_endpoint(cls, size: int, timeout: float) -> Self:
        """To an endpoint of our own, ``size`` at a time are kept: no credentials, and no proxy in between.

        ``timeout`` is in seconds, for the connection and the wait for the answer together.
        """
        from urllib3 import PoolManager

        return cls(PoolManager(maxsize=size), timeout)

    @classmethod
    def to_google(cls, size: int, timeout: float) -> Self:
        """To Google's APIs, authorized as the function's own account, by the environment's proxy.

        Raises ``GoogleAuthError`` where there are no credentials.
        """
        import certifi
        import google.auth
        from urllib3 import PoolManager, ProxyManager

        credentials, _ = google.auth.default(scopes=[SCOPE])
        certificates = certifi.where()  # as Google's own clients do: an image may have none
        proxy = _proxy()
        pool = (
            ProxyManager(proxy, maxsize=size, ca_certs=certificates)
            if proxy
            else PoolManager(maxsize=size, ca_certs=certificates)
        )
        return cls(pool, timeout, credentials)

    def send(self, verb: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send one request, once.

        Raises ``urllib3.exceptions.HTTPError`` for no answer, or one that breaks off.
        """
        from urllib3 import Timeout

        answer = self._sender.urlopen(
            verb,
            url,
            body=content,
            headers={"Accept-Encoding": "gzip", **headers},
            retries=False,
            redirect=False,
            timeout=Timeout(total=self._timeout),
        )
        return Answer(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        """Close them."""
        self.pool.clear()


def _authorized(pool: "PoolManager", credentials: "Credentials") -> "AuthorizedHttp":
    from google.auth.transport.urllib3 import AuthorizedHttp

    return AuthorizedHttp(credentials, http=pool)


def _proxy() -> str | None:
    """The proxy that the environment names for Google's APIs."""
    if not os.environ.keys() & {"HTTPS_PROXY", "https_proxy"}:
        return None
    from urllib.request import getproxies, proxy_bypass

    return None if proxy_bypass(APIS) else getproxies().get("https")
