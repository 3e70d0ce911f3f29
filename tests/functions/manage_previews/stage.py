"""The stage for `manage_previews`: a seeded local cloud and GitHub, its runs, and what people see of previews."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import msgspec
from google.cloud.run_v2 import Service, ServicesClient

from functions.manage_previews.automation import AUTOMATION
from functions.manage_previews.records import Records
from functions.manage_previews.settings import Settings
from localcloud import LocalCloud
from localcloud.github.state import Head
from localcloud.world import seed, world_from
from shared.clients import Clients, RetryPolicy
from shared.direct_clients import DirectClients
from shared.events import inbox_of
from shared.github_events import TOPIC
from shared.report import Report
from shared.restrictions import DOCUMENT, InForce, Restriction, SpendingRestrictions
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode, parse
from shared.state import State
from tests.laws.harness import cloud_event_of
from tests.laws.probe import Switchboard
from tests.laws.scenario import Event

PROJECT = "caretaker-home"
TEAM = "my-team/my-product"
PARENT = "projects/my-previews/locations/europe-west1"
REGISTRY = "projects/my-previews/locations/europe-west1/repositories/images"
PLACE = "europe-west1-docker.pkg.dev/my-previews/images/api"
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
TOKEN = "github_pat_in_the_secret"  # noqa: S105 - of the local GitHub
QUICK = RetryPolicy(first=0.001, longest=0.002, give_up=0.03)
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


class Stage:
    """A local cloud and GitHub, seeded, and runs of `manage_previews` on them."""

    def __init__(
        self, settings: Settings | None = None, *, now: datetime = NOON, world: Mapping[str, Any] | None = None
    ) -> None:
        self.cloud = LocalCloud(now=now)
        self.github = self.cloud.github
        self.settings = settings or settings_of()
        self.mode = Mode.ACT
        self.reports: list[Report] = []
        self.switchboard = Switchboard()
        self.clients: Clients = DirectClients(PROJECT, self.cloud, retry=QUICK, watcher=self.switchboard)
        self.people: Clients = DirectClients("my-previews", self.cloud, retry=QUICK, watcher=Switchboard())
        self._world = WORLD if world is None else world
        self._number = 0

    def __enter__(self) -> Self:
        seed(self.cloud, world_from(self._world))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clients.close()
        self.people.close()
        self.cloud.stop()

    # What wakes it

    def tick(self, minutes: float = 5) -> Report:
        """Let minutes pass, and a tick come."""
        self.cloud.clock.advance(timedelta(minutes=minutes))
        return self.push({"type": "tick", "every_seconds": 300})

    def command(self, kind: str) -> Report:
        """A command comes by the inbox."""
        return self.push({"type": kind})

    def event(self, number: int, action: str, *, sender: str = WRITER, **more: object) -> Report:
        """A webhook's message comes about a pull request, as it stands now."""
        return self.push(self.event_data(number, action, sender=sender, **more), topic=TOPIC)

    def event_data(self, number: int, action: str, *, sender: str = WRITER, **more: object) -> dict[str, object]:
        """What `receive_github` publishes of such a webhook."""
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
        self.cloud.server.clear_calls()
        self._number += 1
        event = Event(
            name=f"m{self._number}",
            topic=topic or inbox_of("manage_previews"),
            data=dict(data),
            published=self.cloud.clock.now(),
        )
        runtime = Runtime(self.clients, clock=self.cloud.clock.now, report=self.reports.append)
        return run(AUTOMATION, Configuration(self.mode, self.settings), cloud_event_of(event, PROJECT), runtime)

    # What people do

    def open(self, number: int, commit: int, *, fork: str = "", **more: Any) -> None:
        """A user opens a pull request."""
        self.github.open_pull_request(TEAM, number, Head(sha_of(commit), repository=fork), **more)

    def restrict(self, *, because: str | None) -> None:
        """Put the spending restriction in force, or lift it."""
        state = State(self.clients)
        (known,) = state.read(DOCUMENT)
        force = InForce(self.cloud.clock.now(), (because,)) if because else None
        state.write(known, SpendingRestrictions({Restriction.PREVIEWS_OFF: force} if force else {}))

    # What there is

    @property
    def records(self) -> Records:
        """What is remembered."""
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

    @property
    def calls(self) -> list[str]:
        """The methods of the last run's calls."""
        return [call.method for call in self.cloud.server.calls]

    @property
    def mutating(self) -> list[str]:
        """Those that changed something but our own state."""
        return [call.method for call in self.cloud.server.calls if call.mutating and "Firestore" not in call.method]


def in_words(report: Report) -> str:
    """A report as one text."""
    return msgspec.json.encode(report).decode()
