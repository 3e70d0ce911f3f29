"""Access tokens over REST: oauth2.googleapis.com/token, for clients that ask for one before their first call.

Nothing checks tokens here, so that each gets the same one.
"""

import re

from localcloud.core.http import HttpRequest, Route

ACCESS_TOKEN = "local-cloud"  # noqa: S105 - it opens nothing
SECONDS = 3600

_TOKEN = re.compile(r"oauth2\.googleapis\.com/token")


class Tokens:
    """Gives a token to every caller."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return (Route("POST", _TOKEN, self._give),)

    def _give(self, _: HttpRequest) -> object:
        return {"access_token": ACCESS_TOKEN, "expires_in": SECONDS, "token_type": "Bearer"}
