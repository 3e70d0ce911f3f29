"""The edge to Artifact Registry: the image that a tag points to."""

from urllib.parse import quote, unquote

from functions.manage_previews.names import package_of
from shared.clients import Clients


def digests_of(place: str, tags: tuple[str, ...], clients: Clients) -> dict[str, str]:
    """By place and tag, the digests of those that are there: one get for one tag of an image, one list for more."""
    from google.api_core.exceptions import NotFound
    from google.cloud.artifactregistry_v1 import ArtifactRegistryClient

    client, package = clients.of(ArtifactRegistryClient), package_of(place)
    try:
        if len(tags) == 1:
            (tag,) = tags
            listed = [client.get_tag(request={"name": f"{package}/tags/{quote(tag, safe='')}"}, **clients.reading)]
        else:
            listed = list(client.list_tags(request={"parent": package, "page_size": 1000}, **clients.reading))
    except NotFound:
        return {}
    named = {unquote(one.name.rpartition("/tags/")[2]): one.version.rpartition("/versions/")[2] for one in listed}
    return {f"{place}:{tag}": digest for tag, digest in named.items() if tag in tags}
