"""The suite's end state on GitHub, for laws to compare: comments, environments, deployments with their statuses.

Ids and times are GitHub's own, so a resource is named by its place among those of its pull request or environment.
When something was done depends on when runs happen to look: a time that a comment tells is left out.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from localcloud import LocalCloud
from localcloud.github.schema import API, HOST
from shared.clients import Clients

TOKEN = "ghp_whoever_compares"  # noqa: S105 - of a local cloud
LARGEST_PAGE = 100
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC")

Json = dict[str, Any]


def let_look(cloud: LocalCloud) -> None:
    """Add a token that can read every repository, for the comparison of end states."""
    cloud.github.add_token(
        TOKEN, "comparison", permissions={"issues": "read", "deployments": "read", "actions": "read"}
    )


def comments_and_deployments(clients: Clients, repository: str) -> Iterator[tuple[str, Json]]:
    """A repository's comments (``.../issues/7/comments/1``), environments, and their deployments."""
    path = f"repos/{repository}"
    places: Counter[str] = Counter()

    def named(collection: str) -> str:
        places[collection] += 1
        return f"{HOST}/{path}/{collection}/{places[collection]}"

    for one in _listed(clients, f"{path}/issues/comments"):
        number = one["issue_url"].rpartition("/")[2]
        app = one["performed_via_github_app"]
        by = {"user": one["user"]["login"], "app": app and app["slug"]}
        yield named(f"issues/{number}/comments"), {**by, "body": MOMENT.sub("(a time)", one["body"])}
    for one in reversed(_listed(clients, f"{path}/deployments")):
        statuses = reversed(_listed(clients, f"{path}/deployments/{one['id']}/statuses"))
        yield (
            named(f"environments/{quote(one['environment'], safe='')}/deployments"),
            {
                **_chosen(one, "sha", "ref", "task", "payload", "description"),
                **_chosen(one, "transient_environment", "production_environment"),
                "creator": one["creator"]["login"],
                "statuses": [
                    {
                        **_chosen(status, "state", "description", "environment_url", "log_url"),
                        "creator": status["creator"]["login"],
                    }
                    for status in statuses
                ],
            },
        )

    for one in _listed(clients, f"{path}/environments", "environments"):
        yield f"{HOST}/{path}/environments/{quote(one['name'], safe='')}", _chosen(one, "name")


def _chosen(content: Json, *names: str) -> Json:
    return {name: content[name] for name in names}


def _listed(clients: Clients, path: str, key: str = "") -> list[Json]:
    """All pages of a list."""
    found: list[Json] = []
    while len(found) % LARGEST_PAGE == 0:
        number = len(found) // LARGEST_PAGE + 1
        answer = clients.session.get(
            clients.url(f"{API}/{path}"),
            params={"per_page": str(LARGEST_PAGE), "page": str(number)},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )
        answer.raise_for_status()
        if not (page := answer.json()[key] if key else answer.json()):
            break
        found += page
    return found
