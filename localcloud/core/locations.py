"""The locations of services, over REST: ``projects.locations.list`` of the APIs that `./deploy.sh doctor` reads."""

import re
import threading

from localcloud.core.http import HttpRequest, Route

REGIONS = ("asia-northeast1", "europe-west1", "europe-west4", "us-central1")
MULTI_REGIONS = ("eur3", "nam5")
"""Of Firestore."""
FUNCTIONS = "cloudfunctions.googleapis.com"
FIRESTORE = "firestore.googleapis.com"
SIZE = 3
"""Of a page: small, so that clients must follow page tokens."""

_LIST = re.compile(
    r"(?P<service>(?:cloudfunctions|cloudscheduler|artifactregistry|firestore)\.googleapis\.com)/v[12]/"
    r"(?P<parent>projects/[^/]+)/locations"
)


class Locations:
    """All services are in the same few regions, but where one was said to be missing."""

    def __init__(self) -> None:
        self._lacking: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return (Route("GET", _LIST, self._list),)

    def lack(self, service: str, region: str) -> None:
        """Let a service (``cloudscheduler.googleapis.com``) not be in a region; of functions, the second generation."""
        with self._lock:
            self._lacking.add((service, region))

    def _list(self, request: HttpRequest) -> object:
        service = request.captured["service"]
        known = (*REGIONS, *(MULTI_REGIONS if service == FIRESTORE else ()))
        with self._lock:
            here = [one for one in known if service == FUNCTIONS or (service, one) not in self._lacking]
            old = {one for one in known if (service, one) in self._lacking}
        start = int(request.query.get("pageToken") or 0)
        answer: dict[str, object] = {
            "locations": [
                _location(f"{request.captured['parent']}/locations/{one}", service, is_old=one in old)
                for one in here[start : start + SIZE]
            ]
        }
        return answer | ({"nextPageToken": str(start + SIZE)} if len(here) > start + SIZE else {})


def _location(name: str, service: str, *, is_old: bool) -> dict[str, object]:
    location: dict[str, object] = {"name": name, "locationId": name.rpartition("/")[2]}
    if service == FUNCTIONS:
        kind = "type.googleapis.com/google.cloud.functions.v2.LocationMetadata"
        location["metadata"] = {"@type": kind, "environments": ["GEN_1"] if is_old else ["GEN_1", "GEN_2"]}
    return location
