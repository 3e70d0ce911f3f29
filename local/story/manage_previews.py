"""A pull request's life, by GitHub's own webhooks: opened, image pushed, pushed again, closed; and its failures."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from google.api_core.exceptions import NotFound

from local.product import image
from local.story import hands
from local.story.databases import Databases
from local.story.player import Player
from local.story.previewed_product import PARENT, PreviewedProduct
from local.story.webhooks import (
    AUTHOR,
    HEAD,
    NUMBER,
    REPOSITORY,
    Payload,
    derived_comment,
    derived_pull_request,
    derived_push,
    example,
    send,
)
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.github.state import Head
from shared.decoding import decoded

MORNING = datetime(2026, 12, 3, 9, tzinfo=UTC)
PREVIEWS = f"{PARENT}/services"
SERVICE = "my-product"
IMAGES = "projects/my-product/locations/europe-west1/repositories/images"
IMAGE = "europe-west1-docker.pkg.dev/my-product/images/api"
BOT = "caretaker-bot"
OWNERS_TOKEN = "ghp_of_the_owner"  # noqa: S105 - of the local GitHub
SECOND = "2" * 40
STRANGER, FORKED = "stranger", 3
HASTY = 4


def prepare(cloud: LocalCloud, databases: Databases | None) -> None:
    """Let the product be in the images that CI will push, if there is a database."""
    for letter, commit in (("a", HEAD), ("b", SECOND)) if databases else ():
        cloud.run.instances.know(_uri(letter), image(commit))


def play(player: Player, suite: Suite, databases: Databases | None) -> None:
    """Play the whole life; every step checks what it has left in the cloud and on GitHub."""
    player.about("manage_previews")
    player.pass_time(MORNING - player.cloud.clock.now())
    product = PreviewedProduct(player, suite, databases, _service_id(NUMBER))
    _opened(player, suite)
    _image_pushed(player, suite, product)
    _forged(player, suite)
    _pushed_again(player, suite, product)
    _closed(player, suite, product)
    _fork(player, suite)
    _closed_before_opened(player, suite)


def _opened(player: Player, suite: Suite) -> None:
    player.step("A pull request is opened on GitHub. Its image does not exist yet.")
    player.cloud.github.open_pull_request(REPOSITORY, NUMBER, Head(HEAD, "changes"), login=AUTHOR)
    _webhook(player, suite, "pull_request", example("pull_request", "opened"))
    _check(player, suite, NUMBER, image=None, comment="waiting for its image")


def _image_pushed(player: Player, suite: Suite, product: PreviewedProduct) -> None:
    _pass_minutes(player)
    player.step("CI pushes the image of its commit: the preview is deployed, by digest.")
    _push_image(player, HEAD, digest="a")
    _check(player, suite, NUMBER, image="a", comment="running", deployment="success")
    product.orders()
    product.check(f"commit {HEAD}, orders: 1")


def _forged(player: Player, suite: Suite) -> None:
    player.step("A forged webhook, signed with a wrong secret, says it is closed: rejected.")
    before = player.number_of_calls
    status = send(player, suite, "pull_request", example("pull_request", "closed"), secret=b"a guess")
    player.check("answer", lambda: status, HTTPStatus.FORBIDDEN.value)
    player.check("API calls made for it", lambda: len(player.calls_since(before)), 0)
    _check(player, suite, NUMBER, image="a", comment="running", deployment="success")


def _pushed_again(player: Player, suite: Suite, product: PreviewedProduct) -> None:
    _pass_minutes(player)
    player.step("Another commit is pushed. The previous one stays up until its image exists.")
    player.cloud.github.push(REPOSITORY, NUMBER, SECOND)
    _webhook(player, suite, "pull_request", derived_push(SECOND))
    _check(player, suite, NUMBER, image="a", comment="waiting for its image", deployment="success")
    product.check(f"commit {HEAD}, orders: 1")
    _push_image(player, SECOND, digest="b")
    _check(player, suite, NUMBER, image="b", comment="running", deployment="inactive, success")
    product.check(f"commit {SECOND}, orders: 1")


def _closed(player: Player, suite: Suite, product: PreviewedProduct) -> None:
    _pass_minutes(player)
    player.step("It is closed: the preview and its button on GitHub are removed.")
    player.cloud.github.close(REPOSITORY, NUMBER)
    _webhook(player, suite, "pull_request", example("pull_request", "closed"))
    _check(player, suite, NUMBER, image=None, comment="gone", deployment="inactive, inactive")
    product.check("404")


def _fork(player: Player, suite: Suite) -> None:
    _pass_minutes(player)
    sha = "f" * 40
    player.step("A stranger opens a pull request from a fork: nothing is deployed without approval.")
    fork = Head(sha, "changes", f"{STRANGER}/my-product")
    player.cloud.github.open_pull_request(REPOSITORY, FORKED, fork, login=STRANGER)
    _push_image(player, sha, digest="c")
    _webhook(player, suite, "pull_request", derived_pull_request("opened", FORKED, sha, fork_of=STRANGER))
    _check(player, suite, FORKED, image=None, comment="waiting for approval")
    player.step("The author of the fork tries to approve it herself: ignored, as she lacks write access.")
    _comment(player, suite, FORKED, f"/preview {sha}", STRANGER)
    _check(player, suite, FORKED, image=None, comment="waiting for approval")
    player.step("A maintainer reviews the commit and copies the approval line from the comment.")
    (ours,) = _comments(suite, FORKED)
    offered = next(line for line in ours.splitlines() if line.startswith("/preview "))
    _comment(player, suite, FORKED, offered, AUTHOR)
    _check(player, suite, FORKED, image="c", comment="running", deployment="success")


def _closed_before_opened(player: Player, suite: Suite) -> None:
    _pass_minutes(player)
    sha = "4" * 40
    player.step("One is opened and closed at once, and the two webhooks arrive in the wrong order.")
    player.cloud.github.open_pull_request(REPOSITORY, HASTY, Head(sha, "hasty"), login=AUTHOR)
    player.cloud.github.close(REPOSITORY, HASTY)
    player.cloud.artifact_registry.push_image(IMAGES, "api", _digest("d"), [sha])
    for action in ("closed", "opened"):
        _webhook(player, suite, "pull_request", derived_pull_request(action, HASTY, sha))
    _check(player, suite, HASTY, image=None, comment="none")


def _webhook(player: Player, suite: Suite, event: str, payload: Payload) -> None:
    """Send a webhook, and show the result."""
    status = send(player, suite, event, payload)
    player.check("answer", lambda: status, HTTPStatus.ACCEPTED.value)
    player.show_run("manage_previews", "CommentCommand" if event == "issue_comment" else "PullRequestEvent")


def _comment(player: Player, suite: Suite, number: int, text: str, author: str) -> None:
    """Someone comments on a pull request, and GitHub sends a webhook."""
    comment_id = player.cloud.github.comment(REPOSITORY, number, author, text)
    _webhook(player, suite, "issue_comment", derived_comment(number, text, author, comment_id))


def _push_image(player: Player, sha: str, *, digest: str) -> None:
    """CI pushes the image of a commit, and Artifact Registry tells of it."""
    player.console.detail("event", f"image pushed: {IMAGE}:{sha[:7]}...")
    player.cloud.artifact_registry.push_image(IMAGES, "api", _digest(digest), [sha])
    player.show_run("manage_previews", "ImagePushed")


def _pass_minutes(player: Player) -> None:
    player.pass_time(timedelta(minutes=7))


def _digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def _uri(letter: str) -> str:
    return f"{IMAGE}@{_digest(letter)}"


def _service_id(number: int) -> str:
    return f"{SERVICE}-pr-{number}"


def _check(
    player: Player, suite: Suite, number: int, *, image: str | None, comment: str, deployment: str = "none"
) -> None:
    """Hold what there is of a pull request against what should be: a service, one comment, deployments."""
    expected = _uri(image) if image else "none"
    player.check(f"preview of pull request {number}", lambda: _image(suite, number), expected)
    player.check("its comment", lambda: _state(suite, number), f"{comment}, with the address" if image else comment)
    player.check("its deployments", lambda: _deployments(suite, number), deployment)


def _image(suite: Suite, number: int) -> str:
    """The image that the preview of a pull request runs, by digest."""
    try:
        service = hands.service(suite, f"{PREVIEWS}/{_service_id(number)}")
    except NotFound:
        return "none"
    return service.template.containers[0].image


def _state(suite: Suite, number: int) -> str:
    """The heading of the one comment on a pull request that is ours, and whether it has the preview's address."""
    ours = _comments(suite, number)
    if len(ours) != 1:
        return f"{len(ours)} comments" if ours else "none"
    (said,) = ours
    heading = next(line for line in said.splitlines() if line.startswith("### Preview: "))
    has_address = any(service.uri in said for service in hands.services(suite, PARENT))
    return heading.removeprefix("### Preview: ").partition(",")[0] + (", with the address" if has_address else "")


def _comments(suite: Suite, number: int) -> list[str]:
    """The texts of our comments on a pull request."""
    return [one["body"] for one in _github(suite, f"issues/{number}/comments") if one["user"]["login"] == BOT]


def _deployments(suite: Suite, number: int) -> str:
    """The states of a pull request's deployments on GitHub, oldest first."""
    query = {"environment": _service_id(number)}
    found = [_github(suite, f"deployments/{one['id']}/statuses") for one in _github(suite, "deployments", query)]
    return ", ".join(statuses[0]["state"] for statuses in reversed(found)) or "none"


def _github(suite: Suite, path: str, query: Mapping[str, str] | None = None) -> list[Any]:
    """A list of GitHub's, as the owner of the repository sees it."""
    address = f"https://api.github.com/repos/{REPOSITORY}/{path}"
    headers = {"Authorization": f"Bearer {OWNERS_TOKEN}"}
    answer = suite.clients.send("GET", address, query=urlencode(query or {}), headers=headers)
    return decoded(answer.content, list[Any])
