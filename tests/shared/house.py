"""A small automation for the tests of the run: it keeps the lights of a house at the level that was wished for.

Its state is in the local cloud's Firestore; the house is in memory, so that a test can let anything happen there.
"""

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec
from cloudevents.http import CloudEvent

from localcloud import LocalCloud
from shared import automation
from shared.automation import Automation, RunContext
from shared.clients import Clients
from shared.decision import Alert, Change, Decision, Next, Refusal, Text
from shared.errors import IgnoredMessage
from shared.events import Command, Dated, PubsubMessage, Tick, is_from_inbox, read_inbox
from shared.report import Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import Configuration, Mode, Section
from shared.world import Need, World

INBOX = "projects/caretaker-home/topics/caretaker-lights"


class Lights(Section, frozen=True, kw_only=True):
    """The settings."""

    rooms: tuple[str, ...] = ("hall", "attic", "cellar")


class Wish(Command, frozen=True, tag="wish"):
    """The desired brightness."""

    level: int


class Records(automation.Records, frozen=True, kw_only=True):
    """The records."""

    level: int = 0
    said: datetime | None = None
    intended: dict[str, int] = {}
    reported: tuple[str, ...] = ()
    """The rooms whose change was seen to by a run, one after another."""

    def before(self, changes: Sequence[Change]) -> "Records":
        """The levels that are about to be set."""
        intended = {change.target: change.level for change in changes if isinstance(change, SetLevel)}
        return msgspec.structs.replace(self, intended=self.intended | intended)


class SetLevel(Change, frozen=True, kw_only=True):
    """Make a room as bright as was wished."""

    is_money: ClassVar[bool] = True
    level: int


Event = Tick | Wish
Levels = dict[str, int]


class Room(Need[int], frozen=True):
    """The brightness of a room."""

    name: str


class House:
    """The rooms, and whatever may happen to them."""

    def __init__(self) -> None:
        self.levels: Levels = {"hall": 0, "attic": 0, "cellar": 0}
        self.errors: dict[str, list[Exception]] = {}
        """By room, what the next changes of it raise instead of being made."""
        self.slipping: set[str] = set()
        """Rooms in which no change lasts."""
        self.locked: set[str] = set()
        """Rooms that a guard refuses."""
        self.busy: set[str] = set()
        """Rooms in which someone is at work."""
        self.dark: dict[str, Exception] = {}
        """By room, what looking into it raises."""
        self.asked: list[str] = []
        """The rooms that were looked into, one after another."""
        self.decisions = 0
        self.smoking: set[str] = set()
        """Rooms that a person should look after."""
        self.remarks: list[str] = []
        """The notices of the next change."""
        self.single_pass = False
        self.on_read: Callable[[], object] | None = None
        """An event while the world is read; once."""
        self.on_apply: Callable[[], object] | None = None
        """An event while a change is made; once."""
        self.about: list[str] = []
        """By read, the kind of event that the run was about."""
        self.changes: list[str] = []

    def automation(self) -> Automation[Lights, Event, Records, Room, SetLevel]:
        """The automation that looks after this house."""
        return Automation(
            name="lights",
            section=Lights,
            records=Records,
            parse=_parse,
            fold=_fold,
            needs=self._needs,
            look=self._look,
            decide=self._decide,
            guards={"not_locked": self._not_locked},
            apply=self._apply,
            reply=lambda context, _world, _decision: (f"level {context.records.level}",),
            single_pass=self.single_pass,
            continues=self.single_pass,
        )

    @property
    def reads(self) -> int:
        """The number of times a room was read."""
        return len(self.about)

    def _needs(self, context: "Known", world: World) -> Iterable[Room]:
        if not world.answers:
            self.about.append(type(context.event.event).__name__)
        return [Room(room) for room in context.settings.rooms]

    def _look(self, need: Room, _clients: Clients) -> int:
        happens, self.on_read = self.on_read, None
        if happens:
            happens()
        self.asked.append(need.name)
        if need.name in self.dark:
            raise self.dark[need.name]
        return self.levels[need.name]

    def _decide(self, context: "Known", world: World, applied: tuple[SetLevel, ...]) -> Decision[Records, SetLevel]:
        self.decisions += 1
        answers = {room: world.get(Room(room)) for room in context.settings.rooms}
        levels = {room: level for room, level in answers.items() if isinstance(level, int)}
        records = _seen(context.records, levels, applied)
        wrong = [room for room, level in levels.items() if level != records.level]
        return Decision(
            records=records,
            changes=tuple(
                SetLevel(
                    target=room,
                    field="level",
                    before=str(levels[room]),
                    after=str(records.level),
                    reason=Text("it was wished"),
                    scope=room,
                    level=records.level,
                )
                for room in wrong
                if room not in self.busy
            ),
            waiting=tuple(Text(f"{room} is busy") for room in wrong if room in self.busy),
            next=(Next("", Text("the sun comes up")),),
            alerts=tuple(Alert("smoke", room, "it smokes") for room in sorted(self.smoking)),
            notices=tuple(Text(f"{room} is dark") for room, level in levels.items() if level < 0),
            table=tuple(f"{room}: {level}" for room, level in levels.items()),
        )

    def _not_locked(self, _context: "Known", _world: World, changes: tuple[SetLevel, ...]) -> Iterable[Refusal]:
        return [Refusal(one.scope, "not_locked", "no key") for one in changes if one.scope in self.locked]

    def _apply(self, change: SetLevel, _clients: Clients) -> list[str]:
        happens, self.on_apply = self.on_apply, None
        if happens:
            happens()
        if self.errors.get(change.target):
            raise self.errors[change.target].pop(0)
        self.changes.append(change.target)
        if change.target not in self.slipping:
            self.levels[change.target] = change.level
        said, self.remarks = self.remarks, []
        return said


Known = RunContext[Lights, Event, Records]


def _parse(message: PubsubMessage, _settings: Lights) -> Event:
    if not is_from_inbox(message, "lights"):
        raise IgnoredMessage("foreign: not by the inbox")
    event: Event = read_inbox(message, msgspec.json.Decoder(Tick | Wish))
    return event


def _fold(records: Records, event: Dated[Event], _settings: Lights) -> Records:
    if isinstance(event.event, Wish) and (records.said is None or event.published > records.said):
        return msgspec.structs.replace(records, level=event.event.level, said=event.published)
    return records


def _seen(records: Records, levels: Levels, applied: tuple[SetLevel, ...]) -> Records:
    open_ = {room: level for room, level in records.intended.items() if levels.get(room) != level}
    reported = records.reported + tuple(change.target for change in applied)
    return msgspec.structs.replace(records, intended=open_, reported=reported)


class Stage:
    """A house, and runs that look after it."""

    def __init__(self, cloud: LocalCloud, clients: Clients) -> None:
        self.cloud = cloud
        self.clients = clients
        self.house = House()
        self.reports: list[Report] = []
        self.settings = Lights()
        self.mode = Mode.ACT
        self.time_budget = 180.0
        self.seconds: Callable[[], float] = time.monotonic
        self.patience = 0.0
        self.pause: Callable[[float], None] = time.sleep
        self._numbers = itertools.count(100)

    def wish(
        self,
        level: int,
        *,
        published: datetime | None = None,
        message_id: str = "",
        sent_by: str = "",
        plan: str = "",
    ) -> Report:
        """A run that is woken by a wish."""
        wish = {"type": "wish", "level": level}
        return self.push(wish, published=published, message_id=message_id, sent_by=sent_by, plan=plan)

    def tick(self, *, published: datetime | None = None) -> Report:
        """A run that is woken by a tick."""
        return self.push({"type": "tick", "every_seconds": 600}, published=published)

    def push(
        self,
        data: object,
        *,
        topic: str = INBOX,
        published: datetime | None = None,
        message_id: str = "",
        sent_by: str = "",
        plan: str = "",
    ) -> Report:
        """A run that is woken by this message; one of its own, if no id is said."""
        body = {
            "data": base64.b64encode(json.dumps(data).encode()).decode(),
            "messageId": message_id or str(next(self._numbers)),
            "publishTime": (published or self.cloud.clock.now()).isoformat(),
            "attributes": {key: value for key, value in (("sent_by", sent_by), ("plan", plan)) if value},
        }
        event = CloudEvent({"type": "t", "source": f"//pubsub.googleapis.com/{topic}"}, {"message": body})
        runtime = Runtime(
            self.clients,
            clock=self.cloud.clock.now,
            report=self.reports.append,
            time_budget=self.time_budget,
            seconds=self.seconds,
            patience=self.patience,
            pause=self.pause,
        )
        return run(self.house.automation(), Configuration(self.mode, self.settings), event, runtime)

    def calls(self) -> list[str]:
        """The methods called since the last time that this was asked."""
        names = [call.method.rpartition("/")[2] for call in self.cloud.server.calls]
        self.cloud.server.clear_calls()
        return names
