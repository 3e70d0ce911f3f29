"""The owner's retention rules: a number of backups for each kind of period, or all within a time."""

from typing import Annotated

from msgspec import Meta

from functions.prune_backups.durations import DurationText, read_duration
from shared.errors import SettingsError
from shared.settings import Model

Count = Annotated[int, Meta(ge=-1, le=1_000_000, description="How many; -1 is every one.")]


class RetentionPolicy(Model, frozen=True, kw_only=True):
    """The retention rules of a group: a backup stays if any of them keeps it."""

    keep_last: Count = 0
    keep_hourly: Count = 0
    keep_daily: Count = 0
    keep_weekly: Count = 0
    """Weeks are ISO 8601's: from Monday to Sunday."""
    keep_monthly: Count = 0
    keep_yearly: Count = 0
    keep_within: DurationText = "0h"
    """Every one that is younger than this, counted back from the newest of its group; and so on."""
    keep_within_hourly: DurationText = "0h"
    keep_within_daily: DurationText = "0h"
    keep_within_weekly: DurationText = "0h"
    keep_within_monthly: DurationText = "0h"
    keep_within_yearly: DurationText = "0h"

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if name.startswith("keep_within"):
                check_duration(name, getattr(self, name))


def check_duration(key: str, text: str) -> None:
    """Raises ``SettingsError`` for a text that is no duration."""
    try:
        read_duration(text)
    except ValueError as error:
        raise SettingsError(key, text, str(error)) from None
