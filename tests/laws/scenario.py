"""Scenarios as data: what exists, what the owner's settings are, what happens, and what must never be touched.

An automation supplies them in ``functions/<automation>/scenarios/*.yaml``; `docs/laws.md` describes the format.
"""

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from google.protobuf.message import Message
from msgspec import Meta

from infra.suite.automations import ROOT
from localcloud import LocalCloud
from localcloud.core.happenings import check_happening
from shared.errors import SettingsError
from shared.events import inbox_of
from shared.settings import convert
from shared.yaml_file import located_in, read_yaml_file

FORMAT = "docs/laws.md"


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a scenario: unknown keys are refused."""


class Event(Model, frozen=True, kw_only=True):
    """One message, as it is published."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9_]+$")]
    """Its name in the names of tests, and its message id."""
    topic: str = ""
    """The topic's id; the automation's inbox, if none is said."""
    attributes: dict[str, str] = {}
    data: dict[str, object] | None = None
    """Is sent as JSON."""
    text: str | None = None
    """Is sent as it stands, instead of ``data``."""
    published: datetime | None = None
    """Its time of publication; by default the scenario's ``now``."""

    def __post_init__(self) -> None:
        if (self.data is None) == (self.text is None):
            raise SettingsError("data", self.data, "either `data` (a mapping, sent as JSON) or `text`")

    @property
    def payload(self) -> bytes:
        """The message's data."""
        return msgspec.json.encode(self.data) if self.text is None else self.text.encode()


class Act(Model, frozen=True, kw_only=True):
    """Another actor's action: an API call, or an event in the local cloud without one."""

    client: Annotated[str, Meta(pattern=r"^[a-z0-9_.]+\.[A-Za-z0-9]+Client$")] = ""
    """Module and class, such as ``google.cloud.run_v2.ServicesClient``."""
    method: str = ""
    request: dict[str, object] = {}
    happening: str = ""
    """Such as ``github.close``: see `localcloud.core.happenings`."""
    arguments: dict[str, object] = {}

    def __post_init__(self) -> None:
        if bool(self.client) == bool(self.happening):
            either = "either a call (`client`, `method`, `request`) or a `happening` with its `arguments`"
            raise SettingsError("happening", self.happening or None, either)
        if self.happening:
            check_happening(self.happening, self.arguments, LocalCloud)
        elif not self.method:
            raise SettingsError("method", None, "the name of a method of the client")

    def __str__(self) -> str:
        return self.happening or f"{self.client}.{self.method}"


class TimedAct(Act, frozen=True, kw_only=True):
    """An action at a fixed time, independent of the automation."""

    at: datetime


class PersonsAct(Act, frozen=True, kw_only=True):
    """A person's actions after the events and before the undo."""

    remains: Annotated[dict[str, dict[str, object]], Meta(min_length=1)]
    """By full resource name and field path, the values that must still be there after the undo."""


class Refusal(Model, frozen=True, kw_only=True):
    """Calls of the automation that are refused however often they are made: its runs fail, and do everything else."""

    calls: Annotated[str, Meta(min_length=1)]
    """A part of the method's name, such as ``api.github.com/repos/my-team/my-product``."""
    names: str = ""
    """A part of the request."""
    code: Literal["PERMISSION_DENIED", "UNAUTHENTICATED"]
    message: Annotated[str, Meta(min_length=8)]
    """In the words of the service. A failure that has these words is one of these calls."""
    since: datetime | None = None
    """By default from the beginning."""
    until: datetime | None = None
    """By default to the end."""
    blocks: tuple[str, ...] = ()
    """Parts of the names of what depends on these calls, besides what they name."""

    def is_of(self, method: str, request: Message, now: datetime) -> bool:
        """Whether it refuses a call now."""
        is_due = (self.since is None or now >= self.since) and (self.until is None or now < self.until)
        return is_due and self.calls in method and (not self.names or self.names in str(request))


class Scenario(Model, frozen=True, kw_only=True):
    """One story about one automation, which every law is held against."""

    about: str
    now: datetime
    project: str
    """The project that the suite itself runs in."""
    settings: dict[str, object]
    """The whole of ``caretaker.yaml``, acting."""
    world: dict[str, object]
    """The initial state, in the format of ``--world FILE``."""
    events: Annotated[tuple[Event, ...], Meta(min_length=1)]
    undo: Event | None = None
    """The event that asks to restore everything."""
    person: tuple[PersonsAct, ...] = ()
    meanwhile: tuple[TimedAct, ...] = ()
    """Others' actions over time: a spending restriction comes into force, a person resizes something."""
    refused: tuple[Refusal, ...] = ()
    """Calls that are refused. Law 12 compares with the same scenario in which they are not."""
    look_alikes: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Full names of resources that must never be in a mutating call."""
    canary: Annotated[str, Meta(min_length=8)]
    """A value in the world, or in events, that must never leave."""
    ticks: Annotated[int, Meta(ge=1)] = 1
    """The number of ticks that complete an interrupted run: one, unless operations take long."""
    operation_seconds: Annotated[int, Meta(ge=0)] = 0
    """The duration of the local cloud's long-running operations, in seconds."""
    seconds_a_call: Annotated[int, Meta(ge=0)] = 0
    """The share of its time budget that each API call of a run uses, in seconds; by default its real duration."""
    blocks: dict[str, tuple[str, ...]] = {}
    """By a part of the name of something that is read: parts of the names of what depends on it, and lies elsewhere."""
    laws_that_do_not_apply: dict[str, Annotated[str, Meta(min_length=20)]] = {}
    """By the law's name, the reason why it cannot hold in this scenario, though it does in the automation's others."""

    def __post_init__(self) -> None:
        names = [event.name for event in self.events]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise SettingsError(f"events[{place}].name", name, "a name of its own: another event has this one")


class ScenarioError(ValueError):
    """An invalid scenario: names the file, the key, the value and the remedy."""


def scenario_files(automation: str) -> list[Path]:
    """The scenario files of one automation, in order of name."""
    return sorted((ROOT / "functions" / automation / "scenarios").glob("*.yaml"))


@functools.cache
def load_scenario(path: Path, automation: str) -> Scenario:
    """One scenario, read once. Raises ``ScenarioError``."""
    try:
        file = read_yaml_file(path)
        file.mapping(f"about, now, project, settings, world and events ({FORMAT})")
        with located_in(file):
            scenario = convert(file.data, Scenario, "", may_end_in_line_break=True)
    except SettingsError as error:
        raise ScenarioError(f"{error}; see {FORMAT}") from error
    return _completed(scenario, automation, path)


def _completed(scenario: Scenario, automation: str, path: Path) -> Scenario:
    """The scenario with what was left out: topics and times of the events."""
    if automation not in scenario.settings:
        raise ScenarioError(f"{path}: settings: a section `{automation}` is missing")
    now = _aware(scenario.now)

    def complete(event: Event) -> Event:
        return msgspec.structs.replace(
            event, topic=event.topic or inbox_of(automation), published=_aware(event.published or now)
        )

    undo = complete(scenario.undo) if scenario.undo else None
    meanwhile = tuple(
        sorted((msgspec.structs.replace(act, at=_aware(act.at)) for act in scenario.meanwhile), key=lambda act: act.at)
    )
    refused = tuple(
        msgspec.structs.replace(
            one, since=_aware(one.since) if one.since else None, until=_aware(one.until) if one.until else None
        )
        for one in scenario.refused
    )
    events = tuple(map(complete, scenario.events))
    return msgspec.structs.replace(scenario, now=now, events=events, undo=undo, meanwhile=meanwhile, refused=refused)


def _aware(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
