"""The owner's settings for backups: each set's place, its retention, and the conditions for deleting."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from functions.prune_backups.durations import DurationText
from functions.prune_backups.names import name_pattern
from functions.prune_backups.policy import RetentionPolicy, check_duration
from shared.errors import SettingsError
from shared.hours import check_zone, zone_of
from shared.settings import Model, Section

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

BucketName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", examples=["my-backups"])]
"""https://cloud.google.com/storage/docs/buckets#naming"""
Fraction = Annotated[float, Meta(ge=0, le=1)]
CLOCK_SKEW = timedelta(minutes=5)
"""So far a clock may be ahead of ours before something is from the future."""
SetKey = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["my-key"])]


class Proof(StrEnum):
    """The proof that a backup needs before it counts: none, that it is complete, or that it has been restored."""

    NONE = "none"
    COMPLETE = "complete"
    """Its custom metadata, as `jobs/back_up_database` writes it, says that it is whole, and of its size."""
    VERIFIED = "verified"
    """Besides, `jobs/prove_backup` has restored it."""


class TimeFrom(StrEnum):
    """The source of a backup's time."""

    NAME = "name"
    CREATION = "creation"
    """The creation time of its object: for names without a time. A command cannot restore such a set."""


class BackupSet(Model, frozen=True, kw_only=True):
    """One set of backups: objects of a bucket whose names begin alike."""

    bucket: BucketName
    prefix: Annotated[str, Meta(max_length=1024)] = ""
    name: Annotated[str, Meta(max_length=1024)] = ""
    """The pattern after the prefix: `{group}`, `{time:%Y%m%dT%H%M%S%z}`, `{*}`. An empty pattern means any name.
    Objects of one time and group are one backup."""
    time_from: TimeFrom = TimeFrom.NAME
    written_within: DurationText = "2d"
    """A backup was written at most so long before or after the time in its name. Others do not count as backups, and no
    more than `max_unknown_names` of them may be there."""
    time_zone: str = "Etc/UTC"
    """The time zone of days, weeks and months, and of names without an offset."""
    retention: RetentionPolicy
    floor: Annotated[int, Meta(ge=1)] = 3
    """At least so many complete backups (verified ones, if that is asked) stay of each group."""
    fresh_within: DurationText = "2d"
    """The newest backup of each group must be younger."""
    min_size_ratio: Fraction = 0.5
    """And no smaller than so much of the median of the others."""
    max_delete_fraction: Fraction = 0.5
    """No more than so much of a set is deleted in one plan."""
    max_unknown_names: Annotated[int, Meta(ge=0)] = 0
    """So many objects may be there whose names do not fit. They are left alone."""
    proof: Proof = Proof.NONE

    def __post_init__(self) -> None:
        try:
            name_pattern(self.name)
        except ValueError as error:
            raise SettingsError("name", self.name, str(error)) from None
        for field in ("fresh_within", "written_within"):
            check_duration(field, getattr(self, field))
        has_time = name_pattern(self.name).has_time
        if not has_time and self.time_from is TimeFrom.NAME:
            what = "a pattern with `{time:...}`, or `time_from: creation` if names have no time"
            raise SettingsError("name", self.name, what)
        if has_time and self.time_from is TimeFrom.CREATION:
            raise SettingsError("time_from", self.time_from.value, "name, as names have a time")
        check_zone(self.time_zone)

    @property
    def full_name(self) -> str:
        """Its address, as Google's tools write it."""
        return f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def zone(self) -> "ZoneInfo":
        """Its time zone."""
        return zone_of(self.time_zone)


class Settings(Section, frozen=True, kw_only=True):
    """The section `prune_backups` of ``caretaker.yaml``."""

    sets: dict[SetKey, BackupSet]
    """By a key of the owner's, which commands and reports use."""

    def __post_init__(self) -> None:
        for key, one in self.sets.items():
            for other_key, other in self.sets.items():
                if key != other_key and one.bucket == other.bucket and one.prefix.startswith(other.prefix):
                    would_do = (
                        f"a prefix that does not begin with that of another set: `{other_key}` has {other.prefix!r}"
                    )
                    raise SettingsError(f"sets.{key}.prefix", one.prefix, would_do)
