"""Verifies that a request came through Identity-Aware Proxy, by the assertion that it signs.

https://cloud.google.com/iap/docs/signed-headers-howto
"""

from functools import partial
from typing import cast

import urllib3
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.urllib3 import Request
from google.oauth2 import id_token

from shared.errors import CaretakerError

HEADER = "x-goog-iap-jwt-assertion"
ISSUER = "https://cloud.google.com/iap"
CERTIFICATES = "https://www.gstatic.com/iap/verify/public_key"
CLOCK_SKEW_SECONDS = 30
"""As Google's page advises."""
TIMEOUT_SECONDS = 5.0


class NotSignedIn(CaretakerError):
    """The request bears no assertion, so it did not come through Identity-Aware Proxy."""

    status = 401


class NotAccepted(NotSignedIn):
    """Its assertion is forged, expired, or made for another service."""

    status = 403


class NotVerified(NotSignedIn):
    """Google's keys could not be fetched, so no assertion can be verified now."""

    status = 503


class Assertions:
    """Verifies assertions that are made for one service.

    ``audience`` is ``/projects/NUMBER/locations/REGION/services/NAME``.
    """

    def __init__(self, audience: str, *, certificates: str = CERTIFICATES) -> None:
        self._audience = audience
        self._certificates = certificates
        self._fetch = cast("Request", partial(Request(urllib3.PoolManager()), timeout=TIMEOUT_SECONDS))

    def verify(self, assertion: str | None) -> None:
        """Raises ``NotSignedIn`` or one of its kinds. Errors never quote the assertion, which is a credential."""
        if not assertion:
            raise NotSignedIn("sign in: this page is served through Identity-Aware Proxy alone")
        try:
            claims = id_token.verify_token(
                assertion,
                self._fetch,
                audience=self._audience,
                certs_url=self._certificates,
                clock_skew_in_seconds=CLOCK_SKEW_SECONDS,
            )
        except TransportError:
            raise NotVerified("the keys of Identity-Aware Proxy could not be fetched; try again") from None
        except (GoogleAuthError, ValueError):
            raise NotAccepted("the assertion of Identity-Aware Proxy was not accepted; sign in again") from None
        if claims.get("iss") != ISSUER:
            raise NotAccepted("the assertion was not issued by Identity-Aware Proxy")
