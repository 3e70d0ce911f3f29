"""The map of the suite, `infra/terraform/automations.yaml`, as typed values."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from infra.yaml12 import read_yaml

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "infra" / "terraform" / "automations.yaml"


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the map: unknown keys are refused."""


class TickSchedule(Model, frozen=True, kw_only=True):
    """When Cloud Scheduler publishes a tick to the automation's inbox."""

    schedule: str
    """In unix-cron format."""
    time_zone: str
    every_seconds: Annotated[int, Meta(ge=60)]
    """The period of the schedule: an older tick is superseded."""


class RetryPolicy(Model, frozen=True, kw_only=True):
    """How Pub/Sub backs off when a run has raised."""

    minimum_backoff_seconds: Annotated[int, Meta(ge=0, le=600)]
    maximum_backoff_seconds: Annotated[int, Meta(ge=0, le=600)]


class Entry(Model, frozen=True, kw_only=True):
    """One automation: what wakes it, what it may do, and what it runs on."""

    summary: str
    topics: tuple[str, ...] = ()
    """Topics besides the inbox that are pushed to it. What comes by them cannot command."""
    obeys: tuple[str, ...] = ()
    """The spending restrictions that it enforces on what it owns; its inbox is woken when they change."""
    tick: TickSchedule | None = None
    memory: str
    time_limit_seconds: Annotated[int, Meta(ge=10, le=540)]
    """The ack deadline of its subscriptions is 30 seconds longer."""
    max_instances: Annotated[int, Meta(ge=1)]
    concurrency: Annotated[int, Meta(ge=1)]
    retry: RetryPolicy
    dead_letter_after: Annotated[int, Meta(ge=5, le=100)]
    permissions: tuple[str, ...]
    laws_that_do_not_apply: dict[str, str] = {}
    """By the law's name (`tests/laws/`), the reason."""


def load_automations(path: Path = PATH) -> dict[str, Entry]:
    """The map, by automation. Raises ``msgspec.ValidationError`` if it is not of the type."""
    return msgspec.convert(read_yaml(path.read_text(encoding="utf-8")), dict[str, Entry])
