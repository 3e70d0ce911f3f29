"""The edge to Artifact Registry: the image that a tag points to.

By REST: https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.tags.
"""

from urllib.parse import quote, unquote

import msgspec

from functions.manage_previews.names import package_of
from shared import rest
from shared.clients import Clients
from shared.errors import not_found_errors

API = "https://artifactregistry.googleapis.com/v1"
RPC = "google.devtools.artifactregistry.v1.ArtifactRegistry"


class _Tag(msgspec.Struct, frozen=True):
    name: str
    version: str = ""


class _Tags(rest.Page, frozen=True):
    tags: tuple[_Tag, ...] = ()


def digests_of(place: str, tags: tuple[str, ...], clients: Clients) -> dict[str, str]:
    """By place and tag, the digests of those that are there: one get for one tag of an image, one list for more."""
    try:
        listed = _tags(f"{API}/{package_of(place)}/tags", tags, clients)
    except not_found_errors():
        return {}
    named = {unquote(one.name.rpartition("/tags/")[2]): one.version.rpartition("/versions/")[2] for one in listed}
    return {f"{place}:{tag}": digest for tag, digest in named.items() if tag in tags}


def _tags(address: str, wanted: tuple[str, ...], clients: Clients) -> list[_Tag]:
    if len(wanted) == 1:
        return [rest.get(clients, f"{address}/{quote(wanted[0], safe='')}", {}, _Tag, rpc=f"{RPC}/GetTag")]
    pages = rest.pages(clients, address, {"pageSize": "1000"}, _Tags, rpc=f"{RPC}/ListTags")
    return [tag for page in pages for tag in page.tags]
