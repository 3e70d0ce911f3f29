"""The stage for `manage_previews`: a seeded local cloud and GitHub, its runs, and what people see of previews."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.cloud.run_v2 import Service, ServicesClient

from functions.manage_previews.automation import AUTOMATION
from functions.manage_previews.records import Records
from functions.manage_previews.settings import Settings
from localcloud.github.state import Head
from shared.events import inbox_of
from shared.github_events import TOPIC
from shared.report import Report
from shared.restrictions import Restriction
from shared.settings import parse
from shared.state import State
from tests.functions.stage import PROJECT, AutomationStage

TEAM = "my-team/my-product"
PARENT = "projects/my-previews/locations/europe-west1"
REGISTRY = "projects/my-previews/locations/europe-west1/repositories/images"
PLACE = "europe-west1-docker.pkg.dev/my-previews/images/api"
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
TOKEN = "github_pat_in_the_secret"  # noqa: S105 - of the local GitHub
BOT = "caretaker-bot"
WRITER, READER = "maintainer", "passer-by"

REPOSITORY: dict[str, object] = {"service": "my-product", "image": PLACE, "approval_label": "safe to preview"}
SECTION: dict[str, object] = {
    "mode": "act",
    "github": {"token_secret": "projects/caretaker-home/secrets/github-token"},
    "project": "my-previews",
    "region": "europe-west1",
    "service_account": "preview@my-previews.iam.gserviceaccount.com",
    "repositories": {TEAM: REPOSITORY},
}
WORLD: dict[str, object] = {
    "projects": {
        PROJECT: {"secrets": {"github-token": {"versions": [TOKEN]}}},
        "my-previews": {"location": "europe-west1", "repositories": {"images": {}}},
    },
    "github": {
        "repositories": {TEAM: {"permissions": {WRITER: "write", READER: "read"}}},
        "tokens": {TOKEN: {"login": BOT}},
    },
}


def sha_of(number: int) -> str:
    """A commit."""
    return f"{number:040x}"


def digest_of(number: int) -> str:
    """The digest of its image."""
    return f"sha256:{number:064x}"


def image(commit: int) -> str:
    """The image of a commit, by digest."""
    return f"{PLACE}@{digest_of(commit)}"


def settings_of(*, repository: Mapping[str, object] | None = None, **more: object) -> Settings:
    """Settings for one repository, with these additions."""
    section = {**SECTION, "repositories": {TEAM: {**REPOSITORY, **(repository or {})}}, **more}
    return parse({"manage_previews": section}, "manage_previews", Settings).section


class Stage(AutomationStage[Settings]):
    """A local cloud and GitHub, seeded, and runs of `manage_previews` on them."""

    def __init__(
        self, settings: Settings | None = None, *, now: datetime = NOON, world: Mapping[str, Any] | None = None
    ) -> None:
        chosen = WORLD if world is None else world
        super().__init__(AUTOMATION, settings or settings_of(), now=now, world=chosen, people_of="my-previews")
        self.github = self.cloud.github

    # What wakes it

    def tick(self, minutes: float = 5) -> Report:
        """Let minutes pass, and a tick come."""
        self.advance(minutes=minutes)
        return self.push({"type": "tick", "every_seconds": 300})

    def command(self, kind: str) -> Report:
        """A command comes by the inbox."""
        return self.push({"type": kind})

    def event(self, number: int, action: str, *, sender: str = WRITER, **more: object) -> Report:
        """A webhook's message comes about a pull request, as it stands now."""
        return self.push(self.event_data(number, action, sender=sender, **more), topic=TOPIC)

    def event_data(self, number: int, action: str, *, sender: str = WRITER, **more: object) -> dict[str, object]:
        """The event that `receive_github` publishes for such a webhook."""
        pull = self.github.state.repository(TEAM).pull_requests[number]
        return {
            "type": "pull_request",
            "repository": TEAM,
            "number": number,
            "action": action,
            "head_sha": pull.head_sha,
            "updated_at": self.cloud.clock.now(),
            "sender": sender,
            **more,
        }

    def comment(self, number: int, command: str, *, by: str = WRITER) -> Report:
        """A user comments a command, and the webhook's message arrives."""
        return self.push(self.comment_data(number, command, by=by), topic=TOPIC)

    def comment_data(self, number: int, command: str, *, by: str = WRITER) -> dict[str, object]:
        """A user comments a command: the message that `receive_github` publishes."""
        return {
            "type": "comment_command",
            "repository": TEAM,
            "number": number,
            "comment_id": self.github.comment(TEAM, number, by, command),
            "created_at": self.cloud.clock.now(),
            "author": by,
            "command": command.partition("\n")[0],
        }

    def push_image(self, commit: int, *, tag: str = "") -> Report:
        """The image of a commit is pushed, and the registry's message comes."""
        tag = tag or sha_of(commit)
        uri = self.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(commit), [tag])
        return self.push({"action": "INSERT", "digest": uri, "tag": f"{PLACE}:{tag}"}, topic="gcr")

    def push(self, data: Mapping[str, object], *, topic: str = "") -> Report:
        """Take a message through a run, and answer its report; raises what the run raises."""
        return self.deliver(data, topic=topic or inbox_of("manage_previews"))

    # What people do

    def open(self, number: int, commit: int, *, fork: str = "", **more: Any) -> None:
        """A user opens a pull request."""
        self.github.open_pull_request(TEAM, number, Head(sha_of(commit), repository=fork), **more)

    def restrict(self, *, because: str | None) -> None:
        """Put the spending restriction in force, or lift it."""
        self.put_in_force(Restriction.PREVIEWS_OFF, because)

    # What there is

    @property
    def records(self) -> Records:
        """The records."""
        return State(self.clients).read("records/manage_previews")[0].as_type(Records)

    def set_records(self, **changed: object) -> None:
        """Replace some of what is remembered, as another version might have left it."""
        state = State(self.clients)
        (known,) = state.read("records/manage_previews")
        state.write(known, msgspec.structs.replace(known.as_type(Records), **changed))

    @property
    def services(self) -> dict[str, Service]:
        """The services of the region, by id."""
        listed = self.people.of(ServicesClient).list_services(request={"parent": PARENT})
        return {service.name.rpartition("/")[2]: service for service in listed}

    @property
    def shown(self) -> dict[str, str]:
        """By service, the image that it runs."""
        return {name: service.template.containers[0].image for name, service in self.services.items()}

    def our_comment(self, number: int) -> str:
        """The one comment of ours on a pull request; fails if there is more than one."""
        comments = self.github.state.repository(TEAM).comments.values()
        ours = [one.body for one in comments if (one.number, one.login) == (number, BOT)]
        assert len(ours) < 2, ours
        return ours[0] if ours else ""

    def deployments(self, number: int) -> list[tuple[str, list[str]]]:
        """The deployments of a pull request's environment: the commit, and its statuses."""
        found = self.github.state.repository(TEAM).deployments.values()
        environment = f"my-product-pr-{number}"
        return [(one.sha, [said.state for said in one.statuses]) for one in found if one.environment == environment]
